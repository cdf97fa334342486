#include "actors/registrations.hpp"

#include <utility>

namespace ci {

using namespace domain;
using detail::ListReply;

namespace {

GithubError link_failed(const caf::error& error) {
  const bool late = error == caf::sec::request_timeout;
  return {GithubError::Kind::unreachable, 0,
          late ? "GitHub's client did not answer" : "GitHub's client is down"};
}

} // namespace

Registrations::Registrations(caf::actor_config& config, MeterPtr meter, github_link_actor link,
                             int points_per_minute)
    : Metered(config, std::move(meter)), link_(std::move(link)), pacing_(points_per_minute) {}

Registrations::behavior_type Registrations::make_behavior() {
  using Labels = std::vector<std::string>;
  return {
      [this](list_atom, Steady not_before) { return list(not_before); },
      [this](fetch_atom a, RegistrationId id) {
        return pass<detail::FetchReply>(GithubShare::look, points_of_read, a, id);
      },
      [this](find_atom a, const std::string& name) {
        return pass<detail::FindReply>(GithubShare::ordinary, points_of_read, a, name);
      },
      [this](register_atom a, const JitRequest& request) {
        return pass<detail::RegisterReply>(GithubShare::ordinary, points_of_write, a, request);
      },
      [this](label_atom a, RegistrationId id, const Labels& labels) {
        return pass<detail::LabelReply>(GithubShare::reserving, points_of_write, a, id, labels);
      },
      [this](unlabel_atom a, RegistrationId id, const Labels& labels) {
        const auto points = points_of_write * static_cast<int>(labels.size()); // one call for each
        return pass<detail::DoneReply>(GithubShare::clearing, points, a, id, labels);
      },
      [this](delete_atom a, RegistrationId id) {
        return pass<detail::DoneReply>(GithubShare::clearing, points_of_write, a, id);
      },
      [this](run_atom a, const std::string& repository, RunId run) {
        return pass<detail::RunReply>(GithubShare::look, points_of_read, a, repository, run);
      },
      [this](jobs_atom a, const std::string& repository, RunId run) {
        return pass<detail::JobsReply>(GithubShare::look, points_of_read, a, repository, run);
      },
      [this](artifs_atom a, const std::string& repository, RunId run, const std::string& name) {
        return pass<detail::ArtifactsReply>(GithubShare::tokenless, points_of_read, a, repository, run, name);
      },
      [this](archive_atom a, const std::string& repository, std::int64_t id, std::uint64_t max_bytes) {
        return pass<detail::ArchiveReply>(GithubShare::tokenless, points_of_read, a, repository, id, max_bytes);
      },
      [this](token_atom) { pacing_.forget_limits(); },
  };
}

template <class Reply, class... Args>
caf::typed_response_promise<Reply> Registrations::pass(GithubShare share, int points, Args... args) {
  auto promise = make_response_promise<Reply>();
  const auto now = clock().now();
  if (const auto wait = pacing_.hold(share, now); wait > Duration{0}) {
    promise.deliver(Reply::failed(held_back(wait)));
    return promise;
  }
  pacing_.sent(points, now);
  const auto id = calls_.add<Reply>(promise);
  request(link_, call_timeout, std::move(args)...)
      .then([=, this](Reply& reply) { take_answer(share, now, id, std::move(reply)); },
            [=, this](const caf::error& error) {
              take_answer(share, now, id, Reply::failed(link_failed(error)));
            });
  return promise;
}

template <class Reply>
void Registrations::take_answer(GithubShare share, Steady sent, std::uint64_t id, Reply reply) {
  pacing_.answered(share, sent, clock().now(), reply.error, reply.budget);
  calls_.answer(id, std::move(reply));
}

Registrations::ListPromise Registrations::list(Steady not_before) {
  auto promise = make_response_promise<ListReply>();
  not_before = std::min(not_before, clock().now()); // a moment to come can't be met any better
  if (last_listing_ && last_listing_->started_at >= not_before) {
    promise.deliver(ListReply::ok(*last_listing_));
  } else if (listing_since_) {
    (*listing_since_ >= not_before ? joined_ : next_).push_back(promise);
  } else {
    joined_.push_back(promise);
    start_listing();
  }
  return promise;
}

/// For those in `joined_`.
void Registrations::start_listing() {
  const auto now = clock().now();
  if (const auto wait = pacing_.hold(GithubShare::ordinary, now); wait > Duration{0}) {
    answer_waiting(std::exchange(joined_, {}), ListReply::failed(held_back(wait)));
    return;
  }
  // As many pages as last time.
  const auto runners = last_listing_ ? last_listing_->runners.size() : 0;
  pacing_.sent(points_of_read * static_cast<int>(runners / 100 + 1), now);
  listing_since_ = now;
  request(link_, listing_timeout, list_atom::value, now)
      .then([this](ListReply& reply) { end_listing(std::move(reply)); },
            [this](const caf::error& error) { end_listing(ListReply::failed(link_failed(error))); });
}

void Registrations::end_listing(ListReply reply) {
  const auto since = *std::exchange(listing_since_, std::nullopt);
  pacing_.answered(GithubShare::ordinary, since, clock().now(), reply.error, reply.budget);
  if (reply) {
    reply.value->started_at = since; // by this actor's clock, and at most a message too early
    last_listing_ = std::make_shared<const RegistrationListing>(*reply.value);
  }
  answer_waiting(std::exchange(joined_, {}), reply);
  if (next_.empty())
    return;
  joined_ = std::exchange(next_, {});
  start_listing();
}

void Registrations::answer_waiting(std::vector<ListPromise> waiting, const ListReply& reply) {
  for (auto& promise : waiting)
    promise.deliver(reply);
}

void Registrations::on_exit() {
  const auto stopping = github_stopping();
  calls_.fail_all(stopping);
  answer_waiting(std::exchange(joined_, {}), ListReply::failed(stopping));
  answer_waiting(std::exchange(next_, {}), ListReply::failed(stopping));
  link_ = nullptr;
  Metered::on_exit();
}

} // namespace ci
