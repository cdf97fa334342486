#include "tests/simulators/guest_simulator/blob.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <algorithm>

namespace ci::guest_simulator {
namespace {

using Json = nlohmann::json;

/// Empty where it is no base64.
std::string from_base64(const std::string& text) {
  std::string result(text.size() / 4 * 3 + 3, '\0');
  auto size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  auto padding = std::count(text.end() - std::min<std::ptrdiff_t>(2, std::ssize(text)), text.end(), '=');
  result.resize(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, size - padding)));
  return result;
}

} // namespace

std::optional<JitConfig> read_jit_config(std::string_view body) {
  try {
    auto files = Json::parse(from_base64(Json::parse(body).get<std::string>()));
    auto runner = Json::parse(from_base64(files.at(".runner").get<std::string>()));
    auto credentials = Json::parse(from_base64(files.at(".credentials").get<std::string>()));
    JitConfig config;
    config.agent_id = runner.at("agentId");
    config.agent_name = runner.value("agentName", "");
    config.server_url = runner.value("serverUrl", "");
    config.token = credentials.value("token", "");
    while (config.server_url.ends_with('/'))
      config.server_url.pop_back();
    return config;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

} // namespace ci::guest_simulator
