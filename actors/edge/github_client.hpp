#pragma once
/// The part of GitHub's REST API that concerns self-hosted runners, as calls that answer by callback.

#include "actors/domain/github.hpp"
#include "actors/domain/github_runs.hpp"
#include "actors/edge/github_http.hpp"
#include "actors/edge/github_tokens.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ci::edge {

struct GithubOptions {
  /// May carry a path, as GitHub Enterprise's `/api/v3` does; a slash at its end is ignored.
  std::string api_url = "https://api.github.com";
  /// `/repos/<o>/<r>` or `/orgs/<o>`, percent-encoded where it needs be.
  std::string scope;
  /// A secret; not used where there is an App.
  std::string token;
  GithubApp app{};
  /// Connections, parallelism, time-outs and sizes of each exchange.
  HttpLimits http;
  /// A call other than a listing is answered within this, its wait for a turn included.
  domain::Duration call_timeout{20'000};
  domain::Duration listing_timeout{60'000};
  int max_pages = 200;
  /// How much of listings is remembered for conditional requests, in bytes of bodies; and a quarter of that of all else.
  std::size_t max_cached_bytes = std::size_t{16} << 20;
  /// Whether a download may be redirected to an address that is not of the internet at large and not the API's
  /// own; unset: only where the API itself is on this machine.
  std::optional<bool> private_redirects;
};

/// One HTTP exchange that was started, for metrics. Holds no secret.
struct GithubExchange {
  const char* operation = "";
  /// 0 where no answer came.
  int status = 0;
  double seconds = 0;
  /// Calls left of the hour's budget, where GitHub said so.
  std::optional<std::int64_t> rate_remaining;
};

/// Owns a thread in which callbacks run, unless there is nothing to send; they must neither block nor destroy the client.
/// Calls may come from any thread, never block and never throw on account of GitHub; each is answered exactly once.
///
/// With a GitHub App a call waits until there is a token of its installation; one that GitHub refuses (401) is replaced,
/// and the call sent once more. Without a token calls are `unauthorized`, with the time after which to come again.
///
/// What is read by id or for a run is asked for conditionally: where GitHub says that nothing changed, it is the last
/// answer that counts.
///
/// A redirect is followed once, for reads alone and only on the same origin, so that a renamed repository can
/// still be read; for writes it is `refused`.
class GithubClient {
 public:
  template <class T>
  using Callback = std::function<void(domain::GithubReply<T>)>;
  /// Called in the client's thread.
  using Observer = std::function<void(const GithubExchange&)>;

  explicit GithubClient(GithubOptions options, Observer observer = {});
  /// Calls still pending are answered `unreachable`, "stopping". Joins the thread; waits for no answer.
  ~GithubClient();
  GithubClient(const GithubClient&) = delete;
  GithubClient& operator=(const GithubClient&) = delete;

  /// All registrations, of all pages.
  void list(Callback<domain::RegistrationListing> done);
  void get(domain::RegistrationId id, Callback<domain::Registration> done);
  /// Those with exactly this name: none or one.
  void find(const std::string& name, Callback<std::vector<domain::Registration>> done);
  void generate_jitconfig(const domain::JitRequest& request, Callback<domain::JitRegistration> done);
  /// Answers all labels that the runner has afterwards.
  void add_labels(domain::RegistrationId id, const std::vector<std::string>& labels,
                  Callback<std::vector<std::string>> done);
  /// One DELETE for each label. A 404 may mean the label or the runner, and its words may change, so the
  /// runner is looked at then: `not_found` only if that is gone.
  void remove_labels(domain::RegistrationId id, std::vector<std::string> labels, Callback<domain::Done> done);
  /// `not_found` where it was gone already, `unprocessable` where it is busy.
  void remove(domain::RegistrationId id, Callback<domain::Done> done);

  // Of a workflow run; `repository` is `<owner>/<repo>`, already checked for syntax.
  void run(const std::string& repository, domain::RunId run, Callback<domain::WorkflowRun> done);
  /// All jobs of its latest attempt, of all pages.
  void jobs(const std::string& repository, domain::RunId run, Callback<std::vector<domain::WorkflowJob>> done);
  /// Its artifacts that have exactly this name; more than 100 of them are cut off.
  void artifacts(const std::string& repository, domain::RunId run, const std::string& name,
                 Callback<domain::ArtifactListing> done);
  /// The archive, which GitHub has another server deliver, or GitHub Enterprise Server itself: see may_deliver().
  /// It is asked without the token. Larger than `max_bytes`: the answer says so and holds nothing.
  void archive(const std::string& repository, std::int64_t artifact, std::size_t max_bytes,
               Callback<domain::ArtifactArchive> done);

  /// For exchanges that are started from now on. Of an App, whose key may have been changed: a renewal that failed may
  /// be tried again at once.
  void set_token(std::string token);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace ci::edge
