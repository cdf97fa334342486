#include "tests/simulators/github_simulator/text.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <random>

namespace ci::github_simulator {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char c) {
  const auto at = hex_digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += hex_digits[bytes[i] >> 4];
    text += hex_digits[bytes[i] & 15];
  }
  return text;
}

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos)
      return parts;
    text.remove_prefix(at + 1);
  }
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (escape) {
      result += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || std::string_view{"-._~"}.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += '%';
      result += static_cast<char>(std::toupper(hex_digits[byte >> 4]));
      result += static_cast<char>(std::toupper(hex_digits[byte & 15]));
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0'); // one more: EVP ends it with a zero
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), as_bytes(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), as_bytes(text),
                                     static_cast<int>(text.size()));
  if (length < 0)
    return std::nullopt;
  const auto padding =
      std::count(text.end() - std::min<std::ptrdiff_t>(2, std::ssize(text)), text.end(), '=');
  bytes.resize(static_cast<std::size_t>(length - padding));
  return bytes;
}

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr);
  return hex(digest, length);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), as_bytes(bytes), bytes.size(), digest, &size);
  return hex(digest, size);
}

std::string random_token() {
  std::random_device device;
  std::uniform_int_distribution<unsigned> byte{0, 255};
  unsigned char bytes[16];
  for (auto& b : bytes)
    b = static_cast<unsigned char>(byte(device));
  return hex(bytes, sizeof bytes);
}

std::optional<std::int64_t> parse_id(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number <= 0)
    return std::nullopt;
  return number;
}

Query parse_query(std::string_view text) {
  Query query;
  for (const auto part : split(text, '&')) {
    if (part.empty())
      continue;
    const auto at = part.find('=');
    const auto decode = [](std::string_view raw) {
      std::string spaced{raw};
      std::replace(spaced.begin(), spaced.end(), '+', ' ');
      return percent_decoded(spaced);
    };
    query.emplace_back(decode(part.substr(0, at)),
                       at == std::string_view::npos ? std::string{} : decode(part.substr(at + 1)));
  }
  return query;
}

std::optional<std::string> value_of(const Query& query, std::string_view name) {
  for (auto it = query.rbegin(); it != query.rend(); ++it)
    if (it->first == name)
      return it->second;
  return std::nullopt;
}

} // namespace ci::github_simulator
