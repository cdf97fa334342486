#include "actors/album.hpp"

#include "actors/edge/picture.hpp"

#include <spdlog/spdlog.h>

namespace ci {

Album::behavior_type Album::make_behavior() {
  set_exception_handler([](std::exception_ptr& failure) -> caf::error {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("event=album_exception what=\"{}\"", error.what());
    } catch (...) {
      spdlog::error("event=album_exception what=unknown");
    }
    return caf::none;
  });
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
