#include "actors/historian.hpp"

#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

namespace ci {

Historian::behavior_type Historian::make_behavior() {
  set_exception_handler(log_exception(spdlog::level::err, "historian_exception"));
  return {
      [this](recall_atom, const domain::HistoryQuery& query, const RecalledTo& to) { to(recall(query)); },
      [this](tally_atom, const domain::UsageWindow& window, const TalliedTo& to) { to(tally(window)); },
  };
}

edge::HistoryReader& Historian::reader() {
  if (!reader_)
    reader_ = std::make_unique<edge::HistoryReader>(data_);
  return *reader_;
}

std::string Historian::fail(const std::exception& error) {
  spdlog::warn("event=history_unreadable error=\"{}\"", error.what());
  reader_.reset();
  return error.what();
}

HistoryReply Historian::recall(const domain::HistoryQuery& query) {
  try {
    return {reader().page(query), {}};
  } catch (const std::exception& error) {
    return {{}, fail(error)};
  }
}

UsageReply Historian::tally(const domain::UsageWindow& window) {
  try {
    domain::UsageTally tally(window);
    std::int64_t last = 0;
    for (auto lines = reader().after(last); !lines.empty(); lines = reader().after(last)) {
      for (const auto& line : lines)
        tally.on(line.event);
      last = lines.back().number;
    }
    return {tally.report(), {}};
  } catch (const std::exception& error) {
    return {{}, fail(error)};
  }
}

} // namespace ci
