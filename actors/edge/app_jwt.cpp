#include "actors/edge/app_jwt.hpp"

#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ci::edge {

namespace {

constexpr off_t largest_key_file = 64 << 10;
constexpr int least_key_bits = 2048;
constexpr int issued_before = 60;
constexpr int good_for = 9 * 60;

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

/// A text whose bytes are overwritten when it dies.
struct KeyText {
  std::string pem;
  std::string trouble;
  ~KeyText() { OPENSSL_cleanse(pem.data(), pem.size()); }
};

class KeyFile {
 public:
  explicit KeyFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~KeyFile() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

KeyText no_key(std::string trouble) { return {{}, std::move(trouble)}; }

KeyText read_key_file(const std::string& path) {
  const KeyFile file(path);
  struct stat seen {};
  if (file.fd() < 0 || ::fstat(file.fd(), &seen) != 0)
    return no_key("it can't be read: " + std::string{std::strerror(errno)});
  if (!S_ISREG(seen.st_mode) || seen.st_size > largest_key_file)
    return no_key("it is no file with a key");
  if ((seen.st_mode & (S_IWGRP | S_IRWXO)) != 0)
    return no_key("others may read or change it: chmod 600 " + path);
  KeyText text;
  text.pem.resize(static_cast<std::size_t>(seen.st_size));
  std::size_t got = 0;
  while (got < text.pem.size()) {
    const auto count = ::read(file.fd(), text.pem.data() + got, text.pem.size() - got);
    if (count <= 0)
      return no_key("it can't be read to its end");
    got += static_cast<std::size_t>(count);
  }
  return text;
}

/// Else OpenSSL would ask for it at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

KeyPtr parse_key(const KeyText& text, std::string& trouble) {
  KeyPtr key{nullptr, EVP_PKEY_free};
  const BioPtr bio{BIO_new_mem_buf(text.pem.data(), static_cast<int>(text.pem.size())), BIO_free};
  if (bio)
    key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key)
    trouble = "it holds no private key in PEM form without a passphrase";
  else if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA || EVP_PKEY_bits(key.get()) < least_key_bits) {
    trouble = "its key is no RSA key of 2048 bits or more";
    key.reset();
  }
  return key;
}

std::string base64url(const unsigned char* bytes, std::size_t size) {
  std::string text((size + 2) / 3 * 4 + 1, '\0'); // one more: EVP ends it with a zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  while (!text.empty() && text.back() == '=')
    text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string base64url(const std::string& text) {
  return base64url(reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

/// Empty where OpenSSL could not.
std::vector<unsigned char> rs256(EVP_PKEY* key, const std::string& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const DigestPtr context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1)
    return {};
  std::vector<unsigned char> signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()) != 1)
    return {};
  signature.resize(size);
  return signature;
}

} // namespace

std::string app_key_fault(const std::string& path) {
  auto text = read_key_file(path);
  if (text.trouble.empty())
    parse_key(text, text.trouble);
  return text.trouble;
}

AppJwt sign_app_jwt(const std::string& key_file, const std::string& issuer, std::int64_t now) {
  auto text = read_key_file(key_file);
  if (!text.trouble.empty())
    return {{}, "the App's key: " + text.trouble};
  const auto key = parse_key(text, text.trouble);
  if (!key)
    return {{}, "the App's key: " + text.trouble};
  const nlohmann::json claims{{"iat", now - issued_before}, {"exp", now + good_for}, {"iss", issuer}};
  auto jwt = base64url(std::string{R"({"alg":"RS256","typ":"JWT"})"}) + "." +
             base64url(claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const auto signature = rs256(key.get(), jwt);
  if (signature.empty())
    return {{}, "the App's key does not sign"};
  jwt += "." + base64url(signature.data(), signature.size());
  return {std::move(jwt), {}};
}

} // namespace ci::edge
