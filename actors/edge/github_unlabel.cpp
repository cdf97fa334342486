#include "actors/edge/github_unlabel.hpp"

#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_limits.hpp"
#include "actors/edge/github_text.hpp"
#include "actors/edge/github_url.hpp"

#include <algorithm>

namespace ci::edge {

using domain::GithubError;
using UnlabelReply = domain::GithubReply<domain::Done>;

namespace {

/// Other names would make the path that of all labels, or of the runner itself.
bool is_path_segment(const std::string& label) { return !label.empty() && label != "." && label != ".."; }

/// GitHub's labels know no case.
bool has_label(const std::vector<std::string>& labels, const std::string& label) {
  return std::any_of(labels.begin(), labels.end(),
                     [&](const auto& other) { return ascii_lower(label) == ascii_lower(other); });
}

} // namespace

GithubUnlabel::GithubUnlabel(HttpRequest model, domain::RegistrationId id, std::vector<std::string> labels,
                             GithubAsk ask, Done done)
    : model_(std::move(model)), id_(id), left_(labels.rbegin(), labels.rend()), ask_(std::move(ask)),
      done_(std::move(done)) {}

void GithubUnlabel::next() {
  if (left_.empty())
    return done_(UnlabelReply::ok({}));
  if (!is_path_segment(left_.back()))
    return done_(UnlabelReply::failed({GithubError::Kind::refused, 0, "no name of a label"}));
  auto request = model_;
  request.url += "/labels/" + percent_encode(left_.back());
  ask_(std::move(request),
       [self = shared_from_this()](const HttpAnswer& answer) { self->take_answer(answer); });
}

void GithubUnlabel::take_answer(const HttpAnswer& answer) {
  auto remaining = read_labels(answer);
  if (remaining.error.kind == GithubError::Kind::not_found)
    return look();
  if (!remaining)
    return finish(std::move(remaining.error), answer);
  if (has_label(*remaining.value, left_.back()))
    return finish(malformed(answer, "the label is still there"), answer);
  left_.pop_back();
  if (left_.empty())
    return finish({}, answer);
  next();
}

/// Which of the two was not found?
void GithubUnlabel::look() {
  auto request = model_;
  request.method = "GET";
  request.operation = "get";
  ask_(std::move(request),
       [self = shared_from_this()](const HttpAnswer& answer) { self->take_look(answer); });
}

void GithubUnlabel::take_look(const HttpAnswer& answer) {
  auto runner = read_runner(answer, id_);
  if (!runner)
    return finish(std::move(runner.error), answer);
  if (has_label(runner.value->labels, left_.back()))
    return finish({GithubError::Kind::refused, 404, "GitHub shows the label, and does not find it to delete"},
                  answer);
  std::erase_if(left_, [&](const auto& label) { return !has_label(runner.value->labels, label); });
  if (left_.empty())
    return finish({}, answer);
  next();
}

void GithubUnlabel::finish(GithubError error, const HttpAnswer& answer) {
  auto reply = error ? UnlabelReply::failed(std::move(error)) : UnlabelReply::ok({});
  reply.budget = read_budget(answer);
  done_(std::move(reply));
}

} // namespace ci::edge
