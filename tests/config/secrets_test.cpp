#include "config/secrets.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <type_traits>
#include <utility>

using namespace ci::config;

namespace {

const std::string token = "0123456789abcdef"; // 16 characters, the fewest

std::string complaints_of(const Environment& environment, bool github_token_needed = true) {
  std::vector<Complaint> complaints;
  read_secrets(environment, github_token_needed, complaints);
  return to_string(complaints);
}
Environment with(const std::string& name, const std::string& value) {
  Environment environment{{"GITHUB_TOKEN", "ghs_AbCdEfGhIjKlMnOpQrSt"},
                          {"SERVO_CI_MONITOR_API_TOKEN", token}};
  environment[name] = value;
  return environment;
}

template <class T, class = void>
struct is_streamable : std::false_type {};
template <class T>
struct is_streamable<T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<const T&>())>>
    : std::true_type {};

} // namespace

TEST_CASE("G9 a secret can't be streamed, converted or compared by accident") {
  static_assert(is_streamable<std::string>::value);
  static_assert(!is_streamable<Secret>::value);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
  static_assert(!std::equality_comparable<Secret>);
}

TEST_CASE("a secret is what it was made of, also after a copy and a move") {
  Secret first{"abc"};
  Secret copy = first;
  CHECK(copy.reveal() == "abc");
  Secret moved = std::move(copy);
  CHECK(moved.reveal() == "abc");
  CHECK(copy.empty()); // NOLINT: that it is empty is the point
  copy = moved;
  CHECK(copy.reveal() == "abc");
  first = Secret{"longer than the small string buffer"};
  CHECK(first.reveal() == "longer than the small string buffer");
}

TEST_CASE("a secret matches itself alone") {
  const Secret secret{token};
  CHECK(secret.matches(token));
  CHECK(!secret.matches(""));
  CHECK(!secret.matches(token + token));
  CHECK(!secret.matches(token.substr(1)));
  CHECK(!secret.matches("0123456789abcdeF"));
  CHECK(!Secret{}.matches(""));
  CHECK(!Secret{}.matches("x"));
}

TEST_CASE("all three secrets come from the environment") {
  std::vector<Complaint> complaints;
  const auto secrets = read_secrets(with("GITHUB_WEBHOOK_SECRET", "fedcba9876543210"), true, complaints);
  CHECK(complaints.empty());
  CHECK(secrets.github_token.reveal() == "ghs_AbCdEfGhIjKlMnOpQrSt");
  CHECK(secrets.monitor_api_token.reveal() == token);
  REQUIRE(secrets.github_webhook_secret);
  CHECK(secrets.github_webhook_secret->reveal() == "fedcba9876543210");
}

TEST_CASE("the webhook secret may be missing or empty, and then there is none") {
  std::vector<Complaint> complaints;
  CHECK(!read_secrets(with("GITHUB_WEBHOOK_SECRET", ""), true, complaints).github_webhook_secret);
  CHECK(!read_secrets(with("X", ""), true, complaints).github_webhook_secret);
  CHECK(complaints.empty());
}

TEST_CASE("the two tokens must be set, and an empty one is not set") {
  CHECK(complaints_of(with("X", "")) == "");
  CHECK(complaints_of(with("GITHUB_TOKEN", "")).find("GITHUB_TOKEN: expected a value") != std::string::npos);
  CHECK(complaints_of(with("SERVO_CI_MONITOR_API_TOKEN", "")).find("API_TOKEN: expected a value") !=
        std::string::npos);
  CHECK(complaints_of({{"SERVO_CI_MONITOR_API_TOKEN", token}}, false) == "");
}

TEST_CASE("example values are refused wherever they stand") {
  for (const auto* name : {"GITHUB_TOKEN", "SERVO_CI_MONITOR_API_TOKEN", "GITHUB_WEBHOOK_SECRET"})
    for (const auto* value :
         {"ChangeMe", "changeme-changeme-changeme", "example", "an-EXAMPLE-token-of-some-length",
          "gho_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "aaaaaaaaaaaaaaaaaaaaaaaa", "your-token-goes-here"})
      CHECK_MESSAGE(complaints_of(with(name, value)) ==
                        "environment: " + std::string{name} +
                            ": expected a secret of your own: this is an example value\n",
                    name << " = " << value);
}

TEST_CASE("what can be guessed is refused: below 16 characters") {
  CHECK(complaints_of(with("SERVO_CI_MONITOR_API_TOKEN", token)) == "");
  CHECK(complaints_of(with("SERVO_CI_MONITOR_API_TOKEN", token.substr(1))).find("at least 16") !=
        std::string::npos);
  CHECK(complaints_of(with("GITHUB_WEBHOOK_SECRET", token.substr(1))).find("at least 16") !=
        std::string::npos);
  CHECK(complaints_of(with("GITHUB_TOKEN", "ghs_1")) == "");
}

TEST_CASE("what can't stand in a header is refused") {
  for (const auto* value : {"0123456789 abcdef", "0123456789\nabcdef", "0123456789äabcdef"})
    CHECK(complaints_of(with("SERVO_CI_MONITOR_API_TOKEN", value)).find("visible ASCII") !=
          std::string::npos);
}

TEST_CASE("G9 no complaint repeats a secret") {
  for (const auto* value : {"hunter2", "hunter2 hunter2 hunter2", "hunter2-changeme"})
    for (const auto* name : {"GITHUB_TOKEN", "SERVO_CI_MONITOR_API_TOKEN", "GITHUB_WEBHOOK_SECRET"})
      CHECK(complaints_of(with(name, value)).find("hunter2") == std::string::npos);
}
