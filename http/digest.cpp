#include "http/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <random>

namespace ci::http {

namespace {
std::string to_hex(const unsigned char* bytes, std::size_t size) {
  constexpr auto digits = "0123456789abcdef";
  std::string result;
  for (std::size_t i = 0; i < size; ++i) {
    result += digits[bytes[i] >> 4];
    result += digits[bytes[i] & 15];
  }
  return result;
}
} // namespace

Sha256 sha256(std::string_view text) {
  Sha256 digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

std::string hex(const Sha256& digest) { return to_hex(digest.data(), digest.size()); }

std::string base64(const Sha256& digest) {
  std::array<unsigned char, 64> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {text.begin(), text.begin() + size};
}

std::string random_id() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    std::random_device device;
    for (auto& byte : bytes)
      byte = static_cast<unsigned char>(device());
  }
  return to_hex(bytes.data(), bytes.size());
}

void ApiToken::set(std::string_view token) {
  const auto digest = sha256(token);
  std::lock_guard lock(mutex_);
  digest_ = digest;
  usable_ = !token.empty();
}

bool ApiToken::matches(std::string_view shown) const {
  const auto digest = sha256(shown);
  std::lock_guard lock(mutex_);
  return (CRYPTO_memcmp(digest.data(), digest_.data(), digest.size()) == 0) & usable_;
}

} // namespace ci::http
