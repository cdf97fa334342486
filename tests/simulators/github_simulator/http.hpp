#pragma once
/// Requests and answers as values, with the ways in which an answer can fail to arrive.

#include "tests/simulators/github_simulator/records.hpp"
#include "tests/simulators/github_simulator/settings.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ci::github_simulator {

struct Request {
  std::string method{};
  std::string path{};                           ///< as it came, still encoded
  std::string query{};                          ///< as it came, without the `?`
  std::map<std::string, std::string> headers{}; ///< names in lower case
  std::string body{};

  /// Empty where there is no such header.
  const std::string& header(const std::string& name) const {
    static const std::string none;
    const auto it = headers.find(name);
    return it == headers.end() ? none : it->second;
  }
};

/// How the answer travels.
enum class Delivery {
  whole,
  held,      ///< nothing is sent for `spread`, then the connection is closed
  reset,     ///< the connection is reset (RST) without an answer
  closed,    ///< the connection is closed (FIN) without an answer
  truncated, ///< the connection is closed in the middle of the body
  dripped,   ///< the body comes in small pieces over `spread`
};

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  Delivery delivery = Delivery::whole;
  Duration delay{0};
  Duration spread{0};

  /// Not 0: there is no answer yet, the poll of this runner waits until `wait_until` or until Api::resume()
  /// has one.
  Id waiting = 0;
  Moment wait_until{};
  /// Not 0: the answer gives this runner a job, which is queued again where it does not arrive.
  Id gives_job_to = 0;
  /// Whether Api::answered() has to be told when the answer is through.
  bool counted = false;

  void set_header(const std::string& name, const std::string& value);
  void drop_header(const std::string& name);
};

Answer json_answer(int status, const Json& body);
/// GitHub's `basic-error`.
Answer error_answer(int status, const std::string& message, const std::string& documentation = {});
/// An error of the control API or the runner protocol.
Answer plain_error(int status, const std::string& message);
/// A body that holds invalid UTF-8 must not end the program.
std::string dumped(const Json&);

} // namespace ci::github_simulator
