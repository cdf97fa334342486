#pragma once
/// Names of what can be asked, as settings, faults and counters use them.

#include <algorithm>
#include <array>
#include <string_view>

namespace ci::github_simulator {

/// Every operation of the REST API; the runner protocol has to be named.
constexpr const char* any_operation = "*";

/// Of the REST API.
constexpr std::array<std::string_view, 18> rest_operations = {
    "access_token", "register",   "list",    "get",          "delete", "labels", "label",
    "set_labels", "unlabel", "clear_labels", "runs",   "jobs",   "rate_limit",
    "cancel",     "artifacts", "artifact",   "delete_artifact", "archive"};
/// Of the runner protocol.
constexpr std::array<std::string_view, 5> runner_operations = {"session", "job", "alive", "done",
                                                               "end_session"};

/// What webhooks tell of: faults and counters name them.
constexpr std::array<std::string_view, 4> webhook_operations = {"webhook_queued", "webhook_in_progress",
                                                                "webhook_completed", "webhook_run"};
inline bool is_webhook(std::string_view name) {
  return std::find(webhook_operations.begin(), webhook_operations.end(), name) != webhook_operations.end();
}

/// Of the storage that holds archives.
constexpr const char* storage_operation = "storage";

inline bool is_rest_operation(std::string_view name) {
  return std::find(rest_operations.begin(), rest_operations.end(), name) != rest_operations.end();
}

inline bool is_operation(std::string_view name) {
  return is_rest_operation(name) || name == storage_operation || is_webhook(name) ||
         std::find(runner_operations.begin(), runner_operations.end(), name) != runner_operations.end();
}

} // namespace ci::github_simulator
