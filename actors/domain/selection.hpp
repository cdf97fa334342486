#pragma once
/// Selecting runners without a token: what is asked, by which rules, and the checks in their order
/// (spec/api.md, "/select-runner"). Pure; time is an argument.

#include "actors/domain/address.hpp"
#include "actors/domain/answers.hpp"
#include "actors/domain/artifact.hpp"
#include "actors/domain/github.hpp"
#include "actors/domain/github_runs.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/reservation.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>

namespace ci::domain {

/// The settings of these names, and who may do what of each profile.
struct SelectRules {
  bool queue_member = false;
  std::string allowed_qualified_repo_prefix;
  std::string artifact_name_prefix;
  Duration artifact_max_age{300'000};
  std::int64_t max_artifact_size = 64 << 10; ///< bytes; of the archive, and of the file within
  int max_count = 20;
  int github_calls_per_minute = 60;
  std::map<std::string, Tokenless> profiles;
};

/// A select that was already checked for syntax.
struct SelectRequest {
  std::string unique_id; ///< lower case
  std::string unique_id_spelt;
  std::string qualified_repo;
  RunId run_id = 0;
  /// SHA-256 of `X-Reservation-Key` in lower-case hexadecimal digits; empty where there was no such header.
  std::string key_sha256;
  /// Whose it is, as limits by source count them.
  Address source{};
  /// The client's name for it, for the log.
  std::string request_id{};

  /// Equal for requests that must get the same answer.
  std::string identity() const;
};

/// What a select came to: a take, or why there is none.
struct SelectAnswer {
  Verdict verdict;
  TakeRequest take;
};

/// Before GitHub is asked. Of kind `none` where it may go on.
Verdict check_request(const SelectRules&, const SelectRequest&);

std::string artifact_name(const SelectRules&, const SelectRequest&);

/// The artifact that is the proof, or why there is none. Of several with the name the newest counts.
std::variant<Artifact, Verdict> choose_artifact(const SelectRules&, const SelectRequest&,
                                                const ArtifactListing&);

/// What is asked, by the file in the archive. The take lacks nothing but the look at the run, where
/// `needs_same_repository` says that it needs one.
SelectAnswer check_contents(const SelectRules&, const SelectRequest&, const Artifact&, std::string_view text);
bool needs_same_repository(const SelectRules&, const TakeRequest&);
/// For profiles that only runs of the repository itself may take.
Verdict check_run(const SelectRequest&, const WorkflowRun&);

/// Why the archive of that artifact is refused: too large, or not readable (in the words of `why`).
Verdict archive_too_large(const SelectRules&);
Verdict archive_unreadable(const std::string& why);
Verdict no_such_artifact(const SelectRules&, const SelectRequest&);
/// GitHub said no for reasons of its own, or said nothing.
Verdict github_away(const GithubError&);

/// How many calls may still be made: at most so many in any minute. Anybody can make up runs, and repeat what
/// others have proved, so calls are shared out where a search begins. One source has no more than a sixth of all for
/// its looks, and one look once half of all calls are made. A third is kept from looks at runs that have proved
/// nothing. A search that has found its artifact goes on while there are any.
class CallAllowance {
 public:
  enum class Step {
    look,          ///< a search's first call, for a run that has proved nothing
    look_at_known, ///< likewise, for a run that has
    go_on,         ///< a later one
  };
  /// Counts a call where there is room for one. Else how long to wait for room, never zero. \p source: as limits
  /// count sources.
  std::optional<Duration> take(int per_minute, Steady now, Step step, const Address& source);

 private:
  struct Taken {
    Steady at;
    Step step;
    Address source;
  };
  std::deque<Taken> taken_; ///< within the last minute, oldest first
};

} // namespace ci::domain
