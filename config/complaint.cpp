#include "config/complaint.hpp"

namespace ci::config {

std::string to_string(const Complaint& complaint) {
  std::string text = complaint.file;
  if (complaint.line > 0)
    text += ':' + std::to_string(complaint.line);
  if (!complaint.key.empty())
    text += (text.empty() ? "" : ": ") + complaint.key;
  return text + (text.empty() ? "" : ": ") + complaint.expected;
}

std::string to_string(const std::vector<Complaint>& complaints) {
  std::string text;
  for (const auto& complaint : complaints)
    text += to_string(complaint) + '\n';
  return text;
}

} // namespace ci::config
