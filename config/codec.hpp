#pragma once
/// How values of each type stand in TOML: reading them, writing them, and saying what is expected.

#include "config/settings.hpp"

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ci::config {

template <class T>
struct Codec {
  /// Nothing where the node is not what was expected.
  std::function<std::optional<T>(const toml::node&)> read;
  /// TOML text that read() reads back as the same value.
  std::function<std::string(const T&)> show;
  /// Completes "expected ...".
  std::string expected;
};

Codec<bool> boolean();

/// The number in the node, where it is an integer within the limits.
std::optional<std::int64_t> read_integer(const toml::node&, std::int64_t min, std::int64_t max);

template <class Integer>
Codec<Integer> integer(Integer min, Integer max) {
  return {[=](const toml::node& node) -> std::optional<Integer> {
            const auto value = read_integer(node, min, max);
            return value ? std::optional{static_cast<Integer>(*value)} : std::nullopt;
          },
          [](const Integer& value) { return std::to_string(value); },
          "an integer from " + std::to_string(min) + " to " + std::to_string(max)};
}

constexpr std::int64_t year_seconds = 365 * 86'400;
/// Seconds as integer or float, more than 0 (at least a millisecond, the unit of domain::Duration).
Codec<domain::Duration> seconds(std::int64_t max_seconds = year_seconds);

/// `<n>B|K|M|G|T|P`, in bytes.
Codec<std::int64_t> size(std::int64_t min = 0, std::int64_t max = std::numeric_limits<std::int64_t>::max());

/// A text on one line that passes the test.
Codec<std::string> text(std::function<bool(std::string_view)> test, std::string expected);
/// Any text on one line; empty allowed.
Codec<std::string> any_text(std::string expected);
/// An absolute path.
Codec<std::string> absolute_path();
/// One of the words.
Codec<std::string> word_of(std::vector<std::string> words);

Codec<std::vector<domain::Address>> addresses();
Codec<std::vector<domain::Network>> networks();
Codec<domain::Network> ipv4_network();
/// An http(s) URL, kept without slashes at its end.
Codec<std::string> url_without_slash();
Codec<GithubScope> github_scope();
/// Empty text: none.
Codec<std::optional<domain::DailyWindow>> daily_window();
Codec<domain::Tokenless> tokenless();
/// `"blank"`, `{ file = "..." }` or `{ guest = "..." }`; empty text: unset.
Codec<domain::ImageBase> image_base();
/// A table of target device -> file.
Codec<std::map<std::string, std::string>> cdroms();
/// A text of any lines; empty text: null.
Codec<std::shared_ptr<const std::string>> script();

} // namespace ci::config
