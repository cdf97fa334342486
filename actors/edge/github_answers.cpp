#include "actors/edge/github_answers.hpp"

#include "actors/edge/github_json.hpp"
#include "actors/edge/github_url.hpp"

namespace ci::edge {

using domain::GithubError;
using domain::GithubReply;
using domain::Registration;
using Kind = GithubError::Kind;

namespace {

constexpr std::size_t longest_message = 200;
constexpr std::size_t longest_error_body = 64 << 10;

std::optional<std::vector<std::string>> labels_of(const Json& object) {
  const auto* list = array_member(object, "labels");
  if (!list)
    return std::nullopt;
  std::vector<std::string> result;
  for (const auto& label : *list) {
    auto name = json_member<std::string>(label, "name");
    if (!name)
      return std::nullopt;
    result.push_back(std::move(*name));
  }
  return result;
}

std::optional<Registration> runner_of(const Json& object) {
  const auto id = json_member<std::int64_t>(object, "id");
  auto name = json_member<std::string>(object, "name");
  auto status = json_member<std::string>(object, "status");
  const auto busy = json_member<bool>(object, "busy");
  auto labels = labels_of(object);
  if (!id || *id <= 0 || !name || !status || !busy || !labels)
    return std::nullopt;
  return Registration{*id, std::move(*name), std::move(*status), *busy, std::move(*labels)};
}

std::string message_of(const HttpAnswer& answer) {
  std::optional<std::string> said;
  if (answer.body.size() <= longest_error_body)
    said = json_member<std::string>(parse_json(answer.body), "message");
  const auto text = said && !said->empty() ? *said : "HTTP " + std::to_string(answer.status);
  return clean_message(text, answer.token_sent);
}

Kind kind_of(int status) {
  switch (status) {
  case 404:
  case 410:
    return Kind::not_found;
  case 409:
    return Kind::conflict;
  case 422:
    return Kind::unprocessable;
  case 401:
  case 403:
    return Kind::unauthorized;
  default:
    break;
  }
  if (status >= 500)
    return Kind::server;
  return status >= 300 ? Kind::refused : Kind::malformed;
}

GithubError faulty(const HttpAnswer& answer) {
  if (answer.fault == HttpAnswer::Fault::no_token)
    return {Kind::unauthorized, 0, clean_message(answer.trouble, answer.token_sent), answer.retry_after};
  const auto kind = answer.fault == HttpAnswer::Fault::malformed ? Kind::malformed : Kind::unreachable;
  GithubError error{kind, answer.status, clean_message(answer.trouble, answer.token_sent)};
  error.unsent = answer.unsent;
  return error;
}

std::optional<RunnerPage> page_of(const Json& object) {
  const auto total = json_member<std::int64_t>(object, "total_count");
  const auto* list = array_member(object, "runners");
  if (!total || *total < 0 || !list)
    return std::nullopt;
  RunnerPage page{*total, {}, {}};
  for (const auto& entry : *list) {
    auto runner = runner_of(entry);
    if (!runner)
      return std::nullopt;
    page.runners.push_back(std::move(*runner));
  }
  return page;
}

} // namespace

GithubError malformed(const HttpAnswer& answer, std::string what) {
  return {Kind::malformed, answer.status, std::move(what)};
}

GithubError read_error(const HttpAnswer& answer, int expected) {
  if (answer.fault != HttpAnswer::Fault::none)
    return faulty(answer);
  if (answer.status == expected)
    return {};
  auto message = message_of(answer);
  if (auto limit = read_limit(answer, message))
    return {Kind::limited, answer.status, std::move(message), limit->retry_after, limit->secondary};
  return {kind_of(answer.status), answer.status, std::move(message), stated_pause(answer)};
}

GithubReply<RunnerPage> read_page(const HttpAnswer& answer) {
  const auto json = read_json(answer, 200);
  if (!json)
    return failed_reply<RunnerPage>(answer, json.error);
  auto page = page_of(*json.value);
  if (page)
    page->next = next_link(answer.header("link")).value_or("");
  return shaped(answer, std::move(page), "page of runners");
}

GithubReply<Registration> read_runner(const HttpAnswer& answer, domain::RegistrationId asked) {
  const auto json = read_json(answer, 200);
  if (!json)
    return failed_reply<Registration>(answer, json.error);
  auto runner = runner_of(*json.value);
  if (runner && runner->id != asked)
    runner.reset();
  return shaped(answer, std::move(runner), "runner, or not the one asked for");
}

GithubReply<domain::JitRegistration> read_jit(const HttpAnswer& answer, const std::string& name) {
  const auto json = read_json(answer, 201);
  if (!json)
    return failed_reply<domain::JitRegistration>(answer, json.error);
  const auto& object = *json.value;
  auto config = json_member<std::string>(object, "encoded_jit_config");
  auto runner = object.contains("runner") ? runner_of(object["runner"]) : std::nullopt;
  std::optional<domain::JitRegistration> made;
  if (config && !config->empty() && runner && runner->name == name)
    made = domain::JitRegistration{std::move(*runner), std::move(*config)};
  return shaped(answer, std::move(made), "registration of that name");
}

GithubReply<std::vector<std::string>> read_labels(const HttpAnswer& answer) {
  const auto json = read_json(answer, 200);
  if (!json)
    return failed_reply<std::vector<std::string>>(answer, json.error);
  return shaped(answer, labels_of(*json.value), "list of labels");
}

GithubReply<domain::Done> read_deleted(const HttpAnswer& answer) {
  if (auto error = read_error(answer, 204))
    return failed_reply<domain::Done>(answer, std::move(error));
  return shaped(answer, std::optional{domain::Done{}}, "deletion");
}

std::string clean_message(std::string_view text, std::string_view secret) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      ++i; // C1 controls, U+0080 to U+009F
    else if (byte == '\n' || byte == '\t')
      line += ' ';
    else if (byte >= 0x20 && byte != 0x7f)
      line += text[i];
  }
  // What was left out may have stood within it.
  for (auto at = secret.empty() ? std::string::npos : line.find(secret); at != std::string::npos;
       at = line.find(secret, at))
    line.replace(at, secret.size(), "***");
  if (line.size() <= longest_message)
    return line;
  auto end = longest_message;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80)
    --end;
  return line.substr(0, end);
}

} // namespace ci::edge
