#include "tests/simulators/github_simulator/http.hpp"

namespace ci::github_simulator {

void Answer::set_header(const std::string& name, const std::string& value) {
  drop_header(name);
  headers.emplace_back(name, value);
}

void Answer::drop_header(const std::string& name) {
  std::erase_if(headers, [&](const auto& header) { return header.first == name; });
}

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Answer json_answer(int status, const Json& body) {
  Answer answer{.status = status};
  answer.body = dumped(body);
  answer.set_header("content-type", "application/json; charset=utf-8");
  return answer;
}

Answer error_answer(int status, const std::string& message, const std::string& documentation) {
  return json_answer(status, {{"message", message},
                              {"documentation_url", "https://docs.github.com/rest" + documentation},
                              {"status", std::to_string(status)}});
}

Answer plain_error(int status, const std::string& message) {
  return json_answer(status, {{"message", message}});
}

} // namespace ci::github_simulator
