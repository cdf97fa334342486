#include "http/response.hpp"

#include "http/digest.hpp"

namespace ci::http {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view opaque(std::string_view tag) { return tag.substr(0, 2) == "W/" ? tag.substr(2) : tag; }

} // namespace

Response make_response(std::string content_type, std::string body) {
  Response response;
  response.headers = {{"Content-Type", std::move(content_type)}, {"Cache-Control", "no-store"}};
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

Response make_json(std::string body) { return make_response("application/json", std::move(body)); }

Response make_cacheable(const Request& request, std::string content_type,
                        std::shared_ptr<const std::string> body, const std::string& etag) {
  Response response;
  response.status = none_match_names(request, etag) ? 304 : 200;
  response.headers = {
      {"Content-Type", std::move(content_type)}, {"Cache-Control", "no-cache"}, {"ETag", etag}};
  response.body = std::move(body);
  return response;
}

bool none_match_names(const Request& request, std::string_view etag) {
  for (auto list : values_of(request.headers, "If-None-Match"))
    while (!list.empty()) {
      // Our tags hold no comma, so a list may be split at each.
      const auto tag = list.substr(0, list.find(','));
      list.remove_prefix(std::min(tag.size() + 1, list.size()));
      if (trimmed(tag) == "*" || opaque(trimmed(tag)) == opaque(etag))
        return true;
    }
  return false;
}

std::string etag_of(std::string_view body) { return '"' + hex(sha256(body)).substr(0, 32) + '"'; }

const char* reason_phrase(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 202:
    return "Accepted";
  case 206:
    return "Partial Content";
  case 302:
    return "Found";
  case 304:
    return "Not Modified";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 416:
    return "Range Not Satisfiable";
  case 422:
    return "Unprocessable Content";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 503:
    return "Service Unavailable";
  default:
    return "Unknown";
  }
}

} // namespace ci::http
