#include "actors/edge/github_url.hpp"

#include "actors/domain/address.hpp"
#include "actors/edge/github_text.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace ci::edge {

namespace {

/// libcurl's own parser, so that what is checked here is what is connected to later.
using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Url parse_url(const std::string& url) {
  Url parsed{curl_url(), curl_url_cleanup};
  if (parsed && curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    parsed.reset();
  return parsed;
}

std::optional<std::string> url_part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK)
    return std::nullopt;
  std::string result{text};
  curl_free(text);
  return result;
}

/// Whether one `;`-separated parameter of a link is a rel that holds the word `next`.
bool is_rel_next(std::string_view parameter) {
  const auto equals = parameter.find('=');
  if (equals == std::string_view::npos || ascii_lower(trimmed(parameter.substr(0, equals))) != "rel")
    return false;
  auto value = trimmed(parameter.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  const auto words = " " + ascii_lower(value) + " ";
  return words.find(" next ") != std::string::npos;
}

bool any_rel_next(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto end = std::min(parameters.find(';'), parameters.size());
    if (is_rel_next(parameters.substr(0, end)))
      return true;
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return false;
}

} // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view unreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (unreserved.find(c) != std::string_view::npos) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

std::optional<std::string> origin_of(const std::string& url) {
  const auto parsed = parse_url(url);
  if (!parsed || url_part(parsed, CURLUPART_USER) || url_part(parsed, CURLUPART_PASSWORD))
    return std::nullopt;
  const auto scheme = url_part(parsed, CURLUPART_SCHEME);
  const auto host = url_part(parsed, CURLUPART_HOST);
  const auto port = url_part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!scheme || !host || host->empty() || !port || (*scheme != "http" && *scheme != "https"))
    return std::nullopt;
  return *scheme + "://" + ascii_lower(*host) + ":" + *port;
}

std::optional<std::string> host_of(const std::string& url) {
  if (!origin_of(url))
    return std::nullopt;
  auto host = ascii_lower(*url_part(parse_url(url), CURLUPART_HOST));
  if (host.size() > 2 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  while (host.ends_with('.'))
    host.pop_back();
  return host;
}

bool is_loopback_url(const std::string& url) {
  const auto host = host_of(url);
  if (!host)
    return false;
  const auto address = domain::parse_address(*host);
  return address ? address->is_loopback() : *host == "localhost" || host->ends_with(".localhost");
}

std::optional<std::string> same_origin(const std::string& base, const std::string& reference) {
  const auto ours = origin_of(base);
  if (!ours)
    return std::nullopt;
  if (const auto theirs = origin_of(reference))
    return theirs == ours ? std::optional{reference} : std::nullopt;
  if (reference.find("://") != std::string::npos)
    return std::nullopt;
  auto url = parse_url(base);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), 0) != CURLUE_OK)
    return std::nullopt;
  auto resolved = url_part(url, CURLUPART_URL);
  return resolved && origin_of(*resolved) == ours ? resolved : std::nullopt;
}

bool may_deliver(const std::string& api, const std::string& location) {
  const auto ours = origin_of(api), theirs = origin_of(location);
  if (!ours || !theirs || (ours->starts_with("https:") && !theirs->starts_with("https:")))
    return false;
  if (host_of(location) != host_of(api))
    return true;
  return theirs == ours && host_of(api) != "api.github.com";
}

std::optional<std::string> next_link(std::string_view header) {
  // A target may hold commas and semicolons; both separate only outside the angle brackets.
  while (true) {
    const auto open = header.find('<');
    const auto close = header.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos)
      return std::nullopt;
    const auto target = header.substr(open + 1, close - open - 1);
    header.remove_prefix(close + 1);
    const auto end = std::min(header.find('<'), header.size());
    auto parameters = header.substr(0, end);
    if (const auto comma = parameters.rfind(','); end < header.size() && comma != std::string_view::npos)
      parameters = parameters.substr(0, comma);
    if (any_rel_next(parameters))
      return std::string{target};
  }
}

} // namespace ci::edge
