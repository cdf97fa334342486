#include "actors/github_link.hpp"

namespace ci {

using namespace domain;

namespace {

/// Called in the client's thread.
void report_exchange(const metrics_actor& metrics, const edge::GithubExchange& exchange) {
  const auto status = exchange.status == 0 ? std::string{"none"} : std::to_string(exchange.status);
  const std::string operation = exchange.operation;
  caf::anon_send(metrics, count_atom::value, std::string{"ci_monitor_github_calls_total"},
                 MetricLabels{{"operation", operation}, {"status", status}}, 1.0);
  caf::anon_send(metrics, time_atom::value, std::string{"ci_monitor_github_call_seconds"},
                 MetricLabels{{"operation", operation}}, exchange.seconds);
  if (exchange.rate_remaining)
    caf::anon_send(metrics, gauge_atom::value, std::string{"ci_monitor_github_rate_limit_remaining"},
                   MetricLabels{}, static_cast<double>(*exchange.rate_remaining));
}

} // namespace

GithubLink::GithubLink(caf::actor_config& config, MeterPtr meter, metrics_actor metrics,
                       edge::GithubOptions options)
    : Metered(config, std::move(meter)), metrics_(std::move(metrics)), options_(std::move(options)) {}

template <class Reply, class Start>
caf::typed_response_promise<Reply> GithubLink::call(Start start) {
  auto promise = make_response_promise<Reply>();
  const auto id = calls_.add<Reply>(promise);
  start([self = self_, id](Reply reply) {
    caf::anon_send(self, answer_atom::value, id, GithubAnswer{std::move(reply)});
  });
  return promise;
}

GithubLink::behavior_type GithubLink::make_behavior() {
  self_ = caf::actor_cast<github_link_root_actor>(this);
  client_ = std::make_unique<edge::GithubClient>(
      std::move(options_),
      [metrics = metrics_](const edge::GithubExchange& exchange) { report_exchange(metrics, exchange); });
  auto& client = *client_;
  return {
      [this, &client](list_atom, Steady) {
        return call<detail::ListReply>([&](auto done) { client.list(std::move(done)); });
      },
      [this, &client](fetch_atom, RegistrationId id) {
        return call<detail::FetchReply>([&](auto done) { client.get(id, std::move(done)); });
      },
      [this, &client](find_atom, const std::string& name) {
        return call<detail::FindReply>([&](auto done) { client.find(name, std::move(done)); });
      },
      [this, &client](register_atom, const JitRequest& request) {
        return call<detail::RegisterReply>(
            [&](auto done) { client.generate_jitconfig(request, std::move(done)); });
      },
      [this, &client](label_atom, RegistrationId id, const std::vector<std::string>& labels) {
        return call<detail::LabelReply>([&](auto done) { client.add_labels(id, labels, std::move(done)); });
      },
      [this, &client](unlabel_atom, RegistrationId id, const std::vector<std::string>& labels) {
        return call<detail::DoneReply>([&](auto done) { client.remove_labels(id, labels, std::move(done)); });
      },
      [this, &client](delete_atom, RegistrationId id) {
        return call<detail::DoneReply>([&](auto done) { client.remove(id, std::move(done)); });
      },
      [this, &client](run_atom, const std::string& repository, RunId run) {
        return call<detail::RunReply>([&](auto done) { client.run(repository, run, std::move(done)); });
      },
      [this, &client](jobs_atom, const std::string& repository, RunId run) {
        return call<detail::JobsReply>([&](auto done) { client.jobs(repository, run, std::move(done)); });
      },
      [this, &client](artifs_atom, const std::string& repository, RunId run, const std::string& name) {
        return call<detail::ArtifactsReply>(
            [&](auto done) { client.artifacts(repository, run, name, std::move(done)); });
      },
      [this, &client](archive_atom, const std::string& repository, std::int64_t id, std::uint64_t max_bytes) {
        return call<detail::ArchiveReply>(
            [&](auto done) { client.archive(repository, id, max_bytes, std::move(done)); });
      },
      [&client](token_atom, const std::string& token) { client.set_token(token); },
      [this](answer_atom, std::uint64_t id, GithubAnswer& answer) { calls_.answer(id, std::move(answer)); },
  };
}

void GithubLink::on_exit() {
  calls_.fail_all(github_stopping());
  client_.reset();
  metrics_ = nullptr;
  self_ = nullptr;
  Metered::on_exit();
}

} // namespace ci
