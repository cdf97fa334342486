#include "actors/edge/store_rows.hpp"

#include "actors/edge/data_folder.hpp"

#include <type_traits>
#include <vector>

namespace ci::edge::rows {
namespace {

using domain::ImagePhase;
using domain::Phase;
using domain::ReservationPhase;
using domain::SlotState;

/// A word stands in the file for as long as there are stores: never change one, whatever the API calls it.
template <class Enum>
struct Word {
  Enum value;
  const char* text;
};
constexpr Word<Phase> phases[] = {{Phase::creating, "creating"},
                                  {Phase::live, "live"},
                                  {Phase::destroying, "destroying"},
                                  {Phase::gone, "gone"}};
constexpr Word<ReservationPhase> reservation_phases[] = {{ReservationPhase::pending, "pending"},
                                                         {ReservationPhase::undoing, "undoing"},
                                                         {ReservationPhase::granted, "granted"},
                                                         {ReservationPhase::releasing, "releasing"},
                                                         {ReservationPhase::ended, "ended"}};
constexpr Word<ImagePhase> image_phases[] = {{ImagePhase::building, "building"},
                                             {ImagePhase::sealing, "sealing"},
                                             {ImagePhase::trial, "trial"},
                                             {ImagePhase::ready, "ready"},
                                             {ImagePhase::discarding, "discarding"}};
constexpr Word<SlotState> slot_states[] = {
    {SlotState::chosen, "chosen"},   {SlotState::labelled, "labelled"}, {SlotState::confirmed, "confirmed"},
    {SlotState::started, "started"}, {SlotState::finished, "finished"}, {SlotState::given_up, "given_up"},
    {SlotState::unlabel, "unlabel"}, {SlotState::released, "released"}};

template <class Enum, std::size_t n>
std::string text_of(const Word<Enum> (&words)[n], Enum value) {
  for (auto& word : words)
    if (word.value == value)
      return word.text;
  throw StoreError("the store has no word for value " +
                   std::to_string(static_cast<std::underlying_type_t<Enum>>(value)));
}

template <class Enum, std::size_t n>
Enum value_of(const Word<Enum> (&words)[n], const std::string& text, const char* column) {
  for (auto& word : words)
    if (text == word.text)
      return word.value;
  throw StoreError("the store holds the unknown word '" + text + "' in the column " + column);
}

struct Table {
  std::string name, key;
  std::vector<std::string> columns;
};

Table runner_table() {
  Table table{"runner", "id", {}};
  domain::RunnerRecord record;
  runner_fields(record, [&](const char* column, auto&) { table.columns.emplace_back(column); });
  return table;
}

Table reservation_table() {
  Table table{"reservation", "unique_id", {}};
  domain::ReservationRecord record;
  reservation_fields(record, [&](const char* column, auto&) { table.columns.emplace_back(column); });
  return table;
}

Table image_table() {
  Table table{"image", "template_guest", {}};
  domain::ImageRecord record;
  image_fields(record, [&](const char* column, auto&) { table.columns.emplace_back(column); });
  return table;
}

std::string list(const Table& table) {
  std::string result;
  for (auto& column : table.columns)
    result += (result.empty() ? "" : ",") + column;
  return result;
}

std::string put_sql(const Table& table) {
  std::string marks, updates;
  for (auto& column : table.columns) {
    marks += marks.empty() ? "?" : ",?";
    if (column != table.key)
      updates += (updates.empty() ? "" : ",") + column + "=excluded." + column;
  }
  return "INSERT INTO " + table.name + "(" + list(table) + ") VALUES(" + marks + ") ON CONFLICT(" +
         table.key + ") DO UPDATE SET " + updates;
}

std::string load_sql(const Table& table) {
  return "SELECT " + list(table) + " FROM " + table.name + " ORDER BY " + table.key;
}

} // namespace

void Binder::add(Phase value) { add(text_of(phases, value)); }
void Binder::add(ReservationPhase value) { add(text_of(reservation_phases, value)); }
void Binder::add(SlotState value) { add(text_of(slot_states, value)); }

void Binder::add(ImagePhase value) { add(text_of(image_phases, value)); }

void Reader::read(ImagePhase& value) {
  value = value_of(image_phases, next().getString(), "image.phase");
}
void Reader::read(Phase& value) { value = value_of(phases, next().getString(), "runner.phase"); }
void Reader::read(ReservationPhase& value) {
  value = value_of(reservation_phases, next().getString(), "reservation.phase");
}
void Reader::read(SlotState& value) { value = value_of(slot_states, next().getString(), "slot.state"); }

std::string put_runner_sql() { return put_sql(runner_table()); }
std::string put_reservation_sql() { return put_sql(reservation_table()); }
std::string put_image_sql() { return put_sql(image_table()); }
std::string load_images_sql() { return load_sql(image_table()); }
std::string load_runners_sql() { return load_sql(runner_table()); }
std::string load_reservations_sql() { return load_sql(reservation_table()); }

} // namespace ci::edge::rows
