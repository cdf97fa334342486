#pragma once
/// What the actors log, as lines of a trace.

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <vector>

namespace ci::test {

class TraceSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit TraceSink(std::vector<std::string>& trace) : trace_(trace) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    trace_.push_back("    " + std::string(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}
  std::vector<std::string>& trace_;
};

/// While it lives the log goes into the trace, or nowhere.
class TraceLog {
 public:
  explicit TraceLog(std::vector<std::string>* trace) : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("trace");
    if (trace)
      logger->sinks().push_back(std::make_shared<TraceSink>(*trace));
    logger->set_level(trace ? spdlog::level::info : spdlog::level::off);
    spdlog::set_default_logger(std::move(logger));
  }
  ~TraceLog() { spdlog::set_default_logger(before_); }
  TraceLog(const TraceLog&) = delete;
  TraceLog& operator=(const TraceLog&) = delete;

 private:
  std::shared_ptr<spdlog::logger> before_;
};

} // namespace ci::test
