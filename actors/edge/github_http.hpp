#pragma once
/// HTTP exchanges with one server over libcurl's multi interface, many at a time, in one thread. Knows
/// nothing of what they mean.

#include "actors/domain/types.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace ci::edge {

/// Who goes first when more wants to be sent than may be in flight. Each step is a head start in time and no
/// absolute precedence, so that a listing comes through however many labels there are.
enum class HttpUrgency { urgent, normal, leisurely };

struct HttpRequest {
  /// A word for metrics; a literal.
  const char* operation = "";
  std::string method = "GET";
  std::string url;
  /// Sent as JSON where it is not empty.
  std::string body;
  std::string if_none_match;
  HttpUrgency urgency = HttpUrgency::normal;
  /// Answered by then, whether it was sent or not.
  domain::Steady deadline{};
  /// False for other parties than GitHub's API: neither the token nor a header of that API goes with it.
  bool with_token = true;
  /// Sent instead of the common token; called in the thread when the request's turn has come. Nothing: there is none,
  /// and the request is answered `unreachable`. A secret.
  std::function<std::optional<std::string>()> own_token{};
  /// Only addresses of the internet at large are connected to.
  bool public_only = false;
  /// Never sent twice: libcurl repeats a request whose connection, which had served before, ends without a word, and
  /// then nobody knows whether the first one acted. It goes over a connection of its own.
  bool once = false;
  /// Bytes of the body, after decompression; 0: HttpLimits says. A larger answer is cut off while it comes.
  std::size_t max_body_bytes = 0;
};

/// What came back. Exactly one call of HttpDone for each request.
struct HttpAnswer {
  enum class Fault {
    none,
    unreachable, ///< no connection, time-out, reset, cut off, stopped: may have acted, unless it is `unsent`
    malformed,   ///< too large, or no HTTP: may have acted
    no_token,    ///< never sent: there is no token to send with it
  };
  Fault fault = Fault::none;
  /// Of an unreachable one: no byte of the request has been handed to a connection.
  bool unsent = false;
  /// Of a fault: one line for people.
  std::string trouble;
  /// Where there is no token: when to come again.
  domain::Duration retry_after{0};
  /// Of a malformed one: it was larger than allowed.
  bool too_large = false;
  /// 0 where no answer came.
  int status = 0;
  /// Names in lower case; repeated ones joined by commas. Of the last header block.
  std::map<std::string, std::string> headers;
  std::string body;
  /// From the start of the exchange; 0 where it was never started.
  double seconds = 0;
  /// What went with it, so that it can be kept out of messages. A secret.
  std::string token_sent;

  /// Empty where there is none; `name` in lower case.
  const std::string& header(const std::string& name) const {
    static const std::string none;
    const auto found = headers.find(name);
    return found == headers.end() ? none : found->second;
  }
};
using HttpDone = std::function<void(HttpAnswer)>;

struct HttpLimits {
  int max_in_flight = 32;
  /// Requests that wait for their turn; further ones are answered `unreachable` at once.
  std::size_t max_queued = 4096;
  domain::Duration connect_timeout{5'000};
  domain::Duration exchange_timeout{15'000};
  std::size_t max_body_bytes = std::size_t{8} << 20; ///< after decompression
  std::size_t max_header_bytes = std::size_t{64} << 10;
};

/// The thread and its connections. Callbacks run in that thread, must not block and must not destroy this.
class GithubHttp {
 public:
  /// Called in the thread after each exchange that was started, before its HttpDone.
  using Observer = std::function<void(const HttpRequest&, const HttpAnswer&)>;

  GithubHttp(HttpLimits limits, std::string token, Observer observer);
  /// Answers everything that is pending with a fault, in the thread, and joins it.
  ~GithubHttp();
  GithubHttp(const GithubHttp&) = delete;
  GithubHttp& operator=(const GithubHttp&) = delete;

  /// Any thread. Never throws on account of the request, never blocks.
  void submit(HttpRequest request, HttpDone done);
  /// For exchanges that are started from now on. Any thread.
  void set_token(std::string token);

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

} // namespace ci::edge
