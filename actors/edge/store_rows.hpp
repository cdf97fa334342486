#pragma once
/// Rows of the store <-> values of domain/. One list of fields per record serves writing, reading and the
/// SQL, so that none can be forgotten on one side.

#include "actors/domain/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>

namespace ci::edge::rows {

/// Calls `field(column, member)` for each column of the table `runner`. The JIT config has a table of its
/// own.
template <class Runner, class Field>
void runner_fields(Runner& r, Field&& field) {
  field("id", r.id);
  field("profile", r.profile);
  field("guest_name", r.guest_name);
  field("registration_name", r.registration_name);
  field("uuid", r.uuid);
  field("mac", r.mac);
  field("template_guest", r.template_guest);
  field("held_hugepages_1g", r.held.hugepages_1g);
  field("held_memory_bytes", r.held.memory_bytes);
  field("phase", r.phase);
  field("created_at", r.created_at);
  field("registration_id", r.registration_id);
  field("registration_ended", r.registration_ended);
  field("jit_served_at", r.jit_served_at);
  field("jit_fetches", r.jit_fetches);
  field("online_at", r.online_at);
  field("busy_seen", r.busy_seen);
  field("guest_removed", r.guest_removed);
  field("started", r.started);
  field("spoiled", r.spoiled);
  field("reason", r.reason);
  field("ended_at", r.ended_at);
}

/// The same for the table `reservation`; its slots have a table of their own.
template <class Reservation, class Field>
void reservation_fields(Reservation& r, Field&& field) {
  field("unique_id", r.request.unique_id);
  field("unique_id_spelt", r.request.unique_id_spelt);
  field("profile", r.request.profile);
  field("qualified_repo", r.request.qualified_repo);
  field("run_id", r.request.run_id);
  field("count", r.request.count);
  field("minimum", r.request.minimum);
  field("phase", r.phase);
  field("created_at", r.created_at);
  field("granted_at", r.granted_at);
  field("deadline", r.deadline);
  field("ended_at", r.ended_at);
  field("released", r.released);
}

/// The same for the table `image`.
template <class Image, class Field>
void image_fields(Image& i, Field&& field) {
  field("template_guest", i.template_guest);
  field("profile", i.profile);
  field("snapshot", i.snapshot);
  field("rebuild_guest", i.rebuild_guest);
  field("uuid", i.uuid);
  field("mac", i.mac);
  field("disk_target", i.disk_target);
  field("fingerprint", i.fingerprint);
  field("held_hugepages_1g", i.held.hugepages_1g);
  field("held_memory_bytes", i.held.memory_bytes);
  field("phase", i.phase);
  field("ordered_at", i.ordered_at);
  field("trial_runner", i.trial_runner);
  field("reason", i.reason);
}

/// Binds values to the parameters of a statement, from the first on.
class Binder {
 public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) {}

  template <class T>
  void operator()(const char*, const T& value) {
    add(value);
  }
  void add(std::int64_t value) { statement_.bind(++index_, value); }
  void add(int value) { statement_.bind(++index_, value); }
  void add(bool value) { statement_.bind(++index_, value ? 1 : 0); }
  void add(const std::string& value) { statement_.bind(++index_, value); }
  void add(domain::Time value) { add(std::int64_t{value.time_since_epoch().count()}); }
  void add(domain::Phase);
  void add(domain::ReservationPhase);
  void add(domain::SlotState);
  void add(domain::ImagePhase);
  template <class T>
  void add(const std::optional<T>& value) {
    if (value)
      add(*value);
    else
      statement_.bind(++index_);
  }

 private:
  SQLite::Statement& statement_;
  int index_ = 0;
};

/// Reads the columns of a statement's present row, from the first on. Throws StoreError at a word that it
/// does not know.
class Reader {
 public:
  explicit Reader(SQLite::Statement& statement) : statement_(statement) {}

  template <class T>
  void operator()(const char*, T& value) {
    read(value);
  }
  void read(std::int64_t& value) { value = next().getInt64(); }
  void read(int& value) { value = next().getInt(); }
  void read(bool& value) { value = next().getInt() != 0; }
  void read(std::string& value) { value = next().getString(); }
  void read(domain::Time& value) { value = domain::Time(domain::Duration(next().getInt64())); }
  void read(domain::Phase&);
  void read(domain::ReservationPhase&);
  void read(domain::SlotState&);
  void read(domain::ImagePhase&);
  template <class T>
  void read(std::optional<T>& value) {
    if (statement_.getColumn(index_).isNull()) {
      ++index_;
      value.reset();
    } else {
      read(value.emplace());
    }
  }

 private:
  SQLite::Column next() { return statement_.getColumn(index_++); }
  SQLite::Statement& statement_;
  int index_ = 0;
};

/// `INSERT ... ON CONFLICT ... DO UPDATE` with a parameter for each column, in the order of the fields.
std::string put_runner_sql();
std::string put_reservation_sql();
std::string put_image_sql();
/// Each row by its key's order.
std::string load_runners_sql();
std::string load_reservations_sql();
std::string load_images_sql();

} // namespace ci::edge::rows
