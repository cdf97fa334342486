#pragma once
/// The store's promises without its file: what a batch does to what a later process will load.

#include "actors/domain/store.hpp"

#include <algorithm>
#include <type_traits>

namespace ci::test {

inline void put(domain::StoreImage& image, const domain::store::PutRunner& op) {
  std::erase_if(image.runners, [&](auto& r) { return r.id == op.runner.id; });
  image.runners.push_back(op.runner);
}
inline void put(domain::StoreImage& image, const domain::store::DropRunner& op) {
  std::erase_if(image.runners, [&](auto& r) { return r.id == op.id; });
}
inline void put(domain::StoreImage& image, const domain::store::PutReservation& op) {
  auto& uid = op.reservation.request.unique_id;
  std::erase_if(image.reservations, [&](auto& r) { return r.request.unique_id == uid; });
  image.reservations.push_back(op.reservation);
}
inline void put(domain::StoreImage& image, const domain::store::DropReservation& op) {
  std::erase_if(image.reservations, [&](auto& r) { return r.request.unique_id == op.unique_id; });
}
inline void put(domain::StoreImage& image, const domain::store::SetNextId& op) {
  image.next_id = std::max(image.next_id, op.next);
}
inline void put(domain::StoreImage& image, const domain::store::ShiftTimes& op) {
  auto move = [&](auto& time) {
    if (time)
      *time += op.by;
  };
  for (auto& r : image.runners) {
    r.created_at += op.by;
    move(r.jit_served_at);
    move(r.online_at);
    move(r.ended_at);
  }
  for (auto& r : image.reservations) {
    r.created_at += op.by;
    move(r.granted_at);
    move(r.deadline);
    move(r.ended_at);
  }
  for (auto& i : image.images)
    i.ordered_at += op.by;
}
inline void put(domain::StoreImage& image, const domain::store::PutImage& op) {
  std::erase_if(image.images, [&](auto& i) { return i.template_guest == op.image.template_guest; });
  image.images.push_back(op.image);
}
inline void put(domain::StoreImage& image, const domain::store::DropImage& op) {
  std::erase_if(image.images, [&](auto& i) { return i.template_guest == op.template_guest; });
}
inline void put(domain::StoreImage& image, const domain::store::SetNote& op) {
  std::erase_if(image.notes, [&](auto& note) { return note.first == op.key; });
  if (!op.value.empty())
    image.notes.emplace_back(op.key, op.value);
}
// The history is no part of what is loaded.
inline void put(domain::StoreImage&, const domain::store::AppendHistory&) {}
inline void put(domain::StoreImage&, const domain::store::PruneHistory&) {}

/// Commits the batch.
inline void commit(domain::StoreImage& image, const domain::StoreBatch& batch) {
  for (auto& op : batch)
    std::visit([&](auto& x) { put(image, x); }, op);
}

} // namespace ci::test
