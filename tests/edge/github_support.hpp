#pragma once
/// What the tests of GitHub's client share.

#include "actors/edge/github_client.hpp"
#include "tests/edge/scripted_server.hpp"

#include <doctest/doctest.h>

#include <future>
#include <stdexcept>

namespace github_test {

using namespace ci::domain;
using ci::edge::GithubClient;
using ci::edge::GithubOptions;
using scripted::Answer;
using scripted::answer;
using scripted::Request;
using scripted::Server;
using Kind = GithubError::Kind;

inline const std::string token = "ghp_SECRETSECRETSECRET";
inline const std::string runners_path = "/repos/o/r/actions/runners";

inline GithubOptions options(const Server& server) {
  GithubOptions result;
  result.api_url = server.url();
  result.scope = "/repos/o/r";
  result.token = token;
  return result;
}

/// The reply to one call, which `start` makes with the callback it is given. Throws where none comes in 10 s.
template <class T, class Start>
GithubReply<T> reply_of(Start start) {
  auto promise = std::make_shared<std::promise<GithubReply<T>>>();
  auto future = promise->get_future();
  start([promise](GithubReply<T> reply) { promise->set_value(std::move(reply)); });
  if (future.wait_for(std::chrono::seconds{10}) != std::future_status::ready)
    throw std::runtime_error("no reply");
  return future.get();
}

inline GithubReply<RegistrationListing> list(GithubClient& client) {
  return reply_of<RegistrationListing>([&](auto done) { client.list(done); });
}
inline GithubReply<Registration> get(GithubClient& client, RegistrationId id) {
  return reply_of<Registration>([&](auto done) { client.get(id, done); });
}
inline GithubReply<std::vector<Registration>> find(GithubClient& client, const std::string& name) {
  return reply_of<std::vector<Registration>>([&](auto done) { client.find(name, done); });
}
inline GithubReply<JitRegistration> generate(GithubClient& client, const JitRequest& request) {
  return reply_of<JitRegistration>([&](auto done) { client.generate_jitconfig(request, done); });
}
inline GithubReply<std::vector<std::string>> label(GithubClient& client, RegistrationId id,
                                                   std::vector<std::string> labels) {
  return reply_of<std::vector<std::string>>([&](auto done) { client.add_labels(id, labels, done); });
}
inline GithubReply<Done> unlabel(GithubClient& client, RegistrationId id, std::vector<std::string> labels) {
  return reply_of<Done>([&](auto done) { client.remove_labels(id, labels, done); });
}
inline GithubReply<Done> remove(GithubClient& client, RegistrationId id) {
  return reply_of<Done>([&](auto done) { client.remove(id, done); });
}

/// As GitHub writes a runner.
inline std::string runner_json(RegistrationId id, const std::string& name, const std::string& labels = "") {
  return R"({"id":)" + std::to_string(id) + R"(,"name":")" + name +
         R"(","os":"unknown","status":"offline","busy":false,"runner_group_id":1,"ephemeral":true,"version":null,)" +
         R"("labels":[)" + labels + "]}";
}
inline std::string label_json(const std::string& name) {
  return R"({"id":7,"type":"custom","name":")" + name + R"("})";
}
/// A page of runners with these ids.
inline std::string page_json(std::int64_t total, const std::vector<RegistrationId>& ids) {
  std::string entries;
  for (const auto id : ids)
    entries += (entries.empty() ? "" : ",") + runner_json(id, "r" + std::to_string(id));
  return R"({"total_count":)" + std::to_string(total) + R"(,"runners":[)" + entries + "]}";
}

} // namespace github_test
