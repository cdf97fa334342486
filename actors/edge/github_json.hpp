#pragma once
/// Reading GitHub's JSON: members that are there and of the right type, or not at all. For the files that
/// turn answers into values. Pure; any thread; nothing throws.

#include "actors/edge/github_answers.hpp"
#include "actors/edge/github_limits.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ci::edge {

using Json = nlohmann::json;

/// Nothing we read is deeper; more would only cost memory.
constexpr int deepest_json = 8;
/// Discarded where the text is no JSON.
inline Json parse_json(const std::string& text) {
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) { return depth <= deepest_json; };
  return Json::parse(text, shallow, false);
}

inline bool says_json(const std::string& content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return type.find("/json") != std::string::npos || type.find("+json") != std::string::npos;
}

template <class T>
std::optional<T> json_member(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end())
    return std::nullopt;
  if constexpr (std::is_same_v<T, std::string>)
    return found->is_string() ? std::optional{found->template get<std::string>()} : std::nullopt;
  else if constexpr (std::is_same_v<T, bool>)
    return found->is_boolean() ? std::optional{found->template get<bool>()} : std::nullopt;
  else { // an unsigned one may exceed the signed range
    if (!found->is_number_integer() ||
        (found->is_number_unsigned() && found->template get<std::uint64_t>() > INT64_MAX))
      return std::nullopt;
    return found->template get<std::int64_t>();
  }
}

/// Null where there is no such array.
inline const Json* array_member(const Json& object, const char* name) {
  if (!object.is_object())
    return nullptr;
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

/// The body as JSON, or why there is none.
inline domain::GithubReply<Json> read_json(const HttpAnswer& answer, int expected) {
  if (auto error = read_error(answer, expected))
    return domain::GithubReply<Json>::failed(std::move(error));
  if (!says_json(answer.header("content-type")))
    return domain::GithubReply<Json>::failed(malformed(answer, "the answer is no JSON"));
  auto json = parse_json(answer.body);
  if (json.is_discarded() || !json.is_object())
    return domain::GithubReply<Json>::failed(malformed(answer, "the answer is no JSON object"));
  return domain::GithubReply<Json>::ok(std::move(json));
}

/// A value of the right shape, or malformed.
template <class T>
domain::GithubReply<T> shaped(const HttpAnswer& answer, std::optional<T> value, const char* what) {
  auto reply =
      value ? domain::GithubReply<T>::ok(std::move(*value))
            : domain::GithubReply<T>::failed(malformed(answer, std::string{"the answer is no "} + what));
  reply.budget = read_budget(answer);
  return reply;
}

template <class T>
domain::GithubReply<T> failed_reply(const HttpAnswer& answer, domain::GithubError error) {
  auto reply = domain::GithubReply<T>::failed(std::move(error));
  reply.budget = read_budget(answer);
  return reply;
}

} // namespace ci::edge
