/// What the faults do to answers.

#include "tests/simulators/github_simulator/faults.hpp"

namespace ci::github_simulator {

namespace {

constexpr std::int64_t usual_huge_bytes = 64 << 20;
constexpr Duration usual_drip{30'000};
constexpr const char* unicorn =
    "<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head>"
    "<body><p><strong>This page is taking too long to load.</strong></p></body></html>\n";

std::string text_of(const Json& body) { return body.is_string() ? body.get<std::string>() : dumped(body); }

/// Every value keeps its place and loses its type.
Json with_wrong_types(const Json& json) {
  if (json.is_object() || json.is_array()) {
    Json result = json;
    for (auto& value : result)
      value = with_wrong_types(value);
    return result;
  }
  if (json.is_string())
    return 42;
  if (json.is_null())
    return Json::array();
  return json.is_boolean() ? Json(json.get<bool>() ? "yes" : "no") : Json(json.dump());
}

Json parsed(const Answer& answer) {
  auto json = Json::parse(answer.body, nullptr, false);
  return json.is_discarded() ? Json(nullptr) : json;
}

/// The arrays of a listing lose their elements, `total_count` is 0.
Json emptied(Json json) {
  if (!json.is_object())
    return json;
  for (auto& value : json)
    if (value.is_array())
      value = Json::array();
  if (json.contains("total_count"))
    json["total_count"] = 0;
  return json;
}

/// One more field, so that it is the JSON itself that is too large.
Json inflated(Json json, std::int64_t bytes) {
  if (!json.is_object())
    json = Json::object();
  json["padding"] = std::string(static_cast<std::size_t>(bytes ? bytes : usual_huge_bytes), 'x');
  return json;
}

Duration or_else(double seconds, Duration usual) { return seconds > 0 ? from_seconds(seconds) : usual; }

/// An answer that may not have a body becomes one that has.
void replace_body(Answer& answer, const std::string& body) {
  if (answer.status == 204 || answer.status == 304) {
    answer.status = 200;
    answer.set_header("content-type", "application/json; charset=utf-8");
  }
  answer.body = body;
  answer.drop_header("etag");
}

void add_headers(Answer& answer, const Fault& fault) {
  for (const auto& [name, value] : fault.headers)
    answer.set_header(name, value);
}

/// Changes how the answer travels; false where the kind is not about that.
bool lose(Answer& answer, const Fault& fault, const Settings& settings) {
  if (fault.kind.starts_with("timeout")) {
    answer.delivery = Delivery::held;
    answer.spread = or_else(fault.seconds, settings.timeout_hold);
  } else if (fault.kind.starts_with("reset")) {
    answer.delivery = Delivery::reset;
  } else if (fault.kind.starts_with("close")) {
    answer.delivery = Delivery::closed;
  } else if (fault.kind == "truncated") {
    // Without a body there is no middle of it.
    answer.delivery = answer.body.empty() ? Delivery::closed : Delivery::truncated;
  } else if (fault.kind == "drip") {
    answer.delivery = Delivery::dripped;
    answer.spread = or_else(fault.seconds, usual_drip);
  } else if (fault.kind == "delay") {
    answer.delay += from_seconds(fault.seconds);
  } else {
    return false;
  }
  return true;
}

Answer stated(const Fault& fault) {
  auto answer = error_answer(fault.status, "Server Error");
  if (fault.status < 500)
    answer = error_answer(fault.status, "Refused on demand");
  if (fault.body)
    answer.body = text_of(*fault.body);
  add_headers(answer, fault);
  return answer;
}

} // namespace

Answer answer_instead(const Fault& fault, const Settings& settings) {
  if (fault.kind == "status")
    return stated(fault);
  Answer answer;
  lose(answer, fault, settings);
  return answer;
}

void distort(Answer& answer, const Fault& fault, const Settings& settings) {
  if (fault.kind == "status_after_acting") {
    answer = stated(fault);
    return;
  }
  add_headers(answer, fault);
  if (fault.body)
    replace_body(answer, text_of(*fault.body));
  if (lose(answer, fault, settings) || fault.body)
    return;
  if (fault.kind == "not_json") {
    replace_body(answer, unicorn);
    answer.set_header("content-type", "text/html; charset=utf-8");
  } else if (fault.kind == "wrong_types") {
    replace_body(answer, dumped(with_wrong_types(parsed(answer))));
  } else if (fault.kind == "empty_list") {
    replace_body(answer, dumped(emptied(parsed(answer))));
    answer.drop_header("link");
  } else if (fault.kind == "huge") {
    replace_body(answer, dumped(inflated(parsed(answer), fault.bytes)));
  }
}

} // namespace ci::github_simulator
