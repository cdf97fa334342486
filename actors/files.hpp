#pragma once
/// The actor that reads files for those who serve them.

#include "actors/edge/file_tree.hpp"
#include "actors/messages.hpp"
#include "actors/metered.hpp"

#include <map>
#include <memory>
#include <string>

namespace ci {

/// The folders that are served; shared by all such actors.
struct FileTrees {
  std::map<domain::ServedFolder, edge::FileTree> trees;
};

/// Opens and reads, one thing at a time: a disk that hangs holds up those who asked this one, and nobody
/// else. Keeps nothing between two messages.
///
/// Blocks: spawn it detached.
class Files : public Metered<files_actor::base> {
 public:
  Files(caf::actor_config& config, MeterPtr meter, std::shared_ptr<const FileTrees> trees)
      : Metered(config, std::move(meter)), trees_(std::move(trees)) {}

  behavior_type make_behavior() override;

 private:
  FileReply open(domain::ServedFolder tree, const std::string& path) const;

  const std::shared_ptr<const FileTrees> trees_;
};

} // namespace ci
