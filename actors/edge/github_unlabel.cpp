#include "actors/edge/github_unlabel.hpp"

#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_limits.hpp"
#include "actors/edge/github_url.hpp"

#include <algorithm>

namespace ci::edge {

using domain::GithubError;
using Reply = domain::GithubReply<domain::Done>;

namespace {

/// GitHub's labels know no case.
bool same_label(const std::string& a, const std::string& b) {
  const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return low(x) == low(y); });
}

/// Other names would make the path that of all labels, or of the runner itself.
bool is_segment(const std::string& label) { return !label.empty() && label != "." && label != ".."; }

bool contains(const std::vector<std::string>& labels, const std::string& label) {
  return std::any_of(labels.begin(), labels.end(),
                     [&](const auto& other) { return same_label(label, other); });
}

} // namespace

GithubUnlabel::GithubUnlabel(HttpRequest model, domain::RegistrationId id, std::vector<std::string> labels,
                             GithubAsk ask, Done done)
    : model_(std::move(model)), id_(id), left_(labels.rbegin(), labels.rend()), ask_(std::move(ask)),
      done_(std::move(done)) {}

void GithubUnlabel::next() {
  if (left_.empty())
    return done_(Reply::ok({}));
  if (!is_segment(left_.back()))
    return done_(Reply::failed({GithubError::Kind::refused, 0, "no name of a label"}));
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
  if (contains(*remaining.value, left_.back()))
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
  if (contains(runner.value->labels, left_.back()))
    return finish({GithubError::Kind::refused, 404, "GitHub shows the label, and does not find it to delete"},
                  answer);
  std::erase_if(left_, [&](const auto& label) { return !contains(runner.value->labels, label); });
  if (left_.empty())
    return finish({}, answer);
  next();
}

void GithubUnlabel::finish(GithubError error, const HttpAnswer& answer) {
  auto reply = error ? Reply::failed(std::move(error)) : Reply::ok({});
  reply.budget = read_budget(answer);
  done_(std::move(reply));
}

} // namespace ci::edge
