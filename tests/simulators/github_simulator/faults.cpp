#include "tests/simulators/github_simulator/faults.hpp"

#include "tests/simulators/github_simulator/operations.hpp"

#include <algorithm>
#include <array>

namespace ci::github_simulator {

namespace {

constexpr std::array<std::string_view, 19> kinds = {"drop",
                                                    "duplicate",
                                                    "status",
                                                    "timeout",
                                                    "reset",
                                                    "close",
                                                    "status_after_acting",
                                                    "timeout_after_acting",
                                                    "reset_after_acting",
                                                    "close_after_acting",
                                                    "truncated",
                                                    "not_json",
                                                    "wrong_types",
                                                    "empty_list",
                                                    "forget",
                                                    "huge",
                                                    "drip",
                                                    "delay",
                                                    "headers"};

/// Of webhooks, and of nothing else but `delay`.
constexpr std::array<std::string_view, 2> of_webhooks = {"drop", "duplicate"};

constexpr std::array<std::string_view, 4> not_acting = {"status", "timeout", "reset", "close"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool fits_operation(const Fault& fault, const std::string& operation) {
  return fault.operation == any_operation ? is_rest_operation(operation) : fault.operation == operation;
}

bool fits_runner(const Fault& fault, const Mentioned& mentioned) {
  return fault.runner.empty() || fault.runner == mentioned.name ||
         fault.runner == std::to_string(mentioned.id);
}

std::string text_or_number(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null())
    return {};
  return it->is_number_integer() ? std::to_string(it->get<Id>()) : it->get<std::string>();
}

Fault read(const Json& json) {
  Fault fault;
  fault.kind = json.value("kind", fault.kind);
  fault.operation = json.value("operation", fault.kind == "forget" ? "list" : fault.operation);
  fault.status = json.value("status", fault.status);
  const auto headers = json.value("headers", Json::object());
  for (const auto& [name, value] : headers.items())
    fault.headers.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  if (json.contains("body") && !json["body"].is_null())
    fault.body = json["body"];
  fault.count = json.value("count", fault.count);
  fault.runner = text_or_number(json, "runner");
  fault.seconds = json.value("seconds", fault.seconds);
  fault.bytes = json.value("bytes", fault.bytes);
  return fault;
}

std::string complaint(const Fault& fault, const Json& json) {
  const Json known = to_json(Fault{});
  for (const auto& [key, value] : json.items())
    if (!known.contains(key))
      return "no such field: " + key;
  if (fault.operation != any_operation && !is_operation(fault.operation))
    return "no such operation: " + fault.operation;
  if (!contains(kinds, fault.kind))
    return "no such kind: " + fault.kind;
  if (fault.kind != "delay" && contains(of_webhooks, fault.kind) != is_webhook(fault.operation))
    return "webhooks are dropped, duplicated or delayed, and nothing else is dropped or duplicated";
  if (fault.kind == "forget" && fault.runner.empty())
    return "which runner is to be forgotten?";
  if (fault.status < 100 || fault.status > 599)
    return "no such status";
  if (fault.count == 0 || fault.count < -1)
    return "count is -1 or at least 1";
  if (fault.seconds < 0 || fault.seconds > 1e6 || fault.bytes < 0 || fault.bytes > 1 << 30)
    return "seconds or bytes out of range";
  return {};
}

} // namespace

bool Fault::acts() const { return !contains(not_acting, kind); }

std::variant<Id, std::string> Faults::add(const Json& json) {
  try {
    auto fault = read(json);
    if (auto wrong = complaint(fault, json); !wrong.empty())
      return wrong;
    fault.id = ++last_;
    faults_.push_back(std::move(fault));
    ++revision_;
    return last_;
  } catch (const Json::exception& e) {
    return std::string{e.what()};
  }
}

void Faults::clear() {
  faults_.clear();
  ++revision_;
}

bool Faults::remove(Id id) {
  ++revision_;
  return std::erase_if(faults_, [id](const Fault& fault) { return fault.id == id; }) > 0;
}

std::optional<Fault> Faults::take(const std::string& operation, const Mentioned& mentioned) {
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (it->kind == "forget" || !fits_operation(*it, operation) || !fits_runner(*it, mentioned))
      continue;
    auto taken = *it;
    ++revision_;
    if (it->count > 0 && --it->count == 0)
      faults_.erase(it);
    return taken;
  }
  return std::nullopt;
}

bool Faults::forgets(const std::string& operation, const Mentioned& mentioned) const {
  return std::any_of(faults_.begin(), faults_.end(), [&](const Fault& fault) {
    return fault.kind == "forget" && fits_operation(fault, operation) && fits_runner(fault, mentioned);
  });
}

void Faults::forgotten(const std::string& operation, const Mentioned& mentioned) {
  for (auto& fault : faults_)
    if (fault.kind == "forget" && fault.count > 0 && fits_operation(fault, operation) &&
        fits_runner(fault, mentioned))
      --fault.count;
  std::erase_if(faults_, [](const Fault& fault) { return fault.count == 0; });
  ++revision_;
}

Json to_json(const Fault& fault) {
  Json headers = Json::object();
  for (const auto& [name, value] : fault.headers)
    headers[name] = value;
  return {{"id", fault.id},         {"operation", fault.operation}, {"kind", fault.kind},
          {"status", fault.status}, {"headers", headers},           {"body", fault.body.value_or(nullptr)},
          {"count", fault.count},   {"runner", fault.runner},       {"seconds", fault.seconds},
          {"bytes", fault.bytes}};
}

} // namespace ci::github_simulator
