#pragma once
/// What both simulators' command lines and main functions have in common.

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>
#include <variant>
#include <vector>

namespace ci::simulators {

/// Options that every simulator has.
struct CommonOptions {
  std::string log_level = "info";
  bool parent_death = false; ///< end when the parent process does
  bool help = false;
};

/// Takes an option's value; false where it is none for that option.
using Take = std::function<bool(const std::string& value)>;

/// Takes any text but an empty one.
inline Take text(std::string& to) {
  return [&to](const std::string& value) { return !(to = value).empty(); };
}

/// Reads `--name value` pairs of `known` options, and the common ones. Returns what is wrong; empty: nothing.
inline std::string read_options(const std::vector<std::string>& arguments, std::map<std::string, Take> known,
                                CommonOptions& common) {
  known["--log-level"] = text(common.log_level);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    auto& name = arguments[i];
    if (name == "--help")
      common.help = true;
    else if (name == "--parent-death")
      common.parent_death = true;
    else if (!known.count(name))
      return "unknown option " + name;
    else if (i + 1 == arguments.size() || !known[name](arguments[++i]))
      return "wrong value for " + name;
  }
  return {};
}

constexpr int usage_error = 2;

/// Prints what is wrong with the command line, and gives main's result.
inline int refuse(const char* program, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program, why.c_str());
  return usage_error;
}

/// False where the parent is gone already.
inline bool end_with_parent() {
  const auto parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == parent;
}

/// A simulator's main(): reads the options, sets up the log, and runs. `parse` gives options or what is wrong
/// with them, `run` main's result.
template <class Options, class Run>
int main_of(const char* program, const std::variant<Options, std::string>& parsed, const std::string& usage,
            Run run) {
  std::signal(SIGPIPE, SIG_IGN);
  if (const auto* wrong = std::get_if<std::string>(&parsed))
    return refuse(program, *wrong + "\n" + usage);
  const auto& options = std::get<Options>(parsed);
  if (options.help) {
    std::fputs(usage.c_str(), stdout);
    return 0;
  }
  if (options.parent_death && !end_with_parent())
    return 0;
  spdlog::set_default_logger(spdlog::stderr_logger_mt(program));
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  try {
    return run(options);
  } catch (const std::exception& e) {
    spdlog::error("{}", e.what());
    return 1;
  }
}

} // namespace ci::simulators
