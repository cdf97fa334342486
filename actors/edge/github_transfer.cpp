#include "actors/edge/github_transfer.hpp"

#include "actors/domain/address.hpp"
#include "actors/edge/github_text.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

namespace ci::edge {

namespace {

bool is_no_http(CURLcode code) {
  return code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL ||
         code == CURLE_BAD_CONTENT_ENCODING;
}

bool is_public(const curl_sockaddr& address) {
  domain::Address peer;
  if (address.family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.addr, sizeof in);
    peer = domain::Address::v4(ntohl(in.sin_addr.s_addr));
  } else if (address.family == AF_INET6) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, &address.addr, std::min<std::size_t>(sizeof in6, address.addrlen));
    std::memcpy(peer.bytes.data(), &in6.sin6_addr, peer.bytes.size());
  } else {
    return false;
  }
  return peer.is_public();
}

} // namespace

GithubTransfer::GithubTransfer(HttpRequest request, const HttpLimits& limits, std::string token)
    : request_(std::move(request)), limits_(limits), easy_(curl_easy_init()) {
  answer_.token_sent = std::move(token);
  if (!easy_)
    return;
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  // A redirect is an answer like others: who asked decides whether its target may have the token.
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  // HTTP/2 would put every call on one connection, and a call that times out there ends its stream alone: a connection
  // that went mute (a NAT forgot it) would be handed to call after call. With 1.1 it is closed with the call.
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  // A look-up that outlasts its call is left behind: to wait for it would stop the thread, and all other calls.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.data());
  set_headers();
  set_method();
  set_timeouts();
  set_callbacks();
}

GithubTransfer::~GithubTransfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void GithubTransfer::set_headers() {
  const auto add = [this](const std::string& line) {
    if (auto* longer = curl_slist_append(headers_, line.c_str()))
      headers_ = longer;
  };
  if (request_.with_token) {
    add("Accept: application/vnd.github+json");
    add("X-GitHub-Api-Version: 2022-11-28");
  }
  add("Expect:"); // else libcurl may wait a second for a 100 that never comes
  if (!answer_.token_sent.empty())
    add("Authorization: Bearer " + answer_.token_sent);
  if (!request_.body.empty())
    add("Content-Type: application/json");
  if (!request_.if_none_match.empty())
    add("If-None-Match: " + request_.if_none_match);
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, "ci-monitor/" CI_MONITOR_VERSION);
}

void GithubTransfer::set_method() {
  if (!request_.body.empty()) {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.method != "GET" && request_.method != "POST")
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  if (request_.once)
    curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
}

void GithubTransfer::set_timeouts() {
  const auto left =
      std::chrono::floor<domain::Duration>(request_.deadline - std::chrono::steady_clock::now());
  // Zero would mean for ever.
  const auto total = std::max(std::min(limits_.exchange_timeout, left), domain::Duration{1});
  const auto connect = std::max(std::min(limits_.connect_timeout, total), domain::Duration{1});
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(total.count()));
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
}

void GithubTransfer::set_callbacks() {
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &GithubTransfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &GithubTransfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  if (!request_.public_only)
    return;
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &GithubTransfer::on_socket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
}

/// Sees the very address that is connected to, whatever the name meant when it was looked up before.
curl_socket_t GithubTransfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  if (!is_public(*address)) {
    static_cast<GithubTransfer*>(self)->not_public_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t GithubTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<GithubTransfer*>(self);
  const auto bytes = size * count;
  transfer.header_bytes_ += bytes;
  if (transfer.header_bytes_ > transfer.limits_.max_header_bytes) {
    transfer.too_large_ = true;
    return 0;
  }
  transfer.take_header({data, bytes});
  return bytes;
}

void GithubTransfer::take_header(std::string_view line) {
  if (line.substr(0, 5) == "HTTP/") { // a 100 or 103 came before
    answer_.headers.clear();
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return;
  auto& value = answer_.headers[ascii_lower(trimmed(line.substr(0, colon)))];
  if (!value.empty())
    value += ", ";
  value += trimmed(line.substr(colon + 1));
}

std::size_t GithubTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<GithubTransfer*>(self);
  const auto bytes = size * count;
  auto& body = transfer.answer_.body;
  const auto most = transfer.request_.max_body_bytes ? transfer.request_.max_body_bytes : transfer.limits_.max_body_bytes;
  if (bytes > most - body.size()) {
    transfer.too_large_ = true;
    return 0;
  }
  body.append(data, bytes);
  return bytes;
}

HttpAnswer GithubTransfer::finish(CURLcode code) {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME_T, &microseconds);
  answer_.status = static_cast<int>(status);
  answer_.seconds = static_cast<double>(microseconds) / 1e6;
  if (code == CURLE_OK && status != 0)
    return std::move(answer_);
  answer_.body.clear();
  answer_.fault =
      too_large_ || is_no_http(code) ? HttpAnswer::Fault::malformed : HttpAnswer::Fault::unreachable;
  long sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &sent);
  answer_.unsent = answer_.fault == HttpAnswer::Fault::unreachable && sent == 0;
  answer_.too_large = too_large_;
  answer_.trouble = too_large_          ? "answer larger than allowed"
                    : not_public_       ? "the address is none of the internet at large"
                    : error_[0] != '\0' ? error_.data()
                                        : curl_easy_strerror(code);
  return std::move(answer_);
}

} // namespace ci::edge
