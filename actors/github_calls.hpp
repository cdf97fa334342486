#pragma once
/// Calls about GitHub that an actor has not answered yet.

#include "actors/messages.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <variant>

namespace ci {

/// An answer to any of the calls of registrations_actor.
using GithubAnswer = std::variant<detail::FetchReply, detail::FindReply, detail::ListReply,
                                  detail::RegisterReply, detail::LabelReply, detail::DoneReply,
                                  detail::RunReply, detail::JobsReply, detail::ArtifactsReply,
                                  detail::ArchiveReply>;

/// Response promises by a number of our own. CAF answers nothing by itself when an actor quits that holds
/// promises, so the actor has this answer them all. Belongs to the actor's thread.
class GithubCalls {
 public:
  template <class Reply>
  std::uint64_t add(caf::typed_response_promise<Reply> promise) {
    promises_.emplace(++last_, std::move(promise));
    return last_;
  }

  /// An unknown number is of a call that was answered already: nothing.
  template <class Reply>
  void answer(std::uint64_t id, Reply reply) {
    const auto found = promises_.find(id);
    if (found == promises_.end())
      return;
    auto promise = std::move(found->second);
    promises_.erase(found);
    if (auto* typed = std::get_if<caf::typed_response_promise<Reply>>(&promise))
      typed->deliver(std::move(reply));
  }
  void answer(std::uint64_t id, GithubAnswer answer) {
    std::visit([&](auto& reply) { this->answer(id, std::move(reply)); }, answer);
  }

  void fail_all(const domain::GithubError& error) {
    for (auto& [id, promise] : std::exchange(promises_, {}))
      std::visit([&](auto& typed) { fail(typed, error); }, promise);
  }

  std::size_t size() const { return promises_.size(); }

 private:
  template <class Reply>
  static void fail(caf::typed_response_promise<Reply>& promise, const domain::GithubError& error) {
    promise.deliver(Reply::failed(error));
  }
  template <class Variant>
  struct PromisesOf;
  template <class... Replies>
  struct PromisesOf<std::variant<Replies...>> {
    using type = std::variant<caf::typed_response_promise<Replies>...>;
  };
  std::map<std::uint64_t, PromisesOf<GithubAnswer>::type> promises_;
  std::uint64_t last_ = 0;
};

/// What pending calls are told when their actor ends.
inline domain::GithubError github_stopping() {
  return {domain::GithubError::Kind::unreachable, 0, "stopping"};
}

} // namespace ci

CI_LOCAL_MESSAGE(ci::GithubAnswer)
