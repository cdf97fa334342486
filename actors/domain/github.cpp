#include "actors/domain/github.hpp"

namespace ci::domain {

const char* to_string(GithubError::Kind kind) {
  switch (kind) {
  case GithubError::Kind::none:
    return "none";
  case GithubError::Kind::not_found:
    return "not_found";
  case GithubError::Kind::conflict:
    return "conflict";
  case GithubError::Kind::unprocessable:
    return "unprocessable";
  case GithubError::Kind::unauthorized:
    return "unauthorized";
  case GithubError::Kind::limited:
    return "limited";
  case GithubError::Kind::server:
    return "server";
  case GithubError::Kind::unreachable:
    return "unreachable";
  case GithubError::Kind::malformed:
    return "malformed";
  case GithubError::Kind::refused:
    return "refused";
  }
  return "unknown";
}

std::string GithubError::text() const { return std::string(to_string(kind)) + ": " + message; }

} // namespace ci::domain
