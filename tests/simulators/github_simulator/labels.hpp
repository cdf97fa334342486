#pragma once
/// Labels of runners: which a runner has, and whether they satisfy a job.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ci::github_simulator {

struct Label {
  std::int64_t id = 0;
  std::string name;
  /// Given at registration and named like those the runner program adds by itself: cannot be taken away.
  bool read_only = false;
};
using Labels = std::vector<Label>;
using LabelNames = std::vector<std::string>;

/// Gives each name one identifier for ever, whatever its case.
class LabelBook {
 public:
  std::int64_t id_of(const std::string& name);
  const std::map<std::string, std::int64_t>& all() const { return ids_; }
  void restore(std::map<std::string, std::int64_t> ids) { ids_ = std::move(ids); }

 private:
  std::map<std::string, std::int64_t> ids_; ///< by the name in lower case
};

/// `self-hosted`, and the names of operating systems and architectures.
bool is_standard_label(std::string_view name);
bool same_label(std::string_view one, std::string_view other);
const Label* find_label(const Labels&, std::string_view name);
/// Whether every wanted name is there.
bool covers(const Labels&, const LabelNames& wanted);

/// Adds the names which are not there yet; the first spelling stays.
void add_labels(Labels&, const LabelNames&, LabelBook&, bool at_registration);
/// Leaves the read-only ones.
void clear_custom_labels(Labels&);
void remove_label(Labels&, std::string_view name);

} // namespace ci::github_simulator
