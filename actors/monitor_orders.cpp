#include "actors/monitor.hpp"

#include <spdlog/spdlog.h>

/// How each order of the core is carried out, and how its answer gets back to it.

namespace ci {
namespace {

using namespace std::chrono_literals;
using domain::GithubError;
using domain::HostReply;

// Each is longer than what the party itself allows, so it only ends what was lost on the way.
constexpr auto github_patience = 60s;
constexpr auto listing_patience = 120s;
constexpr auto address_patience = 5s;
constexpr auto prepare_patience = 2400s;
constexpr auto start_patience = 600s;
constexpr auto image_patience = 86'400s; // orders wait for a worker, behind other images' copies
constexpr auto remove_patience = 300s;
constexpr auto forget_patience = 300s; // the store may be stuck

spdlog::level::level_enum level_of(domain::LogLevel level) {
  switch (level) {
  case domain::LogLevel::debug:
    return spdlog::level::debug;
  case domain::LogLevel::info:
    return spdlog::level::info;
  case domain::LogLevel::warn:
    return spdlog::level::warn;
  case domain::LogLevel::error:
    return spdlog::level::err;
  }
  return spdlog::level::info;
}

} // namespace

void Monitor::carry_out(domain::Effect effect) {
  std::visit([this](auto& e) { carry(std::move(e)); }, effect);
}

void Monitor::carry(domain::effect::Commit e) {
  uncommitted_.push_back(std::move(e.batch));
  flush_commits();
}

/// One transaction at a time, of all that waits: so their order is kept even if the journal has to be asked
/// again.
void Monitor::flush_commits() {
  if (committing_ > 0 || uncommitted_.empty())
    return;
  domain::StoreBatch all;
  for (auto& batch : uncommitted_)
    all.insert(all.end(), batch.begin(), batch.end());
  committing_ = uncommitted_.size();
  const auto named = named_commit(all);
  crash_.reached("commit", "order");
  crash_.reached(named, "order");
  request(parts_.journal, caf::infinite, commit_atom::value, std::move(all))
      .then(
          [this, named](caf::unit_t) {
            crash_.reached("commit", "answer");
            crash_.reached(named, "answer");
            auto count = std::exchange(committing_, 0);
            for (std::size_t i = 0; i < count; ++i) {
              uncommitted_.pop_front();
              core_.on_committed(now());
            }
            flush_commits();
            nudge();
          },
          [this](const caf::error& error) {
            spdlog::error("event=commit_failed error=\"{}\"", system().render(error));
            committing_ = 0;
            core_.on_store(now(), false, "the journal does not answer");
            nudge();
            request(parts_.journal, caf::infinite, commit_atom::value, domain::StoreBatch{})
                .then([this](caf::unit_t) { flush_commits(); },
                      [](const caf::error&) { spdlog::critical("event=journal_lost"); });
          });
}

template <class Reply>
Reply Monitor::unanswered(const caf::error& error) {
  auto why = system().render(error);
  Reply reply;
  if constexpr (std::is_same_v<Reply, HostReply>)
    reply = {std::move(why), clock().now(), error != caf::sec::request_timeout};
  else if constexpr (std::is_same_v<decltype(reply.error), GithubError>)
    reply.error = {GithubError::Kind::unreachable, 0, std::move(why), {}};
  else
    reply.error = std::move(why);
  return reply;
}

template <class Reply, class Actor, class F, class... Args>
void Monitor::ask(const Actor& party, const char* step, std::chrono::seconds patience, F report, Args... args) {
  crash_.reached(step, "order");
  request(party, patience, std::move(args)...)
      .then(
          [this, report, step](const Reply& reply) {
            crash_.reached(step, "answer");
            report(now(), reply);
            nudge();
          },
          [this, report](const caf::error& error) {
            report(now(), unanswered<Reply>(error));
            nudge();
          });
}

template <class Reply, class F, class... Args>
void Monitor::ask_github(const char* step, F report, Args... args) {
  ask<Reply>(parts_.registrations, step, github_patience, std::move(report), std::move(args)...);
}

void Monitor::carry(domain::effect::ListRegistrations) {
  ask<detail::ListReply>(
      parts_.registrations, "list_registrations", listing_patience,
      [this](auto t, const auto& reply) { core_.on_registration_listing(t, reply); }, list_atom::value,
      clock().now());
}

void Monitor::carry(domain::effect::Look e) {
  ask_github<detail::FetchReply>(
      "look", [this, id = e.runner](auto t, const auto& reply) { core_.on_looked(t, id, reply); },
      fetch_atom::value, e.registration);
}

void Monitor::carry(domain::effect::LookSlot e) {
  ask_github<detail::FetchReply>(
      "look_slot",
      [this, id = e.runner, uid = e.unique_id](auto t, const auto& reply) {
        core_.on_slot_looked(t, uid, id, reply);
      },
      fetch_atom::value, e.registration);
}

void Monitor::carry(domain::effect::FindRegistration e) {
  ask_github<detail::FindReply>(
      "find", [this, id = e.runner](auto t, const auto& reply) { core_.on_found(t, id, reply); },
      find_atom::value, e.name);
}

void Monitor::carry(domain::effect::Register e) {
  ask_github<detail::RegisterReply>(
      "register", [this, id = e.runner](auto t, const auto& reply) { core_.on_registered(t, id, reply); },
      register_atom::value, e.request);
}

void Monitor::carry(domain::effect::Unregister e) {
  ask_github<detail::DoneReply>(
      "unregister", [this, id = e.runner](auto t, const auto& reply) { core_.on_unregistered(t, id, reply); },
      delete_atom::value, e.registration);
}

void Monitor::carry(domain::effect::Label e) {
  ask_github<detail::LabelReply>(
      "label",
      [this, id = e.runner, uid = e.unique_id](auto t, const auto& reply) {
        core_.on_labelled(t, uid, id, reply);
      },
      label_atom::value, e.registration, e.labels);
}

void Monitor::carry(domain::effect::Unlabel e) {
  ask_github<detail::DoneReply>(
      "unlabel",
      [this, id = e.runner, uid = e.unique_id](auto t, const auto& reply) {
        core_.on_unlabelled(t, uid, id, reply);
      },
      unlabel_atom::value, e.registration, e.labels);
}

void Monitor::carry(domain::effect::AskRun e) {
  ask_github<detail::RunReply>(
      "ask_run", [this, uid = e.unique_id](auto t, const auto& reply) { core_.on_run(t, uid, reply); },
      run_atom::value, e.repository, e.run);
}

void Monitor::carry(domain::effect::AskJobs e) {
  ask_github<detail::JobsReply>(
      "ask_jobs", [this, uid = e.unique_id](auto t, const auto& reply) { core_.on_jobs(t, uid, reply); },
      jobs_atom::value, e.repository, e.run);
}

void Monitor::carry(domain::effect::ListGuests) {
  ask<GuestListingReply>(
      parts_.hypervisor, "list_guests", listing_patience,
      [this](auto t, const auto& reply) { core_.on_guest_listing(t, reply.listing, reply.error); },
      list_atom::value);
}

void Monitor::carry(domain::effect::ListAddresses) {
  ask<AddressReply>(
      parts_.hypervisor, "list_addresses", address_patience,
      [this](auto t, const auto& reply) { core_.on_addresses(t, reply.addresses, reply.error); },
      addr_atom::value);
}

void Monitor::carry(domain::effect::ReadGuests e) {
  ask<DefinitionsReply>(
      parts_.hypervisor, "read_guests", listing_patience,
      [this](auto t, const auto& reply) { core_.on_guests_read(t, reply.definitions, reply.error); },
      defs_atom::value, std::move(e.names));
}

void Monitor::carry(domain::effect::ForgetInherited e) {
  ask<ForgottenReply>(
      parts_.journal, "forget", forget_patience,
      [this](auto t, const auto& reply) { core_.on_forgotten(t, reply.all, reply.error); },
      forget_atom::value, std::move(e.files));
}

void Monitor::carry(domain::effect::LinkSnapshot e) {
  ask<HostReply>(
      parts_.journal, "link", forget_patience,
      [this, e](auto t, const auto& reply) { core_.on_linked(t, e.profile, e.snapshot, reply.error); },
      link_atom::value, e.profile, e.snapshot);
}

void Monitor::carry(domain::effect::Prepare e) {
  ask<HostReply>(
      parts_.hypervisor, "prepare", prepare_patience,
      [this, id = e.runner](auto t, const auto& reply) { core_.on_prepared(t, id, reply); },
      prepare_atom::value, e.spec);
}

void Monitor::carry(domain::effect::Start e) {
  ask<HostReply>(
      parts_.hypervisor, "start", start_patience,
      [this, id = e.runner](auto t, const auto& reply) { core_.on_started(t, id, reply); }, start_atom::value,
      e.spec);
}

void Monitor::carry(domain::effect::Remove e) {
  ask<HostReply>(
      parts_.hypervisor, "remove", remove_patience,
      [this, id = e.runner](auto t, const auto& reply) { core_.on_removed(t, id, reply); }, remove_atom::value,
      e.spec);
}

void Monitor::carry(domain::effect::PrepareImage e) {
  ask<HostReply>(
      parts_.images, "image_prepare", image_patience,
      [this, image = e.spec.template_guest](auto t, const auto& reply) {
        core_.on_image_prepared(t, image, reply);
      },
      prepare_atom::value, e.spec);
}

void Monitor::carry(domain::effect::StartImage e) {
  ask<HostReply>(
      parts_.images, "image_start", image_patience,
      [this, image = e.spec.template_guest](auto t, const auto& reply) {
        core_.on_image_started(t, image, reply);
      },
      start_atom::value, e.spec);
}

void Monitor::carry(domain::effect::SealImage e) {
  ask<HostReply>(
      parts_.images, "image_seal", image_patience,
      [this, image = e.spec.template_guest](auto t, const auto& reply) {
        core_.on_image_sealed(t, image, reply);
      },
      seal_atom::value, e.spec);
}

void Monitor::carry(domain::effect::DiscardImage e) {
  ask<HostReply>(
      parts_.images, "image_discard", image_patience,
      [this, image = e.spec.template_guest](auto t, const auto& reply) {
        core_.on_image_discarded(t, image, reply);
      },
      remove_atom::value, e.spec);
}

void Monitor::carry(domain::effect::UpdateRepo e) {
  ask<HostReply>(
      parts_.images, "update_repo", image_patience,
      [this](auto t, const auto& reply) { core_.on_repo_updated(t, reply); }, update_atom::value, e.path);
}

template <class Answer>
void Monitor::deliver(Promises<Answer>& promises, domain::RequestId id, Answer answer) {
  auto it = promises.find(id);
  if (it == promises.end())
    return;
  it->second.deliver(std::move(answer));
  promises.erase(it);
  request_ids_.erase(id);
}

void Monitor::carry(domain::effect::AnswerTake e) { deliver(takes_, e.request, std::move(e.answer)); }
void Monitor::carry(domain::effect::AnswerRelease e) { deliver(releases_, e.request, std::move(e.answer)); }
void Monitor::carry(domain::effect::AnswerJit e) { deliver(jits_, e.request, std::move(e.answer)); }
void Monitor::carry(domain::effect::AnswerBoot e) { deliver(boots_, e.request, std::move(e.answer)); }
void Monitor::carry(domain::effect::AnswerLever e) { deliver(levers_, e.request, std::move(e.answer)); }
void Monitor::carry(domain::effect::Publish e) { parts_.board->publish(std::move(e.snapshot)); }

void Monitor::carry(domain::effect::Log e) {
  const auto cause = request_ids_.find(e.request);
  spdlog::log(level_of(e.level), "event={}{}{}{}{}", e.event, e.fields.empty() ? "" : " ", e.fields,
              cause == request_ids_.end() ? "" : " request_id=",
              cause == request_ids_.end() ? "" : cause->second);
}

void Monitor::carry(domain::effect::Count e) {
  send(parts_.metrics, count_atom::value, std::move(e.family), std::move(e.labels), e.by);
}

void Monitor::carry(domain::effect::Seconds e) {
  send(parts_.metrics, time_atom::value, std::move(e.family), std::move(e.labels), e.seconds);
}

} // namespace ci
