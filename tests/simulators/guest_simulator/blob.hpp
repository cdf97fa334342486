#pragma once
/// What a JIT config says.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ci::guest_simulator {

struct JitConfig {
  std::int64_t agent_id = 0;
  std::string agent_name;
  std::string server_url; ///< without a slash at its end
  std::string token;      ///< a secret
};

/// From the body of /github-jitconfig: a JSON string of base64.
std::optional<JitConfig> read_jit_config(std::string_view body);

} // namespace ci::guest_simulator
