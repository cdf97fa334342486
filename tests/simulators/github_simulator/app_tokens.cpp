#include "tests/simulators/github_simulator/app_tokens.hpp"

#include "tests/simulators/github_simulator/moment.hpp"
#include "tests/simulators/github_simulator/text.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

namespace ci::github_simulator {

namespace {

constexpr const char* token_documentation = "/apps/apps#create-an-installation-access-token-for-an-app";
constexpr std::int64_t longest_jwt = 600; ///< seconds

std::string base64url_decoded(std::string_view text) {
  std::string plain{text};
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  plain.append((4 - plain.size() % 4) % 4, '=');
  return base64_decoded(plain).value_or("");
}

bool is_signed(const std::string& text, const std::string& signature, const std::string& public_key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio{
      BIO_new_mem_buf(public_key.data(), static_cast<int>(public_key.size())), BIO_free};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  const auto bytes = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
  return key && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
}

/// What is wrong with it, in GitHub's words; empty where nothing is.
std::string jwt_complaint(const App& app, const std::string& jwt, std::int64_t now) {
  const auto parts = split(jwt, '.');
  if (parts.size() != 3)
    return "A JSON web token could not be decoded";
  const auto header = Json::parse(base64url_decoded(parts[0]), nullptr, false);
  const auto claims = Json::parse(base64url_decoded(parts[1]), nullptr, false);
  if (!header.is_object() || !claims.is_object() || header.value("alg", "") != "RS256" ||
      !is_signed(jwt.substr(0, parts[0].size() + 1 + parts[1].size()), base64url_decoded(parts[2]), app.public_key))
    return "A JSON web token could not be decoded";
  const auto number = [&](const char* name) {
    return claims.contains(name) && claims[name].is_number_integer() ? claims[name].get<std::int64_t>() : 0;
  };
  if (number("iat") <= 0 || number("iat") > now)
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued.";
  if (number("exp") <= now)
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the "
           "assertion expires.";
  if (number("exp") > now + longest_jwt)
    return "'Expiration time' claim ('exp') is too far in the future";
  const bool ours = claims.contains("iss") && (claims["iss"] == app.id || claims["iss"].dump() == app.id);
  return ours ? "" : "Integration must generate a public key";
}

} // namespace

Answer AppTokens::grant(const App& app, Id installation, const std::string& authorization, Duration lifetime,
                        Moment now) {
  const auto space = authorization.find(' ');
  const auto jwt = space == std::string::npos ? "" : authorization.substr(space + 1);
  if (const auto wrong = jwt_complaint(app, jwt, now.time_since_epoch() / std::chrono::seconds{1}); !wrong.empty())
    return error_answer(401, wrong);
  if (app.id.empty() || installation != app.installation)
    return error_answer(404, "Not Found", token_documentation);
  // As long as GitHub's own are of late.
  std::string token = "ghs_" + app.id + "_";
  while (token.size() < 200)
    token += random_token();
  const auto ends = now + lifetime;
  ends_[token] = ends;
  return json_answer(201, {{"token", token},
                           {"expires_at", to_iso(ends)},
                           {"permissions", {{"administration", "write"}, {"actions", "read"}, {"metadata", "read"}}},
                           {"repository_selection", "selected"}});
}

bool AppTokens::good(const std::string& token, Moment now) const {
  const auto end = ends_.find(token);
  return end != ends_.end() && now < end->second;
}

} // namespace ci::github_simulator
