#include "actors/guest.hpp"

#include "actors/domain/guest_xml.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace ci {
namespace {

constexpr domain::Duration call_timeout{60'000}, start_timeout{300'000}, clone_timeout{1'800'000};

/// `<folder>/<id>-<file name of the source>`; empty where there is no source.
std::string own_disk(const domain::GuestSpec& spec, const domain::SourceDisk& source) {
  if (source.path.empty())
    return {};
  return spec.disk_folder + "/" + spec.disk_prefix + source.path.substr(source.path.rfind('/') + 1);
}

} // namespace

Guest::Guest(caf::actor_config& config, MeterPtr meter, WorkersPtr workers)
    : Metered(config, std::move(meter)), workers_(std::move(workers)) {}
Guest::~Guest() = default;

Guest::behavior_type Guest::make_behavior() {
  return {
      [this](prepare_atom, domain::GuestSpec& spec) { return accept(Kind::prepare, spec); },
      [this](start_atom, domain::GuestSpec& spec) { return accept(Kind::start, spec); },
      [this](remove_atom, domain::GuestSpec& spec) { return accept(Kind::remove, spec); },
  };
}

void Guest::on_exit() {
  for (auto& order : orders_)
    for (auto& answer : order.answers)
      answer.deliver(domain::HostReply{"its actor has ended", clock().now(), true});
  orders_.clear();
  leave_worker();
}

caf::result<domain::HostReply> Guest::accept(Kind kind, domain::GuestSpec& spec) {
  auto answer = make_response_promise<domain::HostReply>();
  bool repeats = !orders_.empty() && orders_.back().kind == kind && orders_.back().spec.uuid == spec.uuid;
  if (!repeats)
    orders_.push_back({kind, std::move(spec), {}});
  orders_.back().answers.push_back(answer);
  if (!repeats && orders_.size() == 1)
    begin();
  return answer;
}

void Guest::begin() {
  choose_worker();
  switch (orders_.front().kind) {
  case Kind::prepare:
    // Not only when the clone begins: what went to this worker by then would wait behind it.
    workers_->copies(worker_);
    copying_ = true;
    return ask(call_timeout, &Guest::prepare_from, xml_atom::value, spec().template_guest);
  case Kind::start:
    return ask(call_timeout, &Guest::start_from, xml_atom::value, spec().template_guest);
  case Kind::remove:
    return ask(call_timeout, &Guest::remove_seen, look_atom::value, spec().name);
  }
}

void Guest::finish(const domain::HostReply& reply) {
  if (!reply && reply.error != last_error_)
    spdlog::warn("event=guest_order_failed guest={} error=\"{}\"", spec().name, reply.error);
  last_error_ = reply.error;
  auto order = std::move(orders_.front());
  orders_.pop_front();
  leave_worker();
  for (auto& answer : order.answers)
    answer.deliver(reply);
  if (!orders_.empty())
    begin();
}

void Guest::prepare_from(XmlReply& reply) {
  if (!reply.xml)
    return finish(reply.error, clock().now());
  auto source = domain::source_disk(*reply.xml, spec().disk_target);
  if (!source || source.path.empty())
    return finish(source.error, clock().now());
  template_nvram_ = source.nvram;
  ask(clone_timeout, &Guest::prepare_nvram, clone_atom::value,
      domain::CloneOrder{source.path, own_disk(spec(), source), source.format,
                         spec().may_overlay && source.may_back});
}

void Guest::prepare_nvram(domain::HostReply& cloned) {
  if (!cloned || template_nvram_.empty())
    return finish(cloned);
  disk_ = cloned.disk;
  ask(call_timeout, &Guest::prepared, nvram_atom::value, template_nvram_,
      domain::own_nvram_file(spec(), template_nvram_));
}

void Guest::prepared(domain::HostReply& copied) {
  copied.disk = std::exchange(disk_, {});
  finish(copied);
}

void Guest::start_from(XmlReply& reply) {
  if (!reply.xml)
    return finish(reply.error, clock().now());
  auto own = domain::runner_xml(*reply.xml, spec());
  if (!own)
    return finish(own.error, clock().now());
  ask(call_timeout, &Guest::start_defined, define_atom::value, own.xml);
}

void Guest::start_defined(domain::HostReply& reply) {
  if (!reply)
    return finish(reply);
  defined_at_ = reply.finished_at;
  ask(start_timeout, &Guest::started, start_atom::value, spec().name, spec().uuid);
}

void Guest::started(domain::HostReply& reply) {
  reply.defined_at = defined_at_;
  finish(reply);
}

void Guest::remove_seen(ObservationReply& reply) {
  if (!reply.observation)
    return finish(reply.error, clock().now());
  auto& seen = *reply.observation;
  if (seen.state == domain::GuestState::absent)
    return erase_disk(seen.read_at);
  if (seen.uuid != spec().uuid)
    return ask(call_timeout, &Guest::remove_beside, xml_atom::value, spec().name);
  if (seen.state == domain::GuestState::on && !spec().released)
    return finish("guest " + spec().name + " runs, and its runner is still registered", seen.read_at);
  // One that is off is halted too: a crashed guest's process may still hold its disk. The worker checks the
  // UUID.
  ask(call_timeout, &Guest::remove_halted, halt_atom::value, spec().name, spec().uuid);
}

void Guest::remove_beside(XmlReply& stranger) {
  if (!stranger.xml)
    return finish(stranger.error, clock().now());
  if (stranger.xml->find(spec().disk_folder + "/" + spec().disk_prefix) == std::string::npos)
    return erase_disk(clock().now());
  spdlog::warn("event=disk_left guest={} reason=\"a guest with another UUID uses it\"", spec().name);
  finish({}, clock().now());
}

void Guest::remove_halted(domain::HostReply& reply) {
  if (!reply)
    return finish(reply);
  ask(call_timeout, &Guest::remove_stopped, look_atom::value, spec().name);
}

void Guest::remove_stopped(ObservationReply& reply) {
  if (!reply.observation)
    return finish(reply.error, clock().now());
  if (reply.observation->state == domain::GuestState::on)
    return finish("guest " + spec().name + " runs on though it was stopped", clock().now());
  ask(call_timeout, &Guest::remove_undefined, undef_atom::value, spec().name, spec().uuid);
}

void Guest::remove_undefined(domain::HostReply& reply) {
  if (!reply)
    return finish(reply);
  erase_disk(reply.finished_at);
}

void Guest::erase_disk(domain::Steady undefined_at) {
  if (spec().disk_folder.empty())
    return finish({}, undefined_at);
  ask(call_timeout, &Guest::ended, erase_atom::value, spec().disk_folder, spec().disk_prefix);
}

template <class Reply, class... Parts>
void Guest::ask(domain::Duration timeout, void (Guest::*next)(Reply&), Parts... parts) {
  request(workers_->host(worker_), timeout, std::move(parts)...)
      .then(
          [this, next](Reply& reply) {
            workers_->answered(worker_);
            (this->*next)(reply);
          },
          [this](caf::error& error) { unanswered(error); });
}

void Guest::unanswered(const caf::error& error) {
  if (error == caf::sec::request_timeout) {
    pinned_ = true;
    workers_->silent(worker_, clock().now());
  }
  finish("libvirt gave no answer in time: " + system().render(error), clock().now());
}

void Guest::leave_worker() {
  if (std::exchange(copying_, false))
    workers_->copied(worker_);
  if (std::exchange(borrowed_, false))
    workers_->give_back(worker_);
}

void Guest::choose_worker() {
  if (pinned_)
    return;
  worker_ = workers_->borrow(clock().now());
  borrowed_ = true;
}

} // namespace ci
