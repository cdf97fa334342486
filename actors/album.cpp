#include "actors/album.hpp"

#include "actors/edge/picture.hpp"
#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

namespace ci {

Album::behavior_type Album::make_behavior() {
  set_exception_handler(log_exception(spdlog::level::err, "album_exception"));
  return {
      [this](keep_atom, const std::string& path, const RawPicturePtr& picture) {
        return keep(path, picture);
      },
      [this](forget_atom, const std::set<domain::RunnerId>& kept) {
        if (const auto trouble = edge::forget_pictures(data_, kept); !trouble.empty())
          spdlog::warn("event=pictures_not_deleted error=\"{}\"", trouble);
      },
  };
}

domain::PictureOutcome Album::keep(const std::string& path, const RawPicturePtr& picture) const {
  const auto png = edge::to_png(*picture);
  auto trouble = png ? edge::write_picture(data_ + '/' + path, png.png) : png.error;
  const auto state = trouble.empty() ? domain::PictureState::taken : domain::PictureState::failed;
  return {state, std::move(trouble)};
}

} // namespace ci
