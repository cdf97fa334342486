#pragma once
/// The store's prepared statements, and how they are used.

#include "actors/edge/store_rows.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace ci::edge {

/// A prepared statement for the time of one use. Afterwards it holds neither a lock nor a copy of what was
/// bound.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) : statement_(statement), bind_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    statement_.tryReset();
    statement_.clearBindings(); // sqlite3_clear_bindings() can't fail
  }
  /// Runs it to its end with these parameters; how many rows that changed.
  template <class... Args>
  int run(const Args&... args) {
    (bind_.add(args), ...);
    return statement_.exec();
  }
  template <class... Args>
  void begin(const Args&... args) {
    (bind_.add(args), ...);
  }
  bool row() { return statement_.executeStep(); }
  rows::Binder& bind() { return bind_; }

 private:
  SQLite::Statement& statement_;
  rows::Binder bind_;
};

/// Every statement, prepared once.
struct Statements {
  explicit Statements(SQLite::Database& db)
      : put_runner(db, rows::put_runner_sql()),
        put_secret(db, "INSERT INTO secret(runner,jit_config) VALUES(?,?) ON CONFLICT DO NOTHING"),
        drop_other_secret(db, "DELETE FROM secret WHERE runner=? AND jit_config<>?"),
        drop_secret(db, "DELETE FROM secret WHERE runner=?"),
        drop_runner(db, "DELETE FROM runner WHERE id=?"), put_reservation(db, rows::put_reservation_sql()),
        drop_slots(db, "DELETE FROM slot WHERE unique_id=?"),
        put_slot(db, "INSERT INTO slot(unique_id,position,runner,state) VALUES(?,?,?,?)"),
        drop_reservation(db, "DELETE FROM reservation WHERE unique_id=?"),
        append_history(db, "INSERT INTO history(at,event,runner,profile,detail) VALUES(?,?,?,?,?)"),
        cap_history(db, "DELETE FROM history WHERE number<=(SELECT max(number) FROM history)-?"),
        prune_history(db, "DELETE FROM history WHERE at<?"),
        shift_runners(db, "UPDATE runner SET created_at=created_at+?1,jit_served_at=jit_served_at+?1,"
                          "online_at=online_at+?1,ended_at=ended_at+?1"),
        shift_reservations(db, "UPDATE reservation SET created_at=created_at+?1,granted_at=granted_at+?1,"
                               "deadline=deadline+?1,ended_at=ended_at+?1"),
        shift_images(db, "UPDATE image SET ordered_at=ordered_at+?1"),
        put_image(db, rows::put_image_sql()),
        drop_image(db, "DELETE FROM image WHERE template_guest=?"),
        load_images(db, rows::load_images_sql()),
        raise_next_id(db, "UPDATE next_id SET id=?1 WHERE id<?1"),
        put_note(
            db,
            "INSERT INTO note(key,value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value"),
        drop_note(db, "DELETE FROM note WHERE key=?"), load_runners(db, rows::load_runners_sql()),
        load_secrets(db, "SELECT runner,jit_config FROM secret ORDER BY runner"),
        load_reservations(db, rows::load_reservations_sql()),
        load_slots(db, "SELECT unique_id,runner,state FROM slot ORDER BY unique_id,position"),
        load_notes(db, "SELECT key,value FROM note ORDER BY key"), load_next_id(db, "SELECT id FROM next_id"),
        load_history(db, "SELECT at,event,runner,profile,detail FROM history ORDER BY number DESC LIMIT ?") {}

  SQLite::Statement put_runner, put_secret, drop_other_secret, drop_secret, drop_runner, put_reservation,
      drop_slots, put_slot, drop_reservation, append_history, cap_history, prune_history, shift_runners,
      shift_reservations, shift_images, put_image, drop_image, load_images, raise_next_id, put_note, drop_note, load_runners, load_secrets, load_reservations,
      load_slots, load_notes, load_next_id, load_history;
};

} // namespace ci::edge
