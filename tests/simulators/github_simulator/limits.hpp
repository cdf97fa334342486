#pragma once
/// Rate limits: the hour's budget, and the secondary limits on concurrency and points a minute.

#include "tests/simulators/github_simulator/http.hpp"

namespace ci::github_simulator {

class Limits {
 public:
  /// The answer to a request that is one too many. Otherwise the request is counted. `free` requests cost
  /// nothing of the hour's budget.
  std::optional<Answer> admit(const std::string& method, const std::string& operation, bool free,
                              const Settings&, Moment now);
  /// Takes back what admit() counted: a 304 costs nothing.
  void refund();
  /// An admitted request is through.
  void finished() { --in_flight_; }
  int in_flight() const { return in_flight_; }
  void add_headers(Answer&, const Settings&) const;
  /// `limit`, `used`, `remaining`, `reset`.
  Json budget(const Settings&) const;
  /// Begins a new hour where the old one is over.
  void advance(const Settings&, Moment now);

  nlohmann::json save() const;
  void load(const nlohmann::json&);

 private:
  std::optional<Answer> too_much_at_once(const std::string& method, const std::string& operation,
                                         const Settings&, Moment now);
  std::int64_t reset(const Settings&) const;

  struct Minute {
    Moment begins{};
    int points = 0; ///< or writes
  };

  Moment window_begins_{};
  int used_ = 0;
  int in_flight_ = 0;
  std::map<std::string, Minute> minutes_; ///< by operation
  Minute writes_;
};

} // namespace ci::github_simulator
