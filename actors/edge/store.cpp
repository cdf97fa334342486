#include "actors/edge/store.hpp"

#include "actors/edge/store_schema.hpp"
#include "actors/edge/store_statements.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <sqlite3.h>

namespace ci::edge {
namespace ops = domain::store;
class Store::Impl {
 public:
  Impl(const std::filesystem::path& data, Warn warn, const std::filesystem::path& images);

  const std::filesystem::path& folder() const { return folder_.path(); }

  void apply(const std::vector<const domain::StoreBatch*>&);
  domain::StoreImage load();
  std::vector<domain::HistoryEvent> history(std::size_t count);
  bool needs_tidying() const { return secrets_in_log_; }
  void tidy();

 private:
  void write(const ops::PutRunner&);
  void write(const ops::DropRunner&);
  void write(const ops::PutReservation&);
  void write(const ops::DropReservation&);
  void write(const ops::AppendHistory&);
  void write(const ops::PruneHistory&);
  void write(const ops::ShiftTimes&);
  void write(const ops::SetNextId&);
  void write(const ops::SetNote&);
  void write(const ops::PutImage&);
  void write(const ops::DropImage&);
  void raise_next_id(domain::RunnerId);

  void load_runners(domain::StoreImage&);
  void load_reservations(domain::StoreImage&);
  domain::RunnerId load_next_id();
  domain::RunnerId first_id(bool fresh, const std::filesystem::path& images) const;
  void publish_last_id();
  StoreError failure(const char* what, const SQLite::Exception&) const;

  DataFolder folder_;
  Warn warn_;
  std::unique_ptr<SQLite::Database> db_;
  std::unique_ptr<Statements> sql_;
  domain::RunnerId next_id_ = 1;      ///< as committed
  domain::RunnerId published_id_ = 0; ///< the one that `last-runner-id` was last written for
  bool publishing_fails_ = false;
  bool secrets_in_log_ = true;  ///< the last process may have left some
  bool secret_dropped_ = false; ///< in the transaction under way
};

Store::Impl::Impl(const std::filesystem::path& data, Warn warn, const std::filesystem::path& images)
    : folder_(data), warn_(warn ? std::move(warn) : [](const std::string&) {}) {
  auto fresh = !schema::exists(data);
  auto first = first_id(fresh, images);
  if (fresh)
    schema::create(data, first);
  db_ = schema::open(data);
  try {
    sql_ = std::make_unique<Statements>(*db_);
  } catch (const SQLite::Exception& error) {
    throw failure("read", error);
  }
  // An older system may have run meanwhile.
  domain::StoreBatch raise{ops::SetNextId{first}};
  if (load_next_id() < first)
    apply({&raise});
  next_id_ = load_next_id();
  publish_last_id();
}

domain::RunnerId Store::Impl::first_id(bool fresh, const std::filesystem::path& images) const {
  try {
    return first_free_id(folder_.path(), images);
  } catch (const StoreError& error) {
    if (fresh)
      throw;
    warn_(error.what());
    return 1;
  }
}

StoreError Store::Impl::failure(const char* what, const SQLite::Exception& error) const {
  auto text =
      std::string("can't ") + what + " " + (folder_.path() / "monitor.db").string() + ": " + error.what();
  if (auto code = sqlite3_system_errno(db_->getHandle()); code != 0 && error.getErrorCode() == SQLITE_IOERR)
    text += std::string(" (") + std::strerror(code) + ")";
  return StoreError(text);
}

void Store::Impl::apply(const std::vector<const domain::StoreBatch*>& batches) {
  secret_dropped_ = false;
  try {
    SQLite::Transaction transaction(*db_, SQLite::TransactionBehavior::IMMEDIATE);
    for (auto* batch : batches)
      for (auto& op : *batch)
        std::visit([this](auto& value) { write(value); }, op);
    auto next = load_next_id();
    transaction.commit();
    next_id_ = next;
  } catch (const SQLite::Exception& error) {
    throw failure("write", error);
  }
  secrets_in_log_ |= secret_dropped_;
  publish_last_id();
}

void Store::Impl::write(const ops::PutRunner& op) {
  {
    Use put(sql_->put_runner);
    rows::runner_fields(op.runner, put.bind());
    put.run();
  }
  // A row is never written without its id being spent, whatever the batch says.
  raise_next_id(op.runner.id + 1);
  auto& secret = op.runner.jit_config;
  secret_dropped_ |= Use(sql_->drop_other_secret).run(op.runner.id, secret) > 0;
  if (!secret.empty())
    Use(sql_->put_secret).run(op.runner.id, secret);
}

void Store::Impl::write(const ops::DropRunner& op) {
  secret_dropped_ |= Use(sql_->drop_secret).run(op.id) > 0;
  Use(sql_->drop_runner).run(op.id);
}

void Store::Impl::write(const ops::PutReservation& op) {
  auto& id = op.reservation.request.unique_id;
  {
    Use put(sql_->put_reservation);
    rows::reservation_fields(op.reservation, put.bind());
    put.run();
  }
  Use(sql_->drop_slots).run(id);
  std::int64_t position = 0;
  for (auto& slot : op.reservation.slots)
    Use(sql_->put_slot).run(id, position++, slot.runner, slot.state);
}

void Store::Impl::write(const ops::DropReservation& op) { Use(sql_->drop_reservation).run(op.unique_id); }

void Store::Impl::write(const ops::PutImage& op) {
  Use put(sql_->put_image);
  rows::image_fields(op.image, put.bind());
  put.run();
}

void Store::Impl::write(const ops::DropImage& op) { Use(sql_->drop_image).run(op.template_guest); }

void Store::Impl::write(const ops::AppendHistory& op) {
  auto& event = op.event;
  Use(sql_->append_history).run(event.at, event.event, event.runner, event.profile, event.detail);
  Use(sql_->cap_history).run(max_history_rows);
}

void Store::Impl::write(const ops::PruneHistory& op) { Use(sql_->prune_history).run(op.before); }

void Store::Impl::write(const ops::ShiftTimes& op) {
  Use(sql_->shift_runners).run(std::int64_t{op.by.count()});
  Use(sql_->shift_reservations).run(std::int64_t{op.by.count()});
  Use(sql_->shift_images).run(std::int64_t{op.by.count()});
}

void Store::Impl::write(const ops::SetNextId& op) { raise_next_id(op.next); }

void Store::Impl::write(const ops::SetNote& op) {
  if (op.value.empty())
    Use(sql_->drop_note).run(op.key);
  else
    Use(sql_->put_note).run(op.key, op.value);
}

void Store::Impl::raise_next_id(domain::RunnerId next) { Use(sql_->raise_next_id).run(next); }

domain::RunnerId Store::Impl::load_next_id() {
  Use query(sql_->load_next_id);
  if (!query.row())
    throw StoreError("the store has lost its next runner id");
  domain::RunnerId next = 1;
  rows::Reader(sql_->load_next_id).read(next);
  return next;
}

// The older system can't go on without it, but this one can.
void Store::Impl::publish_last_id() {
  auto last = next_id_ - 1;
  if (last == published_id_)
    return;
  try {
    write_last_runner_id(folder_.path(), last);
    published_id_ = last;
    publishing_fails_ = false;
  } catch (const StoreError& error) {
    if (!std::exchange(publishing_fails_, true))
      warn_(error.what());
  }
}

domain::StoreImage Store::Impl::load() {
  try {
    domain::StoreImage image;
    load_runners(image);
    load_reservations(image);
    for (Use query(sql_->load_images); query.row();)
      rows::image_fields(image.images.emplace_back(), rows::Reader(sql_->load_images));
    image.next_id = load_next_id();
    for (Use query(sql_->load_notes); query.row();) {
      auto& note = image.notes.emplace_back();
      rows::Reader reader(sql_->load_notes);
      reader.read(note.first);
      reader.read(note.second);
    }
    return image;
  } catch (const SQLite::Exception& error) {
    throw failure("read", error);
  }
}

void Store::Impl::load_runners(domain::StoreImage& image) {
  for (Use query(sql_->load_runners); query.row();)
    rows::runner_fields(image.runners.emplace_back(), rows::Reader(sql_->load_runners));
  auto runner = image.runners.begin();
  for (Use query(sql_->load_secrets); query.row();) {
    domain::RunnerId id = 0;
    rows::Reader reader(sql_->load_secrets);
    reader.read(id);
    runner = std::find_if(runner, image.runners.end(), [&](auto& r) { return r.id == id; });
    if (runner == image.runners.end())
      break; // both are by id, and no secret is without its runner
    reader.read(runner->jit_config);
  }
}

void Store::Impl::load_reservations(domain::StoreImage& image) {
  for (Use query(sql_->load_reservations); query.row();)
    rows::reservation_fields(image.reservations.emplace_back(), rows::Reader(sql_->load_reservations));
  auto reservation = image.reservations.begin();
  for (Use query(sql_->load_slots); query.row();) {
    std::string id;
    domain::ReservationSlot slot;
    rows::Reader reader(sql_->load_slots);
    reader.read(id);
    reader.read(slot.runner);
    reader.read(slot.state);
    reservation = std::find_if(reservation, image.reservations.end(),
                               [&](auto& r) { return r.request.unique_id == id; });
    if (reservation == image.reservations.end())
      break; // as above
    reservation->slots.push_back(slot);
  }
}

std::vector<domain::HistoryEvent> Store::Impl::history(std::size_t count) {
  try {
    std::vector<domain::HistoryEvent> result;
    Use query(sql_->load_history);
    query.begin(static_cast<std::int64_t>(count));
    while (query.row()) {
      auto& event = result.emplace_back();
      rows::Reader reader(sql_->load_history);
      reader.read(event.at);
      reader.read(event.event);
      reader.read(event.runner);
      reader.read(event.profile);
      reader.read(event.detail);
    }
    return result;
  } catch (const SQLite::Exception& error) {
    throw failure("read", error);
  }
}

void Store::Impl::tidy() {
  try {
    SQLite::Statement checkpoint(*db_, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (checkpoint.executeStep() && checkpoint.getColumn(0).getInt() == 0)
      secrets_in_log_ = false;
  } catch (const SQLite::Exception& error) {
    throw failure("tidy", error);
  }
}

Store::Store(const std::filesystem::path& data, Warn warn, const std::filesystem::path& images)
    : impl_(std::make_unique<Impl>(data, std::move(warn), images)) {}
Store::~Store() = default;
const std::filesystem::path& Store::folder() const { return impl_->folder(); }
void Store::apply(const domain::StoreBatch& batch) { impl_->apply({&batch}); }
void Store::apply_all(const std::vector<const domain::StoreBatch*>& batches) { impl_->apply(batches); }
domain::StoreImage Store::load() { return impl_->load(); }
std::vector<domain::HistoryEvent> Store::history(std::size_t count) { return impl_->history(count); }
bool Store::needs_tidying() const { return impl_->needs_tidying(); }
void Store::tidy() { impl_->tidy(); }

} // namespace ci::edge
