#include "actors/edge/app_jwt.hpp"
#include "tests/edge/github_support.hpp"
#include "tests/support/temp_folder.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <ctime>
#include <fstream>

#include <sys/stat.h>

using namespace github_test;
using namespace std::chrono_literals;
using ci::edge::app_key_fault;
using ci::edge::sign_app_jwt;

namespace {

const std::string app_token = "ghs_" + std::string(200, 'x');

/// A private key in a file of its own.
struct AppKey {
  ci::test::TempFolder folder;
  std::string path = (folder.path() / "app.pem").string();
  EVP_PKEY* key;

  explicit AppKey(unsigned bits = 2048, const char* passphrase = nullptr) : key(EVP_RSA_gen(bits)) {
    auto* file = std::fopen(path.c_str(), "w");
    PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                         const_cast<char*>(passphrase));
    std::fclose(file);
    ::chmod(path.c_str(), 0600);
  }
  ~AppKey() { EVP_PKEY_free(key); }

  bool verifies(const std::string& jwt) const {
    const auto dot = jwt.rfind('.');
    const auto text = jwt.substr(0, dot), signature = decoded(jwt.substr(dot + 1));
    auto* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
    const auto bytes = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    const bool good = EVP_DigestVerify(context, bytes(signature), signature.size(), bytes(text), text.size()) == 1;
    EVP_MD_CTX_free(context);
    return good;
  }
  static std::string decoded(std::string text) {
    for (auto& c : text)
      c = c == '-' ? '+' : c == '_' ? '/' : c;
    const auto padding = (4 - text.size() % 4) % 4;
    text.append(padding, '=');
    std::string bytes(text.size(), '\0');
    const auto size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
  }
  static nlohmann::json claims_of(const std::string& jwt) {
    const auto first = jwt.find('.'), second = jwt.find('.', first + 1);
    return nlohmann::json::parse(decoded(jwt.substr(first + 1, second - first - 1)));
  }
};

std::string http_date(std::time_t time) {
  char text[64];
  std::tm parts{};
  gmtime_r(&time, &parts);
  return {text, std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts)};
}

/// A token as GitHub gives it, good for so long by the clock of its answer.
Answer grants(const std::string& given, std::chrono::seconds lifetime = 1h, std::chrono::seconds ahead = 0s) {
  const auto now = std::time(nullptr) + ahead.count();
  char text[64];
  std::tm parts{};
  const std::time_t end = now + lifetime.count();
  gmtime_r(&end, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return answer(201, R"({"token":")" + given + R"(","expires_at":")" + text + R"(","permissions":{}})", http_date(now));
}

bool asks_for_token(const Request& request) { return request.target == "/app/installations/5/access_tokens"; }

int token_requests(const Server& server) {
  int count = 0;
  for (const auto& request : server.requests())
    count += asks_for_token(request);
  return count;
}

GithubOptions with_app(const Server& server, const AppKey& key) {
  auto result = options(server);
  result.app = {"4711", 5, key.path};
  return result;
}

} // namespace

TEST_CASE("an App's JWT is signed by its key, from a minute before until nine minutes after") {
  const AppKey key;
  const auto made = sign_app_jwt(key.path, "4711", 1'700'000'000);
  CHECK(made.trouble.empty());
  REQUIRE(key.verifies(made.jwt));
  CHECK_FALSE(AppKey{}.verifies(made.jwt));
  const auto claims = AppKey::claims_of(made.jwt);
  CHECK(claims["iss"] == "4711");
  CHECK(claims["iat"] == 1'700'000'000 - 60);
  CHECK(claims["exp"] == 1'700'000'000 + 540);
  CHECK(AppKey::decoded(made.jwt.substr(0, made.jwt.find('.'))) == R"({"alg":"RS256","typ":"JWT"})");
}

TEST_CASE("G9: a key that others may read, or that is none, is refused with its reason") {
  const AppKey key;
  CHECK(app_key_fault(key.path).empty());
  for (const auto mode : {0644, 0604, 0660, 0602}) {
    ::chmod(key.path.c_str(), static_cast<mode_t>(mode));
    CHECK(app_key_fault(key.path) == "others may read or change it: chmod 600 " + key.path);
    CHECK(sign_app_jwt(key.path, "1", 1).jwt.empty());
  }
  ::chmod(key.path.c_str(), 0640);
  CHECK(app_key_fault(key.path).empty());
  CHECK(app_key_fault(key.path + ".none").starts_with("it can't be read: "));
  CHECK(app_key_fault(key.folder.path().string()) == "it is no file with a key");
  CHECK(app_key_fault(AppKey{1024}.path).starts_with("its key is no RSA key"));
  CHECK(app_key_fault(AppKey{2048, "secret"}.path).starts_with("it holds no private key"));
  std::ofstream{key.path} << "-----BEGIN RSA PRIVATE KEY-----\nnonsense\n";
  const auto fault = app_key_fault(key.path);
  CHECK(fault.starts_with("it holds no private key"));
  CHECK(fault.find("nonsense") == std::string::npos);
}

TEST_CASE("many calls that need a token wait for one renewal, and use it") {
  const AppKey key;
  std::mutex gate;
  gate.lock();
  Server server([&](const Request& request) {
    if (!asks_for_token(request))
      return answer(200, runner_json(7, "a"));
    std::lock_guard wait(gate);
    return grants(app_token);
  });
  GithubClient client(with_app(server, key));
  std::vector<std::future<GithubReply<Registration>>> replies;
  for (int i = 0; i < 5; ++i)
    replies.push_back(std::async(std::launch::async, [&] { return get(client, 7); }));
  REQUIRE(server.wait_for_requests(1, 10s));
  CHECK_FALSE(server.wait_for_requests(2, 200ms));
  gate.unlock();
  for (auto& reply : replies)
    CHECK(reply.get());
  CHECK(token_requests(server) == 1);
  const auto requests = server.requests();
  const auto shown = requests.at(0).header("authorization");
  CHECK(requests.at(0).method == "POST");
  CHECK(key.verifies(shown.substr(shown.find(' ') + 1)));
  CHECK(requests.at(1).header("authorization") == "Bearer " + app_token);
}

TEST_CASE("a token is renewed before it ends, while the old one still serves") {
  const AppKey key;
  std::atomic<int> given{0};
  Server server([&](const Request& request) {
    if (!asks_for_token(request))
      return answer(200, runner_json(7, "a"));
    return grants(app_token + std::to_string(++given), given == 1 ? 2s : 3600s);
  });
  GithubClient client(with_app(server, key));
  const auto begin = std::chrono::steady_clock::now();
  while (given < 2 && std::chrono::steady_clock::now() < begin + 10s)
    REQUIRE(get(client, 7));
  CHECK(given == 2);
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
  for (const auto& request : server.requests())
    if (asks_for_token(request))
      CHECK(request.method == "POST");
}

TEST_CASE("a token that GitHub refuses is replaced and the call sent again, once") {
  const AppKey key;
  std::atomic<int> given{0};
  std::atomic<bool> takes_second{true};
  Server server([&](const Request& request) {
    if (asks_for_token(request))
      return grants(app_token + std::to_string(++given));
    const bool good = takes_second && request.header("authorization").ends_with("2");
    return good ? scripted::no_content() : answer(401, R"({"message":"Bad credentials"})");
  });
  GithubClient client(with_app(server, key));
  SUBCASE("the new one is taken") {
    CHECK(remove(client, 7)); // a write: a 401 did nothing
    CHECK(given == 2);
  }
  SUBCASE("the new one is refused as well") {
    takes_second = false;
    CHECK(remove(client, 7).error.kind == Kind::unauthorized);
    CHECK(given == 2);
  }
}

TEST_CASE("G6: a renewal that fails is told at once, with when to come again, and not tried all the time") {
  const AppKey key;
  std::atomic<bool> well{false};
  Server server([&](const Request& request) {
    if (!asks_for_token(request))
      return answer(200, runner_json(7, "a"));
    return well ? grants(app_token) : answer(404, R"({"message":"Not Found"})");
  });
  GithubClient client(with_app(server, key));
  const auto first = get(client, 7);
  CHECK(first.error.kind == Kind::unauthorized);
  CHECK(first.error.message == "no token of the GitHub App: Not Found");
  CHECK(first.error.retry_after == 1s);
  CHECK_FALSE(first.error.may_have_acted());
  const auto second = get(client, 7);
  CHECK(second.error.retry_after > 0s);
  CHECK(second.error.retry_after <= 1s);
  CHECK(token_requests(server) == 1);
  well = true;
  client.set_token(""); // settings were read again
  CHECK(get(client, 7));
}

TEST_CASE("G6: whatever is wrong with the answer there is no token, and no exit") {
  const AppKey key;
  for (const auto& bad :
       {answer(201, "{}"), answer(201, R"({"token":"","expires_at":"2999-01-01T00:00:00Z"})"), answer(200, "[]"),
        answer(201, R"({"token":7,"expires_at":"2999-01-01T00:00:00Z"})"), grants(app_token, -1s), answer(502, "<html>"),
        grants(app_token + R"(\r\nX-Injected: yes)"), grants(app_token + " "), grants(app_token + R"(\u0000)"),
        Answer{"", Answer::Then::reset}, answer(201, "{\"token\":\"" + app_token + "\"", "", "text/html")}) {
    Server server(std::vector<Answer>{bad});
    GithubClient client(with_app(server, key));
    const auto error = get(client, 7).error;
    CHECK(error.kind == Kind::unauthorized);
    CHECK(error.message.starts_with("no token of the GitHub App: "));
    CHECK(error.message.find(app_token) == std::string::npos);
  }
}

TEST_CASE("G6: a token that is to live for ever is taken, and held for no longer than others") {
  const AppKey key;
  Server server([&](const Request& request) {
    return asks_for_token(request)
               ? answer(201, R"({"token":")" + app_token + R"(","expires_at":"9999-12-31T23:59:59Z"})")
               : answer(200, runner_json(7, "a"));
  });
  GithubClient client(with_app(server, key));
  CHECK(get(client, 7));
  CHECK(get(client, 7));
  CHECK(token_requests(server) == 1);
}

TEST_CASE("a key that is not there any more is said, and GitHub is not asked") {
  const AppKey key;
  Server server([](const Request&) { return answer(500, "{}"); });
  auto lost = with_app(server, key);
  lost.app.private_key_file += ".none";
  GithubClient client(lost);
  CHECK(get(client, 7).error.message.starts_with("no token of the GitHub App: the App's key: it can't be read"));
  CHECK(server.requests().empty());
}

TEST_CASE("where GitHub's clock differs its own Date is gone by") {
  const AppKey key;
  auto ahead = 3600s;
  SUBCASE("it is ahead") {}
  SUBCASE("it is behind") { ahead = -3600s; }
  Server server([&](const Request& request) {
    if (!asks_for_token(request))
      return answer(200, runner_json(7, "a"));
    const auto shown = request.header("authorization");
    const auto issued = AppKey::claims_of(shown.substr(shown.find(' ') + 1))["iat"].get<std::int64_t>();
    const auto theirs = std::time(nullptr) + ahead.count();
    const bool right = issued <= theirs && issued > theirs - 120;
    return right ? grants(app_token, 1h, ahead) : answer(401, R"({"message":"'Issued at' claim"})", http_date(theirs));
  });
  GithubClient client(with_app(server, key));
  CHECK(get(client, 7));
  CHECK(token_requests(server) == 2);
  CHECK(get(client, 7));
  CHECK(token_requests(server) == 2);
}

TEST_CASE("a clock that is right is no reason to ask again") {
  const AppKey key;
  Server server([](const Request&) { return answer(401, R"({"message":"Integration not found"})", http_date(std::time(nullptr))); });
  GithubClient client(with_app(server, key));
  CHECK(get(client, 7).error.message == "no token of the GitHub App: Integration not found");
  CHECK(token_requests(server) == 1);
}

TEST_CASE("calls that wait for a token are answered when the client stops") {
  const AppKey key;
  Server server([](const Request&) { return scripted::silence(); });
  std::promise<GithubError> told;
  {
    GithubClient client(with_app(server, key));
    client.get(7, [&](const GithubReply<Registration>& reply) { told.set_value(reply.error); });
    REQUIRE(server.wait_for_requests(1, 10s));
  }
  CHECK(told.get_future().get().general());
}
