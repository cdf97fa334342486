#include "actors/journal.hpp"

#include "actors/edge/inheritance.hpp"
#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace ci {
namespace {

/// Batches that may share a transaction: bounds how long the first of them waits.
constexpr std::size_t max_group = 64;
constexpr domain::Duration first_retry{100}, longest_retry{5'000};
/// How long a deleted secret may stay in the store's log.
constexpr domain::Duration tidy_pause{10'000};

} // namespace

Journal::Journal(caf::actor_config& config, MeterPtr meter, std::shared_ptr<edge::Store> store,
                 metrics_actor metrics, std::function<domain::Inheritance()> inherit)
    : Metered(config, std::move(meter)), store_(std::move(store)), metrics_(std::move(metrics)),
      inherit_(std::move(inherit)), group_limit_(max_group), pause_(first_retry) {
  set_exception_handler(log_exception(spdlog::level::critical, "journal_exception"));
}

Journal::behavior_type Journal::make_behavior() {
  return {
      [this](load_atom) { return load(); },
      [this](commit_atom, domain::StoreBatch& batch) { return commit(batch); },
      [this](watch_atom, const monitor_actor& watcher) { watch(watcher); },
      [this](flush_atom) { flush(); },
      [this](tidy_atom) { tidy(); },
      [this](forget_atom, const domain::InheritedFiles& files) { return forget(files); },
      [this](link_atom, const std::string& profile, const std::string& snapshot) {
        return link(profile, snapshot);
      },
  };
}

void Journal::on_exit() {
  try {
    if (!queue_.empty())
      write(queue_.size());
  } catch (const std::exception& error) {
    spdlog::error("event=store_lost error=\"{}\" batches={}", error.what(), queue_.size());
  }
  for (auto& waiting : queue_)
    waiting.answer.deliver(caf::make_error(caf::exit_reason::user_shutdown));
  queue_.clear();
  store_.reset();
  metrics_ = metrics_actor{};
  watcher_ = monitor_actor{};
}

caf::result<domain::StoreImage> Journal::load() {
  // What an earlier monitor ordered comes before what the next one begins with: else it would count behind its back.
  try {
    while (!queue_.empty())
      write(std::min(queue_.size(), max_group));
  } catch (const std::exception& error) {
    return caf::make_error(caf::sec::runtime_error, std::string(error.what())); // flush() goes on trying, and says so
  }
  try {
    auto image = store_->load();
    if (inherit_)
      image.inherited = inherit_();
    plan_tidying();
    return image;
  } catch (const std::exception& error) {
    spdlog::critical("event=store_unreadable error=\"{}\"", error.what());
    return caf::make_error(caf::sec::runtime_error, std::string(error.what()));
  }
}

caf::result<caf::unit_t> Journal::commit(domain::StoreBatch& batch) {
  auto answer = make_response_promise<caf::unit_t>();
  queue_.push_back({std::move(batch), answer});
  if (!std::exchange(flush_sent_, true))
    send(this, flush_atom::value);
  return answer;
}

void Journal::watch(monitor_actor watcher) {
  watcher_ = std::move(watcher);
  if (!health_.well)
    send(watcher_, store_atom::value, health_);
}

void Journal::flush() {
  flush_sent_ = false;
  try {
    write(std::min(queue_.size(), group_limit_));
  } catch (const std::exception& error) {
    retry_later(error.what());
    return;
  }
  group_limit_ = max_group;
  pause_ = first_retry;
  set_health({});
  plan_tidying();
  if (!queue_.empty() && !std::exchange(flush_sent_, true))
    send(this, flush_atom::value);
}

void Journal::write(std::size_t count) {
  if (count == 0)
    return; // load() wrote them
  std::vector<const domain::StoreBatch*> group;
  for (std::size_t i = 0; i < count; ++i)
    group.push_back(&queue_[i].batch);
  auto begin = std::chrono::steady_clock::now();
  store_->apply_all(group);
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (; count > 0; --count) {
    answer_unit(queue_.front().answer);
    queue_.pop_front();
  }
  send(metrics_, time_atom::value, std::string("ci_monitor_commit_seconds"), MetricLabels{}, seconds);
}

void Journal::retry_later(const std::string& why) {
  set_health({false, why});
  group_limit_ = 1;
  flush_sent_ = true;
  delayed_send(this, pause_, flush_atom::value);
  pause_ = std::min(pause_ * 2, longest_retry);
}

void Journal::set_health(StoreHealth health) {
  if (health.well == health_.well && health.trouble == health_.trouble)
    return;
  health_ = std::move(health);
  if (health_.well)
    spdlog::warn("event=store_well");
  else
    spdlog::error("event=store_stuck error=\"{}\" batches={}", health_.trouble,
                  queue_.size());
  if (watcher_)
    send(watcher_, store_atom::value, health_);
}

ForgottenReply Journal::forget(const domain::InheritedFiles& files) {
  auto forgotten = edge::forget_inherited(store_->folder(), files);
  return {forgotten.all, forgotten.error};
}

domain::HostReply Journal::link(const std::string& profile, const std::string& snapshot) {
  return {edge::link_snapshot(store_->folder(), profile, snapshot), clock().now()};
}

void Journal::plan_tidying() {
  if (store_->needs_tidying() && !std::exchange(tidy_sent_, true))
    delayed_send(this, tidy_pause, tidy_atom::value);
}

void Journal::tidy() {
  tidy_sent_ = false;
  try {
    if (store_->needs_tidying())
      store_->tidy();
  } catch (const std::exception& error) {
    spdlog::warn("event=store_not_tidied error=\"{}\"", error.what()); // no commit was lost; the next deletion plans another round
  }
}

} // namespace ci
