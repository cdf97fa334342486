#include "tests/simulators/github_simulator/labels.hpp"

#include "tests/simulators/github_simulator/text.hpp"

#include <algorithm>
#include <array>

namespace ci::github_simulator {

namespace {

constexpr std::int64_t first_label_id = 8100;
constexpr std::array<std::string_view, 7> standard_labels = {"self-hosted", "linux", "windows", "macos",
                                                             "x64",         "arm",   "arm64"};

} // namespace

std::int64_t LabelBook::id_of(const std::string& name) {
  const auto next = first_label_id + std::ssize(ids_);
  return ids_.emplace(lower(name), next).first->second;
}

bool is_standard_label(std::string_view name) {
  return std::find(standard_labels.begin(), standard_labels.end(), lower(name)) != standard_labels.end();
}

bool same_label(std::string_view one, std::string_view other) {
  return one.size() == other.size() && lower(one) == lower(other);
}

const Label* find_label(const Labels& labels, std::string_view name) {
  const auto it = std::find_if(labels.begin(), labels.end(),
                               [&](const Label& label) { return same_label(label.name, name); });
  return it == labels.end() ? nullptr : &*it;
}

bool covers(const Labels& labels, const LabelNames& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& name) { return find_label(labels, name); });
}

void add_labels(Labels& labels, const LabelNames& names, LabelBook& book, bool at_registration) {
  for (const auto& name : names)
    if (!find_label(labels, name))
      labels.push_back({book.id_of(name), name, at_registration && is_standard_label(name)});
}

void clear_custom_labels(Labels& labels) {
  std::erase_if(labels, [](const Label& label) { return !label.read_only; });
}

void remove_label(Labels& labels, std::string_view name) {
  std::erase_if(labels, [&](const Label& label) { return same_label(label.name, name); });
}

} // namespace ci::github_simulator
