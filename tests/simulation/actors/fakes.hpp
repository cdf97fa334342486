#pragma once
/// Stand-ins for the actors at the edge: they note each call and answer when the schedule says so.

#include "tests/simulation/actors/actor_simulation.hpp"

#include "actors/registrations.hpp"

namespace ci::test {

/// Puts a stand-in between an actor interface and the schedule.
template <class Interface>
class Fake : public Interface::template extend<caf::reacts_to<deliver_atom, Delivery>>::base {
 public:
  using Base = typename Interface::template extend<caf::reacts_to<deliver_atom, Delivery>>::base;
  Fake(caf::actor_config& config, ActorSimulation& simulation) : Base(config), simulation_(simulation) {}

 protected:
  /// The call waits for the schedule; `act` then says what it answers, and `leaves` is told when that leaves.
  /// `patience`: of whoever asks, at most.
  template <class Reply, class Act, class Leaves>
  caf::typed_response_promise<Reply> hold(int lane, std::string what, Duration patience, Act act,
                                          Leaves leaves) {
    auto promise = this->template make_response_promise<Reply>();
    auto me = caf::actor_cast<caf::actor>(this);
    auto& outside = simulation_.outside();
    outside.made.push_back(simulation_.steady());
    outside.calls.push_back({lane, what, patience, [=, &outside](Fault fault) {
                               auto reply = act(fault);
                               outside.answers.push_back({what, me, {[=]() mutable {
                                                            leaves(reply);
                                                            promise.deliver(std::move(reply));
                                                          }}});
                             }});
    return promise;
  }
  ActorSimulation& simulation_;
};

class FakeGithubLink : public Fake<github_link_actor> {
 public:
  using Fake::Fake;
  behavior_type make_behavior() override {
    using domain::GithubShare;
    using Labels = std::vector<std::string>;
    return {
        [this](list_atom, Steady) {
          return call<detail::ListReply>(GithubShare::ordinary, "list registrations",
                                         [this] { return simulation_.list_registrations(); });
        },
        [this](fetch_atom, RegistrationId id) {
          const auto given_up = simulation_.steady() + Registrations::call_timeout;
          return call<detail::FetchReply>(
              GithubShare::look, "look at registration " + std::to_string(id),
              [this, id] { return simulation_.look_at(id); },
              [this, given_up](const detail::FetchReply& reply) {
                if (simulation_.steady() < given_up)
                  simulation_.hear_look(reply);
              });
        },
        [this](find_atom, const std::string& name) {
          return call<detail::FindReply>(GithubShare::ordinary, "find " + name,
                                         [this, name] { return world().find(name); });
        },
        [this](register_atom, const JitRequest& ask) {
          return call<detail::RegisterReply>(GithubShare::ordinary, "register " + ask.name,
                                             [this, ask] { return world().make(ask); });
        },
        [this](label_atom, RegistrationId id, const Labels& labels) {
          return call<detail::LabelReply>(GithubShare::reserving, "label " + std::to_string(id),
                                          [this, id, labels] { return world().label(id, labels); });
        },
        [this](unlabel_atom, RegistrationId id, const Labels& labels) {
          return call<detail::DoneReply>(GithubShare::clearing, "unlabel " + std::to_string(id),
                                         [this, id, labels] { return world().unlabel(id, labels); });
        },
        [this](delete_atom, RegistrationId id) {
          return call<detail::DoneReply>(GithubShare::clearing, "unregister " + std::to_string(id),
                                         [this, id] { return simulation_.unregister(id); });
        },
        [this](run_atom, const std::string&, RunId run) {
          return call<detail::RunReply>(GithubShare::look, "look at run " + std::to_string(run),
                                        [this, run] { return world().run(run); });
        },
        [this](jobs_atom, const std::string&, RunId run) {
          return call<detail::JobsReply>(GithubShare::look, "jobs of run " + std::to_string(run),
                                         [this, run] { return simulation_.list_jobs(run); });
        },
        // Nobody selects without a token here.
        [](artifs_atom, const std::string&, RunId, const std::string&) {
          return detail::ArtifactsReply::ok({});
        },
        [](archive_atom, const std::string&, std::int64_t, std::uint64_t) {
          return detail::ArchiveReply::ok({});
        },
        [](deliver_atom, const Delivery& delivery) { delivery.deliver(); },
    };
  }

 private:
  World& world() { return simulation_.world(); }
  /// `heard` is told of the answer when it leaves.
  template <class Reply, class Act>
  caf::typed_response_promise<Reply> call(domain::GithubShare share, const std::string& what, Act act,
                                          std::function<void(const Reply&)> heard = {}) {
    simulation_.github_called(share);
    auto asked = simulation_.last_rest(); // or later
    return hold<Reply>(
        0, what, Registrations::listing_timeout,
        [this, act](Fault fault) { return simulation_.ask_github<Reply>(fault, act); },
        [this, share, asked, heard](const Reply& reply) {
          if (heard)
            heard(reply);
          simulation_.github_answers(share, asked, reply.error, reply.budget);
        });
  }
};

/// A libvirt host with a lane of its own.
class FakeLibvirtHost : public Fake<host_actor> {
 public:
  FakeLibvirtHost(caf::actor_config& config, ActorSimulation& simulation, int lane)
      : Fake(config, simulation), lane_(lane) {}
  behavior_type make_behavior() override {
    using domain::HostReply;
    using Name = const std::string&;
    return {
        [](watch_atom, const hypervisor_actor&) {}, // the simulation tells the hypervisor itself
        [this](list_atom) {
          return read<GuestListingReply>("list guests", [this] {
            return GuestListingReply{simulation_.list_guests(), {}};
          });
        },
        [this](look_atom, Name name) {
          return read<ObservationReply>("look at " + name, [this, name = name] {
            auto it = world().guests.find(name);
            if (it == world().guests.end())
              return ObservationReply{GuestObservation{name, "", GuestState::absent, "", now()}, {}};
            auto& g = it->second;
            return ObservationReply{GuestObservation{name, g.uuid, g.state, g.reason, now()}, {}};
          });
        },
        [this](addr_atom, const std::vector<std::string>&) {
          return read<AddressReply>("addresses", [this] {
            return AddressReply{world().addresses(now()), {}};
          });
        },
        [this](xml_atom, Name name) {
          return read<XmlReply>("definition of " + name, [this, name = name] {
            auto it = world().guests.find(name);
            return it == world().guests.end() ? XmlReply{{}, "no such guest"} : XmlReply{it->second.xml, {}};
          });
        },
        [this](defs_atom, const std::vector<std::string>& names) {
          return read<DefinitionsReply>("definitions", [this, names] {
            domain::Definitions found;
            for (auto& name : names)
              if (auto it = world().guests.find(name); it != world().guests.end())
                found[name] = it->second.xml;
            return DefinitionsReply{found, {}};
          });
        },
        [](shot_atom, Name) { return PictureReply{{}, true, "made up"}; }, // nobody asks
        [this](define_atom, Name xml) {
          return act("define " + between(xml, "name"), [this, xml = xml] {
            return world().define(between(xml, "name"), between(xml, "uuid"), xml, now());
          });
        },
        [this](start_atom, Name name, Name uuid) {
          return change("start", name,
                        [this, name = name, uuid = uuid] { return world().boot(name, uuid, now()); });
        },
        [this](halt_atom, Name name, Name uuid) {
          return change("halt", name,
                        [this, name = name, uuid = uuid] { return world().halt(name, uuid, now()); });
        },
        [this](undef_atom, Name name, Name uuid) {
          return change("undefine", name,
                        [this, name = name, uuid = uuid] { return world().undefine(name, uuid, now()); });
        },
        [this](clone_atom, const domain::CloneOrder& order) {
          return act("clone " + order.to, [this, order] {
            auto reply = world().clone(order.to, now());
            // As on a file system without reflinks.
            reply.disk = {order.to + ".qcow2", "qcow2", order.from, order.format};
            return reply;
          });
        },
        [this](nvram_atom, Name, Name to) {
          return act("clone " + to, [this, to = to] { return world().clone(to, now()); });
        },
        [this](erase_atom, Name folder, Name prefix) {
          return act("erase " + prefix, [this, folder = folder, prefix = prefix] {
            return world().erase(folder, prefix, now());
          });
        },
        [this](disk_atom, const domain::DiskOrder& disk) { return image_file("disk " + disk.path); },
        [this](iso_atom, const domain::IsoOrder& iso) { return image_file("iso " + iso.path); },
        [this](rename_atom, Name from, Name to, Name uuid) {
          return act("rename " + from, [this, from = from, to = to, uuid = uuid] {
            return world().rename(from, to, uuid, now());
          });
        },
        [this](unused_atom, Name file, Name uuid) {
          return read<HostReply>("users of " + file, [this, file = file, uuid = uuid] {
            for (auto& [name, g] : world().guests)
              if (g.uuid != uuid && g.xml.find(file) != std::string::npos)
                return HostReply{name + " uses it", now()};
            return HostReply{"", now()};
          });
        },
        [this](forget_atom, Name folder, Name snapshot) {
          return act("forget " + snapshot, [this, folder = folder, snapshot = snapshot] {
            world().image_files.erase(folder + "@" + snapshot);
            return HostReply{"", now()};
          });
        },
        [this](update_atom, Name checkout) {
          return act("update " + checkout, [this] {
            ++world().repo_updates;
            return HostReply{"", now()};
          });
        },
        [](deliver_atom, const Delivery& delivery) { delivery.deliver(); },
    };
  }

 private:
  static Duration patience(const std::string& what) {
    const auto order = what.substr(0, what.find(' '));
    return order == "disk"     ? 60min // an image's
           : order == "update" ? 42min
           : order == "clone"  ? 30min
           : order == "start"  ? 5min
                               : 1min;
  }
  /// What names the image of a file: `<folder>@<snapshot>`.
  caf::typed_response_promise<domain::HostReply> image_file(const std::string& what) {
    auto path = what.substr(what.find(' ') + 1);
    auto image = path.substr(0, path.rfind('/')) + path.substr(path.find('@', path.rfind('/')));
    return act(what, [this, image] {
      world().image_files.insert(image);
      return domain::HostReply{"", now()};
    });
  }
  World& world() { return simulation_.world(); }
  Steady now() const { return simulation_.steady(); }
  static std::string between(const std::string& xml, const std::string& tag) {
    auto begin = xml.find("<" + tag + ">") + tag.size() + 2;
    return xml.substr(begin, xml.find("</" + tag + ">") - begin);
  }
  template <class Reply, class Make>
  caf::typed_response_promise<Reply> read(const std::string& what, Make make) {
    return this->hold<Reply>(
        lane_, what, patience(what),
        [this, make](Fault fault) {
          if (fault != Fault::before && !simulation_.libvirt_down())
            return make();
          Reply reply;
          reply.error = "made up";
          return reply;
        },
        [](const Reply&) {});
  }
  template <class Make>
  caf::typed_response_promise<domain::HostReply> act(const std::string& what, Make make) {
    return this->hold<domain::HostReply>(
        lane_, what, patience(what), [this, make](Fault fault) { return simulation_.at_host(fault, make); },
        [](const domain::HostReply&) {});
  }
  template <class Make>
  caf::typed_response_promise<domain::HostReply> change(const std::string& what, const std::string& name,
                                                        Make make) {
    return act(what + " " + name, [this, name, make] {
      auto reply = make();
      simulation_.observe(name);
      return reply;
    });
  }
  int lane_;
};

/// Keeps the order of batches, as the real one does; what is acknowledged is in the store. It stands before the real one
/// where there is one.
class FakeJournal : public Fake<journal_actor> {
 public:
  FakeJournal(caf::actor_config& config, ActorSimulation& simulation, journal_actor real)
      : Fake(config, simulation), real_(std::move(real)) {}
  void on_exit() override { real_ = nullptr; }
  behavior_type make_behavior() override {
    return {
        [this](load_atom) -> caf::result<domain::StoreImage> {
          if (auto image = simulation_.load())
            return *image;
          return caf::make_error(caf::sec::runtime_error, std::string("made up"));
        },
        [this](commit_atom, const domain::StoreBatch& batch) {
          auto promise = make_response_promise<caf::unit_t>();
          auto& outside = simulation_.outside();
          outside.batches.push_back(batch);
          outside.commits.push_back({"committed", caf::actor_cast<caf::actor>(this), {[this, promise, batch]() mutable {
                                       write(std::move(promise), batch);
                                     }},
                                     {[promise]() mutable {
                                       promise.deliver(caf::make_error(caf::sec::runtime_error, std::string("made up")));
                                     }}});
          return promise;
        },
        [](watch_atom, const monitor_actor&) {},
        [this](forget_atom, const InheritedFiles& files) {
          simulation_.forget_files(files);
          return ForgottenReply{true, {}};
        },
        [this](link_atom, const std::string& profile, const std::string& snapshot) {
          simulation_.link_snapshot(profile, snapshot);
          return HostReply{};
        },
        [](deliver_atom, const Delivery& delivery) { delivery.deliver(); },
    };
  }

 private:
  void write(caf::typed_response_promise<caf::unit_t> promise, const domain::StoreBatch& batch) {
    if (!real_)
      return answer_unit(promise);
    request(real_, caf::infinite, commit_atom::value, batch)
        .then([promise](caf::unit_t) mutable { answer_unit(promise); },
              [promise](caf::error& error) mutable { promise.deliver(std::move(error)); });
  }

  journal_actor real_;
};

class FakeMetrics : public metrics_actor::base {
 public:
  using metrics_actor::base::base;
  behavior_type make_behavior() override {
    return {
        [](count_atom, const std::string&, const MetricLabels&, double) {},
        [](time_atom, const std::string&, const MetricLabels&, double) {},
        [](gauge_atom, const std::string&, const MetricLabels&, double) {},
    };
  }
};

/// Asks the monitor on behalf of clients and guests.
class FakeGateway : public caf::event_based_actor {
 public:
  using caf::event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {[](deliver_atom, const Delivery& delivery) { delivery.deliver(); }};
  }
};

} // namespace ci::test
