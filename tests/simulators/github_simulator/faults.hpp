#pragma once
/// Faults on demand: each lies in wait for the next requests of an operation.

#include "tests/simulators/github_simulator/http.hpp"

#include <deque>
#include <variant>

namespace ci::github_simulator {

struct Fault {
  Id id = 0;
  std::string operation = "*";
  std::string kind = "status";
  int status = 500;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<Json> body;
  int count = 1;          ///< how often; -1: always
  std::string runner;     ///< id or name of the runner it is limited to; empty: any
  double seconds = 0;     ///< how long a timeout or drip lasts; 0: as long as is usual for it
  std::int64_t bytes = 0; ///< how large a huge answer is; 0: as large as is usual

  /// Whether the operation is done although the client will not learn it.
  bool acts() const;
};

/// Of whom a request speaks. Either may be missing.
struct Mentioned {
  Id id = 0;
  std::string name;
};

class Faults {
 public:
  /// The fault's id, or what is wrong with it.
  std::variant<Id, std::string> add(const Json&);
  void clear();
  bool remove(Id);
  const std::deque<Fault>& all() const { return faults_; }
  /// The first that fits; it has then been used once. Those that forget are not among them.
  std::optional<Fault> take(const std::string& operation, const Mentioned&);
  /// Whether the runner is left out of this operation's answers.
  bool forgets(const std::string& operation, const Mentioned&) const;
  /// Counts a use for those that forget the runner: the answer, or the listing's last page, has been given.
  void forgotten(const std::string& operation, const Mentioned&);

  /// Grows with every change.
  std::uint64_t revision() const { return revision_; }

 private:
  std::deque<Fault> faults_;
  std::uint64_t revision_ = 0;
  Id last_ = 0;
};

Json to_json(const Fault&);

/// The answer instead of that of an operation which is not done.
Answer answer_instead(const Fault&, const Settings&);
/// Spoils the answer of an operation that was done.
void distort(Answer&, const Fault&, const Settings&);

} // namespace ci::github_simulator
