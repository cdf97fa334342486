#pragma once
/// Error documents (RFC 9457), and the one place where a refusal becomes an HTTP status.

#include "actors/domain/answers.hpp"
#include "http/response.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ci::http {

struct ParameterError {
  std::string parameter;
  std::string reason;
};

/// Everything an error document says. `detail` is one sentence that a person can act on; it holds no secret.
struct Problem {
  int status = 500;
  std::string detail;
  /// Empty: "about:blank", whose title is the status's phrase.
  std::string type;
  std::string title;
  std::vector<ParameterError> errors;
  std::optional<int> retry_after_seconds;
  Headers headers;
  /// Close the connection afterwards.
  bool close = false;
};

/// \p instance: the path that was asked for, without the query.
Response make_response(const Problem&, const std::string& instance);

Problem not_found();
/// 400, with each wrong parameter.
Problem bad_parameters(std::vector<ParameterError>);
/// 503 that says when to come again.
Problem unavailable(std::string detail, int retry_after_seconds = 1);
/// 503: the first crank is not over.
Problem not_ready();

/// Not for Refusal::none.
int status_of(domain::Refusal);
Problem problem_of(const domain::Verdict&);

} // namespace ci::http
