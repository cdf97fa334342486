#pragma once
/// One exchange as libcurl carries it out.

#include "actors/edge/github_http.hpp"

#include <curl/curl.h>

#include <array>

namespace ci::edge {

/// A libcurl handle, set up for one request, and what came in on it so far. Belongs to the thread of
/// GithubHttp, which takes it out of the multi handle before it dies.
class GithubTransfer {
 public:
  GithubTransfer(HttpRequest request, const HttpLimits& limits, std::string token);
  ~GithubTransfer();
  GithubTransfer(const GithubTransfer&) = delete;
  GithubTransfer& operator=(const GithubTransfer&) = delete;

  /// Null where libcurl had no memory.
  CURL* easy() const { return easy_; }
  const HttpRequest& request() const { return request_; }
  /// Once, after libcurl is done with it.
  HttpAnswer finish(CURLcode code);

 private:
  void set_headers();
  void set_method();
  void set_timeouts();
  void set_callbacks();
  void take_header(std::string_view line);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

  HttpRequest request_;
  HttpLimits limits_;
  HttpAnswer answer_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  bool not_public_ = false;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

} // namespace ci::edge
