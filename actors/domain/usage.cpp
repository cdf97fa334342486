#include "actors/domain/usage.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace ci::domain {
namespace {

constexpr std::string_view take_prefix = "take_";
/// A job's end that no runner was made after for so long was not to be followed by one.
constexpr Duration replaced_within = std::chrono::hours(1);

double seconds_of(Duration d) { return std::chrono::duration<double>(d).count(); }

/// Takes that were noted together.
int number_in(const std::string& detail) {
  int number = 1;
  std::from_chars(detail.data(), detail.data() + detail.size(), number);
  return number;
}

/// \p sorted is not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - static_cast<double>(below));
}

} // namespace

Spread spread_of(std::vector<double> seconds) {
  if (seconds.empty())
    return {};
  std::sort(seconds.begin(), seconds.end());
  return {seconds.size(), quantile(seconds, 0.5), quantile(seconds, 0.95)};
}

std::optional<double> Usage::utilisation() const {
  const double all = starting_seconds + idle_seconds + reserved_seconds + busy_seconds + ending_seconds;
  return all > 0 ? std::optional(busy_seconds / all) : std::nullopt;
}

std::optional<double> Usage::granted_share() const {
  int all = 0;
  for (auto& [outcome, n] : takes)
    all += n;
  const auto granted = takes.find("granted");
  if (all == 0)
    return std::nullopt;
  return granted == takes.end() ? 0.0 : static_cast<double>(granted->second) / all;
}

// --- events ---

void UsageTally::on(const HistoryEvent& event) {
  if (!history_since_)
    history_since_ = event.at;
  if (event.event.starts_with(take_prefix))
    on_take(event);
  else if (event.runner != 0)
    on_runner(event);
}

void UsageTally::on_take(const HistoryEvent& event) {
  const auto outcome = event.event.substr(take_prefix.size());
  const int number = outcome == "granted" ? 1 : number_in(event.detail);
  count(event.profile, event.at, [&](Account& a) { a.usage.takes[outcome] += number; });
}

void UsageTally::on_runner(const HistoryEvent& event) {
  const auto& what = event.event;
  if (what == "ordered")
    return begin(event);
  if (what == "gone")
    return forget(event.runner, event.at);
  auto& life = life_of(event);
  if (what == "online")
    come_online(life, event.at);
  else if (what == "reserved" && (life.stage == Stage::idle || life.stage == Stage::starting))
    enter(life, Stage::reserved, event.at);
  else if (what == "unreserved" && life.stage == Stage::reserved)
    enter(life, Stage::idle, event.at);
  else if (what == "busy")
    work(life, event.at);
  else if (what == "destroy_withdrawn") // GitHub had called it not busy while it worked
    enter(life, Stage::busy, event.at);
  else if ((what == "registration_ended" || what == "destroying") && life.stage != Stage::ending)
    end(life, event.at);
}

UsageTally::Life& UsageTally::life_of(const HistoryEvent& event) {
  auto [known, fresh] = lives_.try_emplace(event.runner);
  auto& life = known->second;
  if (fresh) {
    life.profile = event.profile;
    life.since = event.at;
    if (event.event.ends_with("_came_late"))
      life.stage = Stage::ending; // its end was counted
  }
  return life;
}

void UsageTally::begin(const HistoryEvent& event) {
  auto& life = lives_[event.runner];
  life = {};
  life.profile = event.profile;
  life.since = event.at;
  life.ordered = event.at;
  auto& ends = unreplaced_[event.profile];
  while (!ends.empty() && ends.front() + replaced_within < event.at)
    ends.pop_front();
  if (!ends.empty()) {
    life.replaces = ends.front();
    ends.pop_front();
  }
  count(event.profile, event.at, [](Account& a) { ++a.usage.runners_made; });
}

void UsageTally::come_online(Life& life, Time at) {
  life.online = true;
  if (life.stage == Stage::starting)
    enter(life, Stage::idle, at);
  count(life.profile, at, [](Account& a) { ++a.usage.runners_online; });
  if (life.ordered)
    sample(life.profile, &Account::create_to_online, *life.ordered, at);
  if (auto end = std::exchange(life.replaces, {}))
    sample(life.profile, &Account::end_to_replacement, *end, at);
}

void UsageTally::work(Life& life, Time at) {
  if (life.stage == Stage::reserved)
    sample(life.profile, &Account::reserved_to_busy, life.since, at);
  enter(life, Stage::busy, at);
  count(life.profile, at, [](Account& a) { ++a.usage.jobs; });
}

void UsageTally::end(Life& life, Time at) {
  if (life.stage == Stage::busy) {
    life.job_ended = at;
    unreplaced_[life.profile].push_back(at);
  }
  enter(life, Stage::ending, at);
}

void UsageTally::forget(RunnerId id, Time at) {
  auto found = lives_.extract(id);
  if (!found)
    return;
  auto& life = found.mapped();
  enter(life, Stage::ending, at);
  if (life.job_ended)
    sample(life.profile, &Account::end_to_removed, *life.job_ended, at);
  if (life.ordered && !life.online)
    count(life.profile, at, [](Account& a) { ++a.usage.runners_failed; });
  if (life.replaces) // the next one is made in its place
    unreplaced_[life.profile].push_front(*life.replaces);
}

// --- arithmetic ---

void UsageTally::enter(Life& life, Stage next, Time at) {
  if (const double seconds = seconds_within(life.since, at); seconds > 0)
    account(life.profile, [&](Account& a) { add_seconds(a, life.stage, seconds); });
  life.stage = next;
  life.since = at;
}

template <class F>
void UsageTally::account(const std::string& profile, F change) {
  change(accounts_[profile]);
  change(total_);
}

template <class F>
void UsageTally::count(const std::string& profile, Time at, F change) {
  if (within(at))
    account(profile, change);
}

/// The clock may have been set back between the two.
void UsageTally::sample(const std::string& profile, std::vector<double> Account::*list, Time from, Time to) {
  const double seconds = std::max(0.0, seconds_of(to - from));
  count(profile, to, [&](Account& a) { (a.*list).push_back(seconds); });
}

double UsageTally::seconds_within(Time from, Time to) const {
  return seconds_of(std::min(to, window_.until) - std::max(from, window_.since));
}

void UsageTally::add_seconds(Account& account, Stage stage, double seconds) {
  switch (stage) {
  case Stage::starting:
    account.usage.starting_seconds += seconds;
    break;
  case Stage::idle:
    account.usage.idle_seconds += seconds;
    break;
  case Stage::reserved:
    account.usage.reserved_seconds += seconds;
    break;
  case Stage::busy:
    account.usage.busy_seconds += seconds;
    break;
  case Stage::ending:
    account.usage.ending_seconds += seconds;
    break;
  }
}

Usage UsageTally::Account::complete() const {
  auto result = usage;
  result.create_to_online = spread_of(create_to_online);
  result.reserved_to_busy = spread_of(reserved_to_busy);
  result.end_to_removed = spread_of(end_to_removed);
  result.end_to_replacement = spread_of(end_to_replacement);
  return result;
}

UsageReport UsageTally::report() const {
  auto accounts = accounts_;
  auto total = total_;
  for (auto& [id, life] : lives_) // what goes on counts up to the window's end
    if (const double seconds = seconds_within(life.since, window_.until); seconds > 0)
      for (auto* account : {&accounts[life.profile], &total})
        add_seconds(*account, life.stage, seconds);
  UsageReport report;
  report.window = window_;
  report.history_since = history_since_;
  for (auto& [profile, account] : accounts)
    report.profiles[profile] = account.complete();
  report.total = total.complete();
  return report;
}

} // namespace ci::domain
