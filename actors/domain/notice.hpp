#pragma once
/// What GitHub's webhooks tell, as values. They come late, twice, out of order or never, so a notice is a hint: it
/// makes the service ask at once, and may keep a guest, but never ends one.

#include "actors/domain/types.hpp"

#include <string>
#include <variant>
#include <vector>

namespace ci::domain {

namespace notice {
/// A job changed (`workflow_job`).
struct Job {
  /// The other words of GitHub's are taken for `queued`.
  enum class Action { queued, in_progress, completed } action = Action::queued;
  /// `<owner>/<repo>`
  std::string repository;
  RunId run = 0;
  /// What its runs-on asked for.
  std::vector<std::string> labels;
  /// Who has it; 0 and empty where nobody does, or did. An id alone is unique in its scope only.
  RegistrationId runner = 0;
  std::string runner_name;
};
/// A workflow run is over (`workflow_run`, completed).
struct RunOver {
  std::string repository;
  RunId run = 0;
};
} // namespace notice

using GithubNotice = std::variant<notice::Job, notice::RunOver>;

} // namespace ci::domain
