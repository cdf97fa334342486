#include "http/render_cards.hpp"

#include "http/html.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace ci::http {

namespace {

using domain::Status;

/// Since when and why images of the profile fail.
std::string image_trouble(const domain::ImageView& image) {
  if (image.trouble.empty() || !image.trouble_since)
    return "";
  return "<p class=\"why\">" + std::to_string(image.failures) + " image build(s) failed, the first " +
         time_element(*image.trouble_since, TimeKind::age) + " ago: " + escape_html(image.trouble) + "</p>";
}

/// What image serves the profile and which one will, and what its runners lack or have too many of.
std::string card_foot(const domain::ProfileCounts& counts) {
  std::string text = counts.image_made_at
                         ? "Image " + time_element(*counts.image_made_at, TimeKind::age) + " old"
                         : "No image of its own";
  if (counts.image.state == "building" || counts.image.state == "sealing" || counts.image.state == "trial")
    text += " · a new one is " + std::string(counts.image.state == "trial" ? "on trial" : "being built");
  else if (!counts.image.due.empty())
    text += " · a new one is due (" + escape_html(counts.image.due) + "), waits for " +
            escape_html(counts.image.waits_for);
  if (counts.wanted > 0)
    text += " · " + std::to_string(counts.wanted) + " more wanted";
  if (counts.excess_healthy > 0)
    text += " · " + std::to_string(counts.excess_healthy) + " too many";
  return text;
}

std::string profile_card(const std::string& key, const domain::ProfileCounts& counts) {
  const std::pair<Status, int> shares[] = {{Status::Busy, counts.busy},
                                           {Status::Reserved, counts.reserved},
                                           {Status::Idle, counts.idle},
                                           {Status::StartedOrCrashed, counts.started_or_crashed},
                                           {Status::DoneOrUnregistered, counts.done_or_unregistered},
                                           {Status::Invalid, counts.invalid}};
  std::vector<BarPart> parts;
  std::string legend;
  double total = 0;
  for (const auto& [status, count] : shares) {
    parts.push_back({domain::to_string(status), static_cast<double>(count)});
    total += count;
    legend += std::string("<li") + (count ? "" : " class=\"none\"") + "><span class=\"dot " +
              domain::to_string(status) + "\"></span>" + word_of(status) + " <strong>" +
              std::to_string(count) + "</strong></li>";
  }
  return "<article class=\"card\"><div class=\"top\"><h3>" + escape_html(key) +
         "</h3>" + (counts.paused ? chip("warn", "Paused") : "") +
         "<span class=\"big\" title=\"healthy, of those there should be\">" +
         std::to_string(counts.healthy) + " <small>of " + std::to_string(counts.target) +
         "</small></span></div>" + bar(parts, std::max(total, static_cast<double>(counts.target))) +
         "<ul class=\"legend\">" + legend + "</ul>" +
         (counts.trouble.empty() ? "" : "<p class=\"why\">" + escape_html(counts.trouble) + "</p>") +
         image_trouble(counts.image) +
         "<div class=\"foot soft\">" + card_foot(counts) + "</div></article>\n";
}

std::string budget_card(const char* name, double held, double available, const std::string& held_text,
                        const std::string& available_text) {
  const bool full = held >= available;
  return std::string("<article class=\"card\"><div class=\"top\"><h3>") + name + "</h3><span class=\"big\">" +
         held_text + " <small>of " + available_text + "</small></span></div>" +
         bar({{full ? "full" : "held", held}}, available) + "</article>\n";
}

} // namespace

std::string host_section(const domain::Snapshot& snapshot) {
  const auto& [budget, held] = std::tie(snapshot.budget, snapshot.held);
  std::string cards;
  if (budget.hugepages_1g > 0 || held.hugepages_1g > 0)
    cards += budget_card("1 GiB pages", static_cast<double>(held.hugepages_1g),
                         static_cast<double>(budget.hugepages_1g), std::to_string(held.hugepages_1g),
                         std::to_string(budget.hugepages_1g));
  if (budget.memory_bytes > 0 || held.memory_bytes > 0)
    cards += budget_card("Memory", static_cast<double>(held.memory_bytes),
                         static_cast<double>(budget.memory_bytes), readable_size(held.memory_bytes),
                         readable_size(budget.memory_bytes));
  return cards.empty() ? cards : "<h2>Host</h2>\n<div class=\"cards\">" + cards + "</div>\n";
}

std::string profile_section(const domain::Snapshot& snapshot) {
  std::string cards;
  for (const auto& [key, counts] : snapshot.profiles)
    cards += profile_card(key, counts);
  if (cards.empty())
    return "<h2>Profiles</h2>\n<div class=\"scroll\"><div class=\"empty\">No profile is "
           "configured.</div></div>\n";
  return "<h2>Profiles</h2>\n<div class=\"cards\">" + cards + "</div>\n";
}

} // namespace ci::http
