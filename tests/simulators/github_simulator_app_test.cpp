#include "tests/simulators/github_simulator_fixture.hpp"

#include "tests/simulators/github_simulator/text.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

using namespace ci::github_simulator;

namespace {

/// An App with a key of its own.
struct WithApp : Simulated {
  EVP_PKEY* key = EVP_RSA_gen(2048);

  WithApp() {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio, &text);
    const std::string pem(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    REQUIRE(status("PUT", "/_control/app", {{"id", "77"}, {"installation_id", 5}, {"public_key", pem}}) == 204);
  }
  ~WithApp() { EVP_PKEY_free(key); }

  static std::string url_safe(std::string text) {
    while (text.ends_with('='))
      text.pop_back();
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
  }
  std::string jwt(std::int64_t iat, std::int64_t exp, const Json& iss = "77") {
    const auto seconds = now.time_since_epoch() / 1s;
    auto text = url_safe(base64(R"({"alg":"RS256","typ":"JWT"})")) + "." +
                url_safe(base64(Json{{"iat", seconds + iat}, {"exp", seconds + exp}, {"iss", iss}}.dump()));
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string signature(256, '\0');
    auto size = signature.size();
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    return text + "." + url_safe(base64(signature));
  }
  int grant(const std::string& with, int installation = 5) {
    return status("POST", "/app/installations/" + std::to_string(installation) + "/access_tokens", nullptr,
                  {{"authorization", "Bearer " + with}});
  }
  int list_with(const std::string& token) {
    return status("GET", runners, nullptr, {{"authorization", "Bearer " + token}});
  }
};

} // namespace

TEST_CASE_FIXTURE(WithApp, "an App's JWT buys a token that is good for an hour, and no longer") {
  REQUIRE(grant(jwt(-60, 540)) == 201);
  const auto given = Json::parse(last.body);
  const std::string token = given["token"];
  CHECK(token.size() > 40);
  CHECK(given["expires_at"] == to_iso(now + 1h));
  CHECK(list_with(token) == 200);
  pass(59min);
  CHECK(list_with(token) == 200);
  pass(1min);
  CHECK(list_with(token) == 401);
}

TEST_CASE_FIXTURE(WithApp, "a JWT that is not as GitHub wants it buys nothing") {
  CHECK(grant(jwt(1, 540)) == 401);
  CHECK(grant(jwt(-60, 0)) == 401);
  CHECK(grant(jwt(-60, 601)) == 401);
  CHECK(grant(jwt(-60, 540, "78")) == 401);
  CHECK(grant(jwt(-60, 540, 77)) == 201);
  CHECK(grant(jwt(-60, 540), 6) == 404);
  CHECK(grant("sim-token") == 401);
  auto forged = jwt(-60, 540);
  forged[forged.size() - 10] = forged[forged.size() - 10] == 'A' ? 'B' : 'A';
  CHECK(grant(forged) == 401);
  CHECK(list_with(jwt(-60, 540)) == 401);
}

TEST_CASE_FIXTURE(WithApp, "GitHub's clock is the one that counts") {
  set({{"clock_offset", -120}});
  CHECK(grant(jwt(-60, 540)) == 401);
  CHECK(header("date") == to_http_date(now - 120s));
  CHECK(grant(jwt(-180, 420)) == 201);
}

TEST_CASE_FIXTURE(WithApp, "tokens that were revoked are none any more") {
  REQUIRE(grant(jwt(-60, 540)) == 201);
  const std::string token = Json::parse(last.body)["token"];
  CHECK(status("DELETE", "/_control/app/tokens") == 204);
  CHECK(list_with(token) == 401);
}

TEST_CASE_FIXTURE(Simulated, "the token can be replaced, and tells when it ends") {
  CHECK(status("PUT", "/_control/token", {{"token", "another"}, {"expires_at", 1'800'000'000}}) == 204);
  CHECK(status("GET", runners) == 401);
  CHECK(status("GET", runners, nullptr, {{"authorization", "Bearer another"}}) == 200);
  CHECK(header("github-authentication-token-expiration") == "2027-01-15 08:00:00 UTC");
}

TEST_CASE_FIXTURE(Simulated, "a minute has so many writes, whatever they are") {
  set({{"secondary_limit", true}, {"secondary_writes", 3}});
  const auto id = add("a");
  add("b");
  CHECK(status("POST", path(id, "/labels"), {{"labels", {"x"}}}) == 200);
  CHECK(status("DELETE", path(id)) == 403);
  CHECK(header("retry-after") == "60");
  CHECK(status("GET", path(id)) == 200);
  pass(60s);
  CHECK(status("DELETE", path(id)) == 204);
}
