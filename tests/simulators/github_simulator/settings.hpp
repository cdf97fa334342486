#pragma once
/// What of the simulator can be set while it runs: its delays, limits and lies.

#include "tests/simulators/github_simulator/moment.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>

namespace ci::github_simulator {

using Json = nlohmann::ordered_json;

/// Delays are seconds in JSON. The defaults are as quick as they can be without hiding that a delay exists.
struct Settings {
  // The life of a runner.
  Duration online_delay{1'000};        ///< from the opening of a session to `online`
  Duration offline_delay{5'000};       ///< from the last sign of life to `offline`
  Duration assign_delay{0};            ///< from the queueing of a job until a runner may get it
  Duration busy_delay{1'000};          ///< how long a runner with a job is still said to be idle
  Duration gone_delay{3'000};          ///< from the end of the job until the registration is removed
  Duration lease_timeout{60'000};      ///< from a busy runner's last sign of life until its job is given up
  bool lease_removes_record = false;   ///< whether the registration goes with the job that was given up
  Duration unused_removal{86'400'000}; ///< a runner that is not connected for so long is removed
  Duration idle_removal{0};    ///< a runner that listens without a job for so long is removed; 0: never
  Duration poll_limit{25'000}; ///< the longest wait of a poll for a job

  // What the REST API says.
  std::map<std::string, Duration> answer_delay; ///< by operation, or `*`
  int per_page_cap = 100;
  int name_limit = 64;
  bool etags = true;
  int clock_offset = 0;                   ///< seconds that GitHub's clock is ahead of ours
  Duration app_token_lifetime{3'600'000}; ///< of an installation's token
  std::optional<bool> report_busy;          ///< a lie about every runner
  std::optional<std::string> report_status; ///< a lie about every runner
  Duration timeout_hold{600'000};           ///< how long a request without an answer is held

  // Webhooks.
  std::string webhook_url;    ///< `http://<address>:<port>/<path>`; empty: none are sent
  std::string webhook_secret; ///< what they are signed with
  Duration webhook_delay{0};

  // Limits.
  int rate_limit = 5'000;
  Duration rate_window{3'600'000};
  int rate_limit_status = 403;
  bool secondary_limit = false;
  int secondary_concurrent = 100;
  int secondary_points = 900; ///< a minute and operation
  int secondary_writes = 80;  ///< a minute
  int secondary_status = 403;
  int secondary_retry_after = 60; ///< seconds in the `retry-after` header; negative: no header

  Moment by_clock(Moment now) const { return now + std::chrono::seconds{clock_offset}; }
};

Json to_json(const Settings&);
/// Puts the given ones over those that are. Returns what is wrong, and then has changed nothing.
std::optional<std::string> apply_settings(Settings&, const Json& given);

} // namespace ci::github_simulator
