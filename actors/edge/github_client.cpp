#include "actors/edge/github_client.hpp"

#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_etags.hpp"
#include "actors/edge/github_limits.hpp"
#include "actors/edge/github_listing.hpp"
#include "actors/edge/github_runs.hpp"
#include "actors/edge/github_unlabel.hpp"
#include "actors/edge/github_url.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace ci::edge {

using domain::GithubReply;
using domain::RegistrationId;
using Json = nlohmann::json;

namespace {

std::string without_slash(std::string url) {
  while (!url.empty() && url.back() == '/')
    url.pop_back();
  return url;
}

/// Text that is no UTF-8 becomes such, rather than an exception.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

GithubHttp::Observer observe_with(GithubClient::Observer observer) {
  if (!observer)
    return {};
  return [observer = std::move(observer)](const HttpRequest& request, const HttpAnswer& answer) {
    GithubExchange exchange{request.operation, answer.status, answer.seconds, std::nullopt};
    if (const auto budget = read_budget(answer))
      exchange.rate_remaining = budget->remaining;
    observer(exchange);
  };
}

bool is_gone(const HttpAnswer& answer) {
  return answer.fault == HttpAnswer::Fault::none && (answer.status == 404 || answer.status == 410);
}

bool is_redirect(const HttpAnswer& answer) {
  return answer.status == 301 || answer.status == 302 || answer.status == 307 || answer.status == 308;
}

/// Of 100 each; GitHub starts at most 256 jobs of a matrix, and some more of other jobs.
constexpr int most_job_pages = 20;

/// What the server that delivers archives answered.
GithubReply<domain::ArtifactArchive> read_archive(const HttpAnswer& answer) {
  using Reply = GithubReply<domain::ArtifactArchive>;
  if (answer.too_large)
    return Reply::ok({{}, true});
  if (auto error = read_error(answer, 200))
    return Reply::failed(std::move(error));
  return Reply::ok({answer.body, false});
}

} // namespace

struct GithubClient::Impl {
  using Jobs = std::vector<domain::WorkflowJob>;

  Impl(GithubOptions o, Observer observer)
      : options(std::move(o)),
        runners(without_slash(options.api_url) + without_slash(options.scope) + "/actions/runners"),
        pages(options.max_cached_bytes), etags(options.max_cached_bytes / 4),
        http(options.http, options.app.id.empty() ? options.token : "", observe_with(std::move(observer))) {
    if (options.app.id.empty())
      return;
    const auto url = without_slash(options.api_url) + "/app/installations/" +
                     std::to_string(options.app.installation_id) + "/access_tokens";
    auto model = request("access_token", "POST", url, HttpUrgency::urgent);
    model.body = "{}"; // all that the App may do
    tokens = std::make_unique<GithubTokens>(
        options.app, std::move(model), options.call_timeout / 2,
        [this](HttpRequest request, HttpDone done) { http.submit(std::move(request), std::move(done)); },
        [this](std::string token) { http.set_token(std::move(token)); });
  }

  HttpRequest request(const char* operation, const char* method, std::string url, HttpUrgency urgency) const {
    HttpRequest result;
    result.operation = operation;
    result.method = method;
    result.url = std::move(url);
    result.urgency = urgency;
    result.deadline = std::chrono::steady_clock::now() + options.call_timeout;
    return result;
  }
  std::string runner(RegistrationId id) const { return runners + "/" + std::to_string(id); }

  /// With a token, which an App may have to get first. A 401 did nothing, so that any request may be repeated.
  void send(HttpRequest request, HttpDone done) {
    if (!tokens)
      return http.submit(std::move(request), std::move(done));
    auto first = [this, request, done](HttpAnswer answer) {
      if (answer.fault != HttpAnswer::Fault::none || answer.status != 401)
        return done(std::move(answer));
      tokens->refused(answer.token_sent);
      when_ready(request, done);
    };
    when_ready(std::move(request), std::move(first));
  }

  void when_ready(HttpRequest request, HttpDone done) {
    tokens->when_ready([this, request = std::move(request),
                        done = std::move(done)](const std::optional<domain::GithubError>& refusal) {
      if (!refusal)
        return http.submit(request, done);
      HttpAnswer answer;
      answer.fault = HttpAnswer::Fault::no_token;
      answer.trouble = refusal->message;
      answer.retry_after = refusal->retry_after;
      done(std::move(answer));
    });
  }

  void ask(HttpRequest request, HttpDone done) {
    if (request.method != "GET")
      return send(std::move(request), std::move(done));
    auto copy = request;
    send(std::move(request), [this, copy = std::move(copy), done = std::move(done)](HttpAnswer answer) {
      follow(copy, std::move(answer), done);
    });
  }

  /// Asks only whether it has changed, where it is known.
  void ask_changed(HttpRequest request, HttpDone done) {
    const auto known = etags.find(request.url);
    if (known)
      request.if_none_match = known->etag;
    const auto url = request.url;
    ask(std::move(request), [this, known, url, done = std::move(done)](HttpAnswer answer) {
      if (known && answer.fault == HttpAnswer::Fault::none && answer.status == 304)
        return done(GithubEtags::unchanged(*known, std::move(answer)));
      if (answer.fault == HttpAnswer::Fault::none && answer.status == 200)
        etags.put(url, answer);
      else if (is_gone(answer))
        etags.forget(url);
      done(std::move(answer));
    });
  }

  /// Of a GET: hands on the answer, or what it redirects to if that may have the token.
  void follow(HttpRequest request, HttpAnswer answer, const HttpDone& done) {
    if (answer.fault != HttpAnswer::Fault::none || !is_redirect(answer))
      return done(std::move(answer));
    const auto target = same_origin(request.url, answer.header("location"));
    if (!target)
      return done(std::move(answer));
    request.url = *target;
    send(std::move(request), done);
  }

  std::string run_url(const std::string& repository, domain::RunId run) const {
    return without_slash(options.api_url) + "/repos/" + repository + "/actions/runs/" + std::to_string(run);
  }

  void collect_jobs(HttpRequest request, Jobs jobs, int pages_left,
                    Callback<Jobs> done);
  void download(const HttpRequest& first, const HttpAnswer& answer, Callback<domain::ArtifactArchive> done);

  GithubAsk asker() {
    return [this](HttpRequest request, HttpDone done) { ask(std::move(request), std::move(done)); };
  }
  void list(HttpRequest first, GithubPageCache* cache, GithubListing::Done done) {
    first.deadline = std::chrono::steady_clock::now() + options.listing_timeout;
    const GithubListing::Limits limits{options.max_pages, 3};
    std::make_shared<GithubListing>(std::move(first), limits, asker(), cache, std::move(done))->start();
  }

  const GithubOptions options;
  const std::string runners;
  GithubPageCache pages;
  GithubEtags etags;
  std::unique_ptr<GithubTokens> tokens; ///< null: there is no App
  GithubHttp http;                      ///< the last one: its thread uses the rest
};

/// The next page, until there is none.
void GithubClient::Impl::collect_jobs(HttpRequest request, Jobs jobs, int pages_left, Callback<Jobs> done) {
  auto copy = request;
  ask_changed(std::move(request), [this, copy = std::move(copy), jobs = std::move(jobs), pages_left,
                           done = std::move(done)](const HttpAnswer& answer) mutable {
    auto page = read_jobs(answer);
    if (!page)
      return done(GithubReply<Jobs>::failed(std::move(page.error)));
    std::move(page.value->jobs.begin(), page.value->jobs.end(), std::back_inserter(jobs));
    const auto next = same_origin(copy.url, page.value->next);
    if (page.value->next.empty()) {
      auto reply = GithubReply<Jobs>::ok(std::move(jobs));
      reply.budget = page.budget;
      return done(std::move(reply));
    }
    if (!next || pages_left <= 1)
      return done(GithubReply<Jobs>::failed(malformed(answer, "the pages of jobs lead nowhere")));
    copy.url = *next;
    collect_jobs(std::move(copy), std::move(jobs), pages_left - 1, std::move(done));
  });
}

/// Of the API's own answer, which is to be a redirect.
void GithubClient::Impl::download(const HttpRequest& first, const HttpAnswer& answer,
                                  Callback<domain::ArtifactArchive> done) {
  if (answer.fault != HttpAnswer::Fault::none || !is_redirect(answer))
    return done(read_archive(answer));
  const auto target = answer.header("location");
  if (!may_deliver(options.api_url, target))
    return done(GithubReply<domain::ArtifactArchive>::failed(
        {domain::GithubError::Kind::refused, answer.status, "the archive is said to be where it must not be"}));
  auto request = first;
  request.operation = "download";
  request.url = target;
  request.with_token = false;
  // The API itself is asked wherever it is.
  request.public_only = origin_of(target) != origin_of(options.api_url) &&
                        !options.private_redirects.value_or(is_loopback_url(options.api_url));
  http.submit(std::move(request),
              [done = std::move(done)](const HttpAnswer& delivered) { done(read_archive(delivered)); });
}

GithubClient::GithubClient(GithubOptions options, Observer observer)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(observer))) {}

GithubClient::~GithubClient() = default;

void GithubClient::list(Callback<domain::RegistrationListing> done) {
  auto first = impl_->request("list", "GET", impl_->runners + "?per_page=100", HttpUrgency::leisurely);
  impl_->list(std::move(first), &impl_->pages, std::move(done));
}

void GithubClient::get(RegistrationId id, Callback<domain::Registration> done) {
  impl_->ask_changed(impl_->request("get", "GET", impl_->runner(id), HttpUrgency::urgent),
             [id, done = std::move(done)](const HttpAnswer& answer) { done(read_runner(answer, id)); });
}

void GithubClient::find(const std::string& name, Callback<std::vector<domain::Registration>> done) {
  using Reply = GithubReply<std::vector<domain::Registration>>;
  const auto url = impl_->runners + "?name=" + percent_encode(name) + "&per_page=100";
  auto exact = [name, done = std::move(done)](GithubReply<domain::RegistrationListing> all) {
    Reply reply;
    reply.error = std::move(all.error);
    reply.budget = all.budget;
    if (all) {
      std::erase_if(all.value->runners, [&name](const auto& runner) { return runner.name != name; });
      reply.value = std::move(all.value->runners);
    }
    done(std::move(reply));
  };
  impl_->list(impl_->request("find", "GET", url, HttpUrgency::normal), nullptr, std::move(exact));
}

void GithubClient::generate_jitconfig(const domain::JitRequest& asked,
                                      Callback<domain::JitRegistration> done) {
  auto request =
      impl_->request("register", "POST", impl_->runners + "/generate-jitconfig", HttpUrgency::normal);
  request.once = true; // else a name that is taken could be the first one's
  request.body = dump({{"name", asked.name},
                       {"runner_group_id", asked.runner_group_id},
                       {"labels", asked.labels},
                       {"work_folder", asked.work_folder}});
  impl_->ask(std::move(request), [name = asked.name, done = std::move(done)](const HttpAnswer& answer) {
    done(read_jit(answer, name));
  });
}

void GithubClient::add_labels(RegistrationId id, const std::vector<std::string>& labels,
                              Callback<std::vector<std::string>> done) {
  auto request = impl_->request("label", "POST", impl_->runner(id) + "/labels", HttpUrgency::urgent);
  request.body = dump({{"labels", labels}});
  impl_->ask(std::move(request),
             [done = std::move(done)](const HttpAnswer& answer) { done(read_labels(answer)); });
}

void GithubClient::remove_labels(RegistrationId id, std::vector<std::string> labels,
                                 Callback<domain::Done> done) {
  auto request = impl_->request("unlabel", "DELETE", impl_->runner(id), HttpUrgency::urgent);
  std::make_shared<GithubUnlabel>(std::move(request), id, std::move(labels), impl_->asker(), std::move(done))
      ->next();
}

void GithubClient::remove(RegistrationId id, Callback<domain::Done> done) {
  auto request = impl_->request("delete", "DELETE", impl_->runner(id), HttpUrgency::urgent);
  const auto url = request.url;
  impl_->ask(std::move(request), [impl = impl_.get(), url, done = std::move(done)](const HttpAnswer& answer) {
    auto reply = read_deleted(answer);
    if (reply || is_gone(answer))
      impl->etags.forget(url);
    done(std::move(reply));
  });
}

void GithubClient::run(const std::string& repository, domain::RunId run, Callback<domain::WorkflowRun> done) {
  impl_->ask_changed(impl_->request("run", "GET", impl_->run_url(repository, run), HttpUrgency::normal),
             [run, done = std::move(done)](const HttpAnswer& answer) { done(read_run(answer, run)); });
}

void GithubClient::jobs(const std::string& repository, domain::RunId run,
                        Callback<std::vector<domain::WorkflowJob>> done) {
  auto url = impl_->run_url(repository, run) + "/jobs?filter=latest&per_page=100";
  impl_->collect_jobs(impl_->request("jobs", "GET", std::move(url), HttpUrgency::normal), {}, most_job_pages,
                      std::move(done));
}

void GithubClient::artifacts(const std::string& repository, domain::RunId run, const std::string& name,
                             Callback<domain::ArtifactListing> done) {
  auto url = impl_->run_url(repository, run) + "/artifacts?name=" + percent_encode(name) + "&per_page=100";
  impl_->ask_changed(impl_->request("artifacts", "GET", std::move(url), HttpUrgency::normal),
             [name, done = std::move(done)](const HttpAnswer& answer) {
               auto reply = read_artifacts(answer);
               if (reply)
                 std::erase_if(reply.value->artifacts, [&](const auto& a) { return a.name != name; });
               done(std::move(reply));
             });
}

void GithubClient::archive(const std::string& repository, std::int64_t artifact, std::size_t max_bytes,
                           Callback<domain::ArtifactArchive> done) {
  auto url = without_slash(impl_->options.api_url) + "/repos/" + repository + "/actions/artifacts/" +
             std::to_string(artifact) + "/zip";
  auto request = impl_->request("archive", "GET", std::move(url), HttpUrgency::normal);
  request.max_body_bytes = max_bytes;
  auto copy = request;
  impl_->send(std::move(request), [impl = impl_.get(), copy = std::move(copy),
                                   done = std::move(done)](const HttpAnswer& answer) {
    impl->download(copy, answer, done);
  });
}

void GithubClient::set_token(std::string token) {
  if (impl_->tokens)
    return impl_->tokens->try_again();
  impl_->http.set_token(std::move(token));
  impl_->pages.clear();
  impl_->etags.clear();
}

} // namespace ci::edge
