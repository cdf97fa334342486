#pragma once
/// The actor that reads the history for those who ask.

#include "actors/edge/history.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <filesystem>
#include <memory>

namespace ci {

/// Reads a page, or tallies the whole history page by page, one thing at a time. Neither the monitor nor the
/// journal hears of it. Opens the store at the first message, and anew after a failure.
///
/// Blocks for the disk: spawn it detached.
class Historian : public Metered<historian_actor::base> {
 public:
  /// \p data: the data folder; its store is open.
  Historian(caf::actor_config& config, MeterPtr meter, std::filesystem::path data)
      : Metered(config, std::move(meter)), data_(std::move(data)) {}

  behavior_type make_behavior() override;
  void on_exit() override { reader_.reset(); }

 private:
  HistoryReply recall(const domain::HistoryQuery&);
  UsageReply tally(const domain::UsageWindow&);
  edge::HistoryReader& reader();
  std::string fail(const std::exception&);

  const std::filesystem::path data_;
  std::unique_ptr<edge::HistoryReader> reader_;
};

} // namespace ci
