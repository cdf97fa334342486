#pragma once
/// Digests, comparison in constant time, and random ids.

#include <array>
#include <mutex>
#include <string>
#include <string_view>

namespace ci::http {

using Sha256 = std::array<unsigned char, 32>;
Sha256 sha256(std::string_view);
std::string hex(const Sha256&);
/// As Content-Security-Policy wants it.
std::string base64(const Sha256&);
/// 128 random bits in hex.
std::string random_id();

/// The API token, of which only a digest is kept. Digests are compared in constant time, so neither the
/// token's bytes nor its length show in how long an answer takes. Any thread; may be replaced while requests
/// are served.
class ApiToken {
 public:
  explicit ApiToken(std::string_view token) { set(token); }
  void set(std::string_view token);
  /// An empty token matches nothing.
  bool matches(std::string_view shown) const;

 private:
  mutable std::mutex mutex_;
  Sha256 digest_{};
  bool usable_ = false;
};

} // namespace ci::http
