#pragma once
/// The actor that keeps pictures as files.

#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <string>

namespace ci {

/// Brings pictures into PNG and writes them into the data folder; deletes those of runners that are no more.
/// Keeps nothing between two messages.
///
/// Blocks (a picture takes some 30 ms): spawn it detached.
class Album : public Metered<album_actor::base> {
 public:
  /// \p data: the data folder.
  Album(caf::actor_config& config, MeterPtr meter, std::string data)
      : Metered(config, std::move(meter)), data_(std::move(data)) {}

  behavior_type make_behavior() override;

 private:
  domain::PictureOutcome keep(const std::string& path, const RawPicturePtr&) const;

  const std::string data_;
};

} // namespace ci
