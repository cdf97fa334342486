#pragma once
/// What a GitHub App proves itself with: a JSON web token, signed with its private key (RS256). Nothing here keeps the
/// key, and no message repeats any of it.

#include <cstdint>
#include <string>

namespace ci::edge {

/// Why the key in that file is not to be used; empty where it is. It must be a regular file that its owner alone may
/// change and nobody else but its group may read, with an unencrypted RSA key of at least 2048 bits. Reads the file.
std::string app_key_fault(const std::string& path);

/// A token, or why there is none. `jwt` is a secret.
struct AppJwt {
  std::string jwt;
  std::string trouble;
};

/// Good from a minute before `now` (seconds since 1970) until nine minutes after it: GitHub allows ten, and clocks
/// differ. `issuer` is the App's id, or its client id. Reads the key's file, which may have been changed since.
AppJwt sign_app_jwt(const std::string& key_file, const std::string& issuer, std::int64_t now);

} // namespace ci::edge
