#pragma once
/// What the actors log, as lines of a trace, and whether a secret, or a death, is among it.

#include "tests/simulation/simulation.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ci::test {

class TraceSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit TraceSink(std::vector<std::string>* trace) : trace_(trace) {}
  bool told_config() const { return told_config_; }
  bool told_death() const { return told_death_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    told_config_ |= tells_config(text);
    told_death_ |= text.starts_with("event=guest_actor_died");
    if (trace_ && message.level >= spdlog::level::info)
      trace_->push_back("    " + std::string(text));
  }
  void flush_() override {}
  std::vector<std::string>* trace_;
  bool told_config_ = false, told_death_ = false;
};

/// While it lives the log goes into the trace, if given, and nowhere else.
class TraceLog {
 public:
  explicit TraceLog(std::vector<std::string>* trace)
      : before_(spdlog::default_logger()), sink_(std::make_shared<TraceSink>(trace)) {
    auto logger = std::make_shared<spdlog::logger>("trace", sink_);
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
  }
  ~TraceLog() { spdlog::set_default_logger(before_); }
  TraceLog(const TraceLog&) = delete;
  TraceLog& operator=(const TraceLog&) = delete;

  /// Whether a JIT config was logged, at any level that the service has.
  bool told_config() const { return sink_->told_config(); }
  /// Whether the hypervisor logged that a guest's actor died.
  bool told_death() const { return sink_->told_death(); }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::shared_ptr<TraceSink> sink_;
};

} // namespace ci::test
