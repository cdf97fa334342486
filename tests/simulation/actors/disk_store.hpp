#pragma once
/// A real store in a folder of its own, opened anew by each process, and the comparison with what it must hold.

#include "tests/support/temp_folder.hpp"

#include "actors/edge/store.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>

namespace ci::test {

class DiskStore {
 public:
  /// As a process does at its start. The last one's must be closed by everyone.
  void open() {
    store_.reset();
    store_ = std::make_shared<edge::Store>(folder_.path());
  }
  const std::shared_ptr<edge::Store>& store() const { return store_; }

  /// What it holds otherwise than it must; empty: nothing.
  std::string difference(domain::StoreImage wanted) {
    auto found = store_->load();
    for (auto* image : {&wanted, &found})
      sort(*image);
    if (wanted.next_id != found.next_id)
      return "the next id";
    if (wanted.runners != found.runners)
      return "runners";
    if (wanted.images != found.images)
      return "images";
    if (wanted.notes != found.notes)
      return "notes";
    if (!std::equal(wanted.reservations.begin(), wanted.reservations.end(), found.reservations.begin(),
                    found.reservations.end(), same))
      return "reservations";
    return {};
  }

 private:
  static std::filesystem::path place() { // a disk would make each commit wait
    std::error_code error;
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory, error) ? memory : std::filesystem::temp_directory_path();
  }
  static void sort(domain::StoreImage& image) {
    auto by = [](auto& entries, auto key) {
      std::sort(entries.begin(), entries.end(), [&](auto& a, auto& b) { return key(a) < key(b); });
    };
    by(image.runners, [](auto& r) { return r.id; });
    by(image.reservations, [](auto& r) { return r.request.unique_id; });
    by(image.images, [](auto& i) { return i.template_guest; });
    by(image.notes, [](auto& note) { return note.first; });
  }
  static bool same(const domain::ReservationRecord& a, const domain::ReservationRecord& b) {
    auto rest = [](auto& r) {
      return std::tie(r.request.unique_id_spelt, r.phase, r.slots, r.created_at, r.granted_at, r.deadline, r.ended_at,
                      r.released);
    };
    return a.request.same_as(b.request) && rest(a) == rest(b);
  }

  TempFolder folder_{place()};
  std::shared_ptr<edge::Store> store_;
};

} // namespace ci::test
