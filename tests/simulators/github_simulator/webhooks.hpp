#pragma once
/// Webhooks: what is sent when something has happened.

#include "tests/simulators/github_simulator/model.hpp"

namespace ci::github_simulator {

/// One webhook on its way.
struct Webhook {
  std::string operation; ///< of the happening
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration delay{0};
};

/// Signed with the secret of the settings, under a new id.
Webhook make_webhook(const Happening&, const Model&);

} // namespace ci::github_simulator
