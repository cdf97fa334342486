#include "actors/files.hpp"

#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

namespace ci {

Files::behavior_type Files::make_behavior() {
  set_exception_handler(log_exception(spdlog::level::err, "files_exception"));
  return {
      [this](open_atom, domain::ServedFolder tree, const std::string& path, const OpenedTo& to) {
        to(open(tree, path));
      },
      [](read_atom, const OpenFilePtr& file, std::int64_t offset, std::uint64_t size, const ReadTo& to) {
        to(file->read(offset, size));
      },
  };
}

FileReply Files::open(domain::ServedFolder tree, const std::string& path) const {
  const auto known = trees_->trees.find(tree);
  auto file = known == trees_->trees.end() ? nullptr : known->second.open(path);
  if (!file)
    return {};
  auto version = file->version();
  return {std::move(file), std::move(version)};
}

} // namespace ci
