#include "http/main_log.hpp"

#include "actors/edge/line_writer.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include <unistd.h>

namespace ci::http {

namespace {

std::string_view text_of(const spdlog::memory_buf_t& line) { return {line.data(), line.size()}; }

class StandardOutput final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void drain(std::chrono::milliseconds patience) {
    std::lock_guard lock(mutex_);
    writer_.drain(patience);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_.write(text_of(line));
  }
  void flush_() override { writer_.flush(); }

  std::string gap(std::uint64_t lost) {
    const auto text = "event=log_lines_lost count=" + std::to_string(lost);
    spdlog::memory_buf_t line;
    formatter_->format({"", spdlog::level::warn, text}, line);
    return std::string(text_of(line));
  }

  edge::LineWriter writer_{STDOUT_FILENO, [this](std::uint64_t lost) { return gap(lost); }};
};

} // namespace

void set_up_logging(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("ci-monitor", std::make_shared<StandardOutput>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  spdlog::set_level(spdlog::level::from_str(level));
}

void flush_log() { spdlog::default_logger_raw()->flush(); }

void drain_log() {
  constexpr std::chrono::milliseconds patience{500}; // of the 10 s that a stop may take
  for (auto& sink : spdlog::default_logger_raw()->sinks())
    if (auto* output = dynamic_cast<StandardOutput*>(sink.get()))
      output->drain(patience);
}

} // namespace ci::http
