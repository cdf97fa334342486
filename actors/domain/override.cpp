#include "actors/domain/override.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace ci::domain {
namespace {

int asked_of(const ProfileNumbers& asked, const std::string& key) {
  auto it = asked.find(key);
  return it == asked.end() ? 0 : it->second;
}

void write_numbers(std::ostream& out, const char* fact, const ProfileNumbers& numbers) {
  for (auto& [key, number] : numbers)
    out << fact << ' ' << number << ' ' << key << '\n';
}

} // namespace

OverrideDecision decide_override(const ProfileNumbers& asked, const OverrideGround& ground) {
  OverrideDecision decision;
  for (auto& [key, count] : asked) {
    auto at = std::find_if(ground.profiles.begin(), ground.profiles.end(),
                           [&key = key](auto& p) { return p.key == key; });
    if (at == ground.profiles.end()) {
      decision.refusal = OverrideRefusal::unknown_profile;
      decision.unknown = key;
      return decision;
    }
  }
  std::vector<FitProfile> scenario;
  std::set<std::string> paused; // of the asked ones
  bool any_extra = false;
  for (auto& p : ground.profiles) {
    int others = p.critical - p.delivered;
    int wanted = p.paused ? 0 : asked_of(asked, p.key);
    if (p.paused && asked_of(asked, p.key) > 0) {
      paused.insert(p.key);
      decision.paused = p.key;
    }
    FitProfile fitting;
    fitting.key = p.key;
    fitting.critical = p.critical;
    fitting.requested = wanted > 0;
    fitting.extra = std::max(0, wanted - std::max(0, p.target - others));
    fitting.count = std::max(std::max(p.target, others) + fitting.extra, p.critical);
    fitting.each = p.each;
    if (asked.count(p.key))
      decision.extra[p.key] = fitting.extra;
    any_extra |= fitting.extra > 0;
    scenario.push_back(std::move(fitting));
  }
  if (!any_extra) {
    decision.refusal = OverrideRefusal::nothing_extra;
    return decision;
  }
  auto fitted = fit(std::move(scenario), ground.budget);
  bool any_left = false;
  for (auto& [key, count] : asked) {
    auto left = fitted.granted.find(key);
    int extra_left = left == fitted.granted.end() ? 0 : left->second;
    any_left |= extra_left > 0;
    decision.granted[key] = paused.count(key) ? 0 : count - (decision.extra[key] - extra_left);
  }
  decision.targets = std::move(fitted.scenario);
  if (!any_left || !fitted.fits)
    decision.refusal = OverrideRefusal::nothing_fits;
  return decision;
}

bool Override::has_delivered(const std::string& profile, RunnerId id) const {
  auto it = delivered.find(profile);
  return it != delivered.end() && std::find(it->second.begin(), it->second.end(), id) != it->second.end();
}

bool Override::deliver(const std::string& profile, RunnerId id) {
  auto it = granted.find(profile);
  if (it == granted.end() || has_delivered(profile, id))
    return false;
  auto delivered_of = delivered.find(profile);
  auto so_far = delivered_of == delivered.end() ? 0 : static_cast<int>(delivered_of->second.size());
  if (so_far >= it->second)
    return false;
  delivered[profile].push_back(id);
  return true;
}

bool Override::complete() const {
  return std::all_of(granted.begin(), granted.end(), [this](auto& entry) {
    auto it = delivered.find(entry.first);
    return entry.second <= (it == delivered.end() ? 0 : static_cast<int>(it->second.size()));
  });
}

std::string settings_mark(const Policy& policy) {
  std::ostringstream out;
  out << policy.budget.hugepages_1g << '/' << policy.budget.memory_bytes;
  for (auto& [key, profile] : policy.profiles)
    out << ' ' << key << '=' << profile.target_count << '*' << profile.requires_.hugepages_1g << '/'
        << profile.requires_.memory_bytes;
  return out.str();
}

std::string to_note(const Override& o) {
  std::ostringstream out;
  out << "created_at " << o.created_at.time_since_epoch().count() << '\n';
  out << "settings " << o.settings << '\n';
  write_numbers(out, "asked", o.asked);
  write_numbers(out, "granted", o.granted);
  write_numbers(out, "target", o.targets);
  for (auto& [key, ids] : o.delivered)
    for (auto id : ids)
      out << "delivered " << id << ' ' << key << '\n';
  return out.str();
}

std::optional<Override> parse_override(std::string_view note) {
  Override result;
  std::istringstream lines{std::string(note)};
  bool dated = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string fact, key;
    words >> fact;
    if (fact == "settings") {
      std::getline(words >> std::ws, result.settings);
      continue;
    }
    std::int64_t number = 0;
    if (!(words >> number))
      return std::nullopt;
    if (fact == "created_at") {
      result.created_at = Time(Duration(number));
      dated = true;
      continue;
    }
    if (!std::getline(words >> std::ws, key))
      return std::nullopt;
    if (fact == "delivered")
      result.delivered[key].push_back(number);
    else if (auto* numbers = fact == "asked"     ? &result.asked
                             : fact == "granted" ? &result.granted
                             : fact == "target"  ? &result.targets
                                                 : nullptr)
      (*numbers)[key] = static_cast<int>(number);
    else
      return std::nullopt;
  }
  if (!dated || result.granted.empty())
    return std::nullopt;
  return result;
}

} // namespace ci::domain
