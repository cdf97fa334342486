#include "tests/simulators/guest_simulator/behaviour.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <fstream>
#include <iterator>

namespace ci::guest_simulator {
namespace {

using Json = nlohmann::json;

Behaviour behaviour_from(const Json& json, Behaviour otherwise) {
  otherwise.hang_at = json.value("hang_at", otherwise.hang_at);
  otherwise.crash = json.value("crash", otherwise.crash);
  otherwise.no_shutdown = json.value("no_shutdown", otherwise.no_shutdown);
  return otherwise;
}

} // namespace

Behaviour Behaviours::of(const std::string& guest) {
  read_again();
  auto found = by_name_.find(guest);
  if (found == by_name_.end()) // nobody knows the snapshot in a rebuild guest's name beforehand
    found = by_name_.find(guest.substr(0, guest.rfind('@')));
  return found == by_name_.end() ? default_ : found->second;
}

void Behaviours::read_again() {
  // The whole text is compared: two writes may fall into one tick of the modification time.
  std::ifstream in(file_);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (text == text_)
    return;
  text_ = text;
  try {
    auto json = Json::parse(text);
    auto by_default = behaviour_from(json.value("default", Json::object()), {});
    std::map<std::string, Behaviour> by_name;
    for (auto& [name, entry] : json.items())
      if (name != "default")
        by_name[name] = behaviour_from(entry, by_default);
    default_ = by_default;
    by_name_ = std::move(by_name);
  } catch (const Json::exception& error) {
    spdlog::warn("{}: {}", file_.string(), error.what());
  }
}

} // namespace ci::guest_simulator
