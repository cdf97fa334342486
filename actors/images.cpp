#include "actors/images.hpp"

#include "actors/domain/image_xml.hpp"
#include "actors/exceptions.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace ci {
namespace {

constexpr domain::Duration image_call_timeout{60'000}, image_start_timeout{300'000},
    image_copy_timeout{3'600'000}, update_timeout{2'500'000};

} // namespace

ImagesActor::ImagesActor(caf::actor_config& config, MeterPtr meter, WorkersPtr workers)
    : Metered(config, std::move(meter)), workers_(std::move(workers)) {
  set_exception_handler(log_exception(spdlog::level::critical, "images_exception"));
}

ImagesActor::behavior_type ImagesActor::make_behavior() {
  return {
      [this](prepare_atom, domain::ImageSpec& spec) { return accept(Kind::prepare, std::move(spec)); },
      [this](start_atom, domain::ImageSpec& spec) { return accept(Kind::start, std::move(spec)); },
      [this](seal_atom, domain::ImageSpec& spec) { return accept(Kind::seal, std::move(spec)); },
      [this](remove_atom, domain::ImageSpec& spec) { return accept(Kind::remove, std::move(spec)); },
      [this](update_atom, const std::string& checkout) {
        domain::ImageSpec spec;
        spec.folder = checkout;
        return accept(Kind::update, std::move(spec));
      },
  };
}

void ImagesActor::on_exit() {
  for (auto& [image, queue] : queues_)
    for (auto& work : queue)
      work->answer.deliver(domain::HostReply{"its actor has ended", clock().now(), true});
  queues_.clear();
  waiting_.clear();
  workers_.reset();
}

// --- orders

caf::result<domain::HostReply> ImagesActor::accept(Kind kind, domain::ImageSpec spec) {
  auto work = std::make_shared<Work>();
  work->kind = kind;
  work->spec = std::move(spec);
  work->answer = make_response_promise<domain::HostReply>();
  auto& queue = queues_[work->spec.template_guest];
  queue.push_back(work);
  if (queue.size() == 1) {
    waiting_.push_back(work);
    begin_waiting();
  }
  return work->answer;
}

void ImagesActor::begin_waiting() {
  for (;;) {
    auto next = std::find_if(waiting_.begin(), waiting_.end(),
                             [this](auto& work) { return borrow_worker(*work); });
    if (next == waiting_.end())
      return;
    auto work = *next;
    waiting_.erase(next);
    begin(work); // may end at once, and come here again
  }
}

bool ImagesActor::borrow_worker(Work& work) {
  if (auto pinned = pinned_.find(work.spec.template_guest); pinned != pinned_.end()) {
    work.worker = pinned->second;
    return workers_->borrow_idle_one(work.worker);
  }
  const bool copies = work.kind == Kind::prepare || work.kind == Kind::update;
  auto idle = workers_->borrow_idle(clock().now(), copies && workers_->size() > 1 ? 1 : 0);
  work.worker = idle.value_or(0);
  return idle.has_value();
}

void ImagesActor::begin(const WorkPtr& work) {
  switch (work->kind) {
  case Kind::prepare:
    return prepare(work);
  case Kind::start:
    return start(work);
  case Kind::seal:
    return ask(work, image_call_timeout, &ImagesActor::ended, rename_atom::value, work->spec.rebuild_guest,
               work->spec.template_guest, work->spec.uuid);
  case Kind::remove:
    work->names = {work->spec.rebuild_guest, work->spec.template_guest};
    return ask(work, image_call_timeout, &ImagesActor::remove_unused, unused_atom::value, work->spec.disk_file(),
               work->spec.uuid);
  case Kind::update:
    return ask(work, update_timeout, &ImagesActor::ended, update_atom::value, work->spec.folder);
  }
}

void ImagesActor::conclude(const WorkPtr& work, const std::string& error, bool cut_short) {
  if (!error.empty())
    spdlog::warn("event=image_order_failed image={} error=\"{}\"", work->spec.template_guest, error);
  auto& image = work->spec.template_guest;
  workers_->give_back(work->worker);
  work->answer.deliver(domain::HostReply{error, clock().now(), cut_short});
  auto queue = queues_.find(image);
  queue->second.pop_front();
  if (queue->second.empty())
    queues_.erase(queue);
  else
    waiting_.push_back(queue->second.front());
  begin_waiting();
}

// --- prepare

void ImagesActor::prepare(const WorkPtr& work) {
  auto& base = work->spec.recipe.begins_with;
  if (!work->spec.sources)
    return conclude(work, "the profile's folder holds nothing to make an image from");
  if (base.kind == domain::ImageBase::Kind::guest)
    return ask(work, image_call_timeout, &ImagesActor::prepare_seen, look_atom::value, base.name);
  if (base.kind == domain::ImageBase::Kind::file)
    work->disk_from = work->spec.deps_folder + "/" + base.name;
  make_disk(work);
}

/// A copy of what is being written would be torn.
void ImagesActor::prepare_seen(const WorkPtr& work, ObservationReply& reply) {
  if (!reply.observation)
    return conclude(work, reply.error);
  auto& name = work->spec.recipe.begins_with.name;
  if (reply.observation->state == domain::GuestState::on)
    return conclude(work, "begins_with: guest " + name + " is not shut off, so its disk can't be copied");
  ask(work, image_call_timeout, &ImagesActor::prepare_from, xml_atom::value, name);
}

/// A hand-made guest is copied with its disk and its firmware's variables.
void ImagesActor::prepare_from(const WorkPtr& work, XmlReply& reply) {
  if (!reply.xml)
    return conclude(work, reply.error);
  auto disk = domain::source_disk(*reply.xml, work->spec.disk_target);
  if (!disk) // it may have the disk elsewhere than the image
    disk = domain::source_disk(*reply.xml, {});
  if (!disk || disk.path.empty())
    return conclude(work, disk ? work->spec.recipe.begins_with.name + " has no disk" : disk.error);
  work->disk_from = disk.path;
  work->nvram_from = disk.nvram;
  work->format_from = disk.format;
  make_disk(work);
}

void ImagesActor::make_disk(const WorkPtr& work) {
  auto disk = domain::source_disk(work->spec.sources->guest_xml, work->spec.disk_target, true);
  if (!disk)
    return conclude(work, "guest.xml: " + disk.error);
  if (auto& from = work->format_from; !from.empty() && from != disk.format)
    return conclude(work, "guest.xml states the format " + disk.format + " for the image's disk, but that of guest " +
                              work->spec.recipe.begins_with.name + " is " + from);
  auto size = work->spec.recipe.size_bytes;
  if (disk.format != "raw" && (size != 0 || work->disk_from.empty()))
    return conclude(work, "guest.xml states the format " + disk.format +
                              " for the image's disk: only raw ones can be blank or given a size");
  ask(work, image_copy_timeout, &ImagesActor::disk_made, disk_atom::value,
      domain::DiskOrder{work->spec.disk_file(), work->disk_from, size});
}

void ImagesActor::disk_made(const WorkPtr& work, domain::HostReply& reply) {
  if (!reply)
    return ended(work, reply);
  if (work->nvram_from.empty())
    return nvram_copied(work, reply);
  ask(work, image_call_timeout, &ImagesActor::nvram_copied, nvram_atom::value, work->nvram_from,
      work->spec.nvram_file());
}

void ImagesActor::nvram_copied(const WorkPtr& work, domain::HostReply& reply) {
  auto& sources = *work->spec.sources;
  if (!reply || !domain::has_config(sources))
    return ended(work, reply);
  domain::IsoOrder iso{work->spec.config_file(), domain::config_label(sources), {}};
  if (!sources.user_data.empty())
    iso.files = {{"user-data", sources.user_data}, {"meta-data", sources.meta_data}};
  else
    iso.files = {{"autounattend.xml", sources.autounattend}};
  ask(work, image_call_timeout, &ImagesActor::ended, iso_atom::value, std::move(iso));
}

// --- start

void ImagesActor::start(const WorkPtr& work) {
  if (!work->spec.sources)
    return conclude(work, "the profile's folder holds nothing to make an image from");
  auto own = domain::rebuild_xml(work->spec.sources->guest_xml, work->spec);
  if (!own)
    return conclude(work, own.error);
  ask(work, image_call_timeout, &ImagesActor::defined, define_atom::value, own.xml);
}

void ImagesActor::defined(const WorkPtr& work, domain::HostReply& reply) {
  if (!reply)
    return ended(work, reply);
  ask(work, image_start_timeout, &ImagesActor::ended, start_atom::value, work->spec.rebuild_guest,
      work->spec.uuid);
}

// --- remove

/// Whatever became of our own accounts: what a guest's disk depends on stays.
void ImagesActor::remove_unused(const WorkPtr& work, domain::HostReply& reply) {
  if (!reply)
    return ended(work, reply);
  remove_next(work);
}

void ImagesActor::remove_next(const WorkPtr& work) {
  if (work->names.empty())
    return ask(work, image_call_timeout, &ImagesActor::ended, forget_atom::value, work->spec.folder,
               work->spec.snapshot);
  ask(work, image_call_timeout, &ImagesActor::remove_seen, look_atom::value, work->names.back());
}

void ImagesActor::remove_seen(const WorkPtr& work, ObservationReply& reply) {
  if (!reply.observation)
    return conclude(work, reply.error);
  if (reply.observation->state == domain::GuestState::absent || reply.observation->uuid != work->spec.uuid) {
    work->names.pop_back();
    return remove_next(work);
  }
  ask(work, image_call_timeout, &ImagesActor::remove_halted, halt_atom::value, work->names.back(),
      work->spec.uuid);
}

void ImagesActor::remove_halted(const WorkPtr& work, domain::HostReply& reply) {
  if (!reply)
    return ended(work, reply);
  ask(work, image_call_timeout, &ImagesActor::remove_undefined, undef_atom::value, work->names.back(),
      work->spec.uuid);
}

void ImagesActor::remove_undefined(const WorkPtr& work, domain::HostReply& reply) {
  if (!reply)
    return ended(work, reply);
  work->names.pop_back();
  remove_next(work);
}

template <class Reply, class... Parts>
void ImagesActor::ask(const WorkPtr& work, domain::Duration timeout,
                      void (ImagesActor::*next)(const WorkPtr&, Reply&), Parts... parts) {
  request(workers_->host(work->worker), timeout, std::move(parts)...)
      .then(
          [this, work, next](Reply& reply) {
            workers_->answered(work->worker);
            // It does one thing after the other: what it left unanswered is over.
            std::erase_if(pinned_, [&](auto& pinned) { return pinned.second == work->worker; });
            (this->*next)(work, reply);
          },
          [this, work](caf::error& error) {
            if (error != caf::sec::request_timeout)
              return conclude(work, "its worker has ended", true);
            pinned_[work->spec.template_guest] = work->worker;
            workers_->silent(work->worker, clock().now());
            conclude(work, "no answer in time: " + system().render(error));
          });
}

} // namespace ci
