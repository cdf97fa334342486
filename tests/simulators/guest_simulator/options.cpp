#include "tests/simulators/guest_simulator/options.hpp"

#include <cstdlib>
#include <map>

namespace ci::guest_simulator {
namespace {

std::optional<Duration> seconds(const std::string& value) {
  char* end = nullptr;
  auto number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end || !(number >= 0 && number < 1e9))
    return std::nullopt;
  return std::chrono::round<Duration>(std::chrono::duration<double>(number));
}

bool yes_or_no(const std::string& value, bool& to) {
  to = value == "yes";
  return value == "yes" || value == "no";
}

std::map<std::string, simulators::Take> takers(Options& options) {
  using simulators::text;
  return {
      {"--connect", text(options.connect)},
      {"--monitor", text(options.monitor)},
      {"--github", text(options.github)},
      {"--prefix", text(options.prefix)},
      {"--rebuild-prefix", text(options.rebuild_prefix)},
      {"--behaviour", text(options.behaviour_file)},
      {"--pid-file", text(options.pid_file)},
      {"--shutdown", [&](auto& value) { return yes_or_no(value, options.shutdown); }},
      {"--job-seconds-override", [&](auto& value) { return bool(options.job_time = seconds(value)); }},
      {"--boot-delay",
       [&](auto& value) {
         auto delay = seconds(value);
         options.boot_delay = delay.value_or(Duration{0});
         return delay.has_value();
       }},
  };
}

std::string without_slash(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

} // namespace

std::string usage() {
  return "guest-simulator --connect URI --monitor URL [--github URL] [--prefix ci-runner] [--rebuild-prefix ci-rebuild] [--shutdown "
         "yes|no]\n"
         "                [--job-seconds-override N] [--boot-delay N] [--behaviour FILE] [--pid-file FILE]\n"
         "                [--log-level info] [--parent-death]\n";
}

std::variant<Options, std::string> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  if (auto wrong = simulators::read_options(arguments, takers(options), options); !wrong.empty())
    return wrong;
  if (!options.help && (options.connect.empty() || options.monitor.empty()))
    return std::string("--connect and --monitor are needed");
  options.monitor = without_slash(options.monitor);
  options.github = without_slash(options.github);
  return options;
}

} // namespace ci::guest_simulator
