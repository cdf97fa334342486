#pragma once
/// Addresses at GitHub: writing them, and telling whether one that came from outside may be given the token.
/// Pure; any thread.

#include <optional>
#include <string>
#include <string_view>

namespace ci::edge {

/// All but unreserved characters as %XX, so that the text is one segment of a path or one value of a query.
std::string percent_encode(std::string_view text);

/// Scheme, host and port of an http(s) URL in one normal form (lower case, port spelled out). Nothing where
/// it is no such URL, or carries a user or password.
std::optional<std::string> origin_of(const std::string& url);

/// The host of an http(s) URL in lower case, an IPv6 address without brackets. Nothing where origin_of() has none.
std::optional<std::string> host_of(const std::string& url);

/// Whether the URL is of this machine: `localhost`, a name below it, or a loopback address.
bool is_loopback_url(const std::string& url);

/// The URL that `reference`, as it stands in a Link or Location header, means when seen at `base`. Nothing
/// where it leaves the origin of `base`. An absolute one is kept to the letter: GitHub's own differ from
/// ours.
std::optional<std::string> same_origin(const std::string& base, const std::string& reference);

/// Whether an archive may be fetched, without the token, from where a redirect of the API leads: not from a
/// scheme that is less secure than the API's, and from the API's own host only where that is GitHub Enterprise
/// Server, which may store archives itself, at the very origin of its API: api.github.com never does.
bool may_deliver(const std::string& api, const std::string& location);

/// The target of `rel="next"` in a Link header, as it stands there.
std::optional<std::string> next_link(std::string_view header);

} // namespace ci::edge
