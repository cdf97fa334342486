#include "actors/edge/github_client.hpp"

#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_limits.hpp"
#include "actors/edge/github_listing.hpp"
#include "actors/edge/github_unlabel.hpp"
#include "actors/edge/github_url.hpp"

#include <nlohmann/json.hpp>

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

bool is_redirect(const HttpAnswer& answer) {
  return answer.status == 301 || answer.status == 302 || answer.status == 307 || answer.status == 308;
}

} // namespace

struct GithubClient::Impl {
  Impl(GithubOptions o, Observer observer)
      : options(std::move(o)),
        runners(without_slash(options.api_url) + without_slash(options.scope) + "/actions/runners"),
        pages(options.max_cached_bytes),
        http(options.http, options.token, observe_with(std::move(observer))) {}

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

  void ask(HttpRequest request, HttpDone done) {
    if (request.method != "GET")
      return http.submit(std::move(request), std::move(done));
    auto copy = request;
    http.submit(std::move(request), [this, copy = std::move(copy), done = std::move(done)](
                                        HttpAnswer answer) { follow(copy, std::move(answer), done); });
  }

  /// Of a GET: hands on the answer, or what it redirects to if that may have the token.
  void follow(HttpRequest request, HttpAnswer answer, const HttpDone& done) {
    if (answer.fault != HttpAnswer::Fault::none || !is_redirect(answer))
      return done(std::move(answer));
    const auto target = same_origin(request.url, answer.header("location"));
    if (!target)
      return done(std::move(answer));
    request.url = *target;
    http.submit(std::move(request), done);
  }

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
  GithubHttp http; ///< the last one: its thread uses the rest
};

GithubClient::GithubClient(GithubOptions options, Observer observer)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(observer))) {}

GithubClient::~GithubClient() = default;

void GithubClient::list(Callback<domain::RegistrationListing> done) {
  auto first = impl_->request("list", "GET", impl_->runners + "?per_page=100", HttpUrgency::leisurely);
  impl_->list(std::move(first), &impl_->pages, std::move(done));
}

void GithubClient::get(RegistrationId id, Callback<domain::Registration> done) {
  impl_->ask(impl_->request("get", "GET", impl_->runner(id), HttpUrgency::urgent),
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
  impl_->ask(impl_->request("delete", "DELETE", impl_->runner(id), HttpUrgency::urgent),
             [done = std::move(done)](const HttpAnswer& answer) { done(read_deleted(answer)); });
}

void GithubClient::set_token(std::string token) {
  impl_->http.set_token(std::move(token));
  impl_->pages.clear();
}

} // namespace ci::edge
