#pragma once
/// What GitHub's answers mean: status, headers and JSON to the values of domain/github.hpp. Pure; any thread.
/// Nothing throws; what is not as GitHub's API describes it is `malformed`.

#include "actors/domain/github.hpp"
#include "actors/edge/github_http.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ci::edge {

/// One page of a listing.
struct RunnerPage {
  std::int64_t total_count = 0;
  std::vector<domain::Registration> runners;
  /// Target of `rel="next"` as it came; empty on the last page.
  std::string next;
};

/// Why this is not the success that only `expected` says; of kind `none` where it is.
domain::GithubError read_error(const HttpAnswer& answer, int expected);

domain::GithubReply<RunnerPage> read_page(const HttpAnswer& answer);
/// A registration that is not the one that was asked for is malformed.
domain::GithubReply<domain::Registration> read_runner(const HttpAnswer& answer, domain::RegistrationId asked);
domain::GithubReply<domain::JitRegistration> read_jit(const HttpAnswer& answer, const std::string& name);
domain::GithubReply<std::vector<std::string>> read_labels(const HttpAnswer& answer);
/// 204 alone: a proxy's cheerful 200 removed nothing.
domain::GithubReply<domain::Done> read_deleted(const HttpAnswer& answer);

/// One line of at most 200 bytes without `secret`, control characters, or a cut UTF-8 sequence at its end.
std::string clean_message(std::string_view text, std::string_view secret);

/// A malformed answer, in the words of `what`.
domain::GithubError malformed(const HttpAnswer& answer, std::string what);

} // namespace ci::edge
