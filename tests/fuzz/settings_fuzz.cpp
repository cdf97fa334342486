/// monitor.toml: accepted or complained of, never both, never neither.

#include "config/load.hpp"
#include "tests/fuzz/promise.hpp"

using namespace ci::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Sources sources;
  sources.toml_text.assign(reinterpret_cast<const char*>(data), size);
  sources.environment = {{"GITHUB_TOKEN", "a-token-of-github"},
                         {"SERVO_CI_MONITOR_API_TOKEN", "a-token-of-clients"}};
  const bool names_it = sources.toml_text.find("a-token-of") != std::string::npos; // as a key, say
  auto result = load(sources);
  if (result.loaded)
    reached("settings");
  else
    reached("complaints");
  promise(result.loaded.has_value() == result.complaints.empty(), "settings, or complaints");
  for (auto* list : {&result.complaints, &result.warnings})
    for (auto& complaint : *list)
      promise(names_it || to_string(complaint).find("a-token-of") == std::string::npos,
              "no complaint holds a secret");
  return 0;
}
