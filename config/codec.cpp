#include "config/codec.hpp"

#include "actors/domain/size.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <cmath>

namespace ci::config {

namespace {

std::string joined(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (const auto& part : parts)
    text += (text.empty() ? "" : separator) + part;
  return text;
}

/// A TOML array of texts, each of which `parse` reads.
template <class T, class Parse>
Codec<std::vector<T>> list_of(Parse parse, bool may_be_empty, std::string expected) {
  return {[=](const toml::node& node) -> std::optional<std::vector<T>> {
            const auto* array = node.as_array();
            if (!array || (array->empty() && !may_be_empty))
              return std::nullopt;
            std::vector<T> result;
            for (const auto& element : *array) {
              const auto value = element.value_exact<std::string>();
              const auto parsed = value ? parse(*value) : std::nullopt;
              if (!parsed || std::find(result.begin(), result.end(), *parsed) != result.end())
                return std::nullopt;
              result.push_back(*parsed);
            }
            return result;
          },
          [](const std::vector<T>& values) {
            std::vector<std::string> parts;
            parts.reserve(values.size());
            for (const auto& value : values)
              parts.push_back(toml_string(to_string(value)));
            return "[" + joined(parts, ", ") + "]";
          },
          std::move(expected)};
}

/// A text that `parse` reads; `show` writes it without its quotes.
template <class T, class Parse, class Show>
Codec<T> from_text(Parse parse, Show show, std::string expected) {
  return {[=](const toml::node& node) -> std::optional<T> {
            const auto value = node.value_exact<std::string>();
            return value && is_plain(*value) ? parse(*value) : std::nullopt;
          },
          [=](const T& value) { return toml_string(show(value)); }, std::move(expected)};
}

std::string seconds_text(domain::Duration duration) {
  const auto ms = duration.count();
  if (ms % 1000 == 0)
    return std::to_string(ms / 1000);
  auto fraction = std::to_string(1000 + ms % 1000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return std::to_string(ms / 1000) + '.' + fraction;
}

std::optional<domain::ImageBase> read_image_base(const toml::node& node) {
  using Kind = domain::ImageBase::Kind;
  if (const auto word = node.value_exact<std::string>()) {
    if (*word == "blank")
      return domain::ImageBase{Kind::blank, {}};
    return word->empty() ? std::optional<domain::ImageBase>{domain::ImageBase{}} : std::nullopt;
  }
  const auto* table = node.as_table();
  if (!table || table->size() != 1)
    return std::nullopt;
  // A reference to what the iterator gives lives no longer than the iterator.
  const auto entry = table->begin();
  const auto& [key, value] = *entry;
  const auto name = value.value_exact<std::string>();
  if (name && key.str() == "file" && is_inner_path(*name))
    return domain::ImageBase{Kind::file, *name};
  if (name && key.str() == "guest" && !name->empty() && is_plain(*name))
    return domain::ImageBase{Kind::guest, *name};
  return std::nullopt;
}

std::string show_image_base(const domain::ImageBase& base) {
  switch (base.kind) {
  case domain::ImageBase::Kind::unset:
    return R"("")";
  case domain::ImageBase::Kind::blank:
    return R"("blank")";
  case domain::ImageBase::Kind::file:
    return "{ file = " + toml_string(base.name) + " }";
  case domain::ImageBase::Kind::guest:
    return "{ guest = " + toml_string(base.name) + " }";
  }
  return {};
}

std::optional<std::map<std::string, std::string>> read_cdroms(const toml::node& node) {
  const auto* table = node.as_table();
  if (!table)
    return std::nullopt;
  std::map<std::string, std::string> result;
  for (const auto& [device, file] : *table) {
    const auto path = file.value_exact<std::string>();
    if (!path || !is_name(device.str()) || !is_inner_path(*path))
      return std::nullopt;
    result.emplace(device.str(), *path);
  }
  return result;
}

} // namespace

Codec<bool> boolean() {
  return {[](const toml::node& node) { return node.value_exact<bool>(); },
          [](const bool& value) { return std::string{value ? "true" : "false"}; }, "true or false"};
}

std::optional<std::int64_t> read_integer(const toml::node& node, std::int64_t min, std::int64_t max) {
  const auto value = node.value_exact<std::int64_t>();
  return value && *value >= min && *value <= max ? value : std::nullopt;
}

Codec<domain::Duration> seconds(std::int64_t max_seconds) {
  return {[=](const toml::node& node) -> std::optional<domain::Duration> {
            if (!node.is_number())
              return std::nullopt;
            const double value = node.value<double>().value_or(0);
            // Written so that NaN fails, too.
            if (!(value >= 0.001 && value <= static_cast<double>(max_seconds)))
              return std::nullopt;
            return domain::Duration{std::llround(value * 1000)};
          },
          seconds_text,
          "seconds, as an integer or a float: more than 0, at most " + std::to_string(max_seconds)};
}

Codec<std::int64_t> size(std::int64_t min, std::int64_t max) {
  std::string limits;
  if (min > 0)
    limits += ", at least " + domain::format_size(min);
  if (max < std::numeric_limits<std::int64_t>::max())
    limits += ", at most " + domain::format_size(max);
  return from_text<std::int64_t>(
      [=](const std::string& value) {
        const auto bytes = domain::parse_size(value);
        return bytes && *bytes >= min && *bytes <= max ? bytes : std::nullopt;
      },
      domain::format_size, "a size in quotes, <n>B, K, M, G, T or P (binary units)" + limits);
}

Codec<std::string> text(std::function<bool(std::string_view)> test, std::string expected) {
  return from_text<std::string>(
      [test = std::move(test)](const std::string& value) {
        return test(value) ? std::optional{value} : std::nullopt;
      },
      [](const std::string& value) { return value; }, std::move(expected));
}

Codec<std::string> any_text(std::string expected) {
  return text([](std::string_view) { return true; }, std::move(expected));
}

Codec<std::string> absolute_path() {
  return text([](std::string_view path) { return path.substr(0, 1) == "/"; }, "an absolute path");
}

Codec<std::string> word_of(std::vector<std::string> words) {
  std::vector<std::string> shown;
  std::transform(words.begin(), words.end(), std::back_inserter(shown), toml_string);
  auto expected = "one of " + joined(shown, ", ");
  return text(
      [words = std::move(words)](std::string_view word) {
        return std::find(words.begin(), words.end(), word) != words.end();
      },
      std::move(expected));
}

Codec<std::vector<domain::Address>> addresses() {
  return list_of<domain::Address>(domain::parse_address, false,
                                  R"(a list of IP addresses, each once, e.g. ["127.0.0.1", "::1"])");
}

Codec<std::vector<domain::Network>> networks() {
  return list_of<domain::Network>(
      domain::parse_network, true,
      R"(a list of IP addresses or networks, each once, e.g. ["127.0.0.1", "10.0.0.0/8"])");
}

Codec<domain::Network> ipv4_network() {
  return from_text<domain::Network>(
      [](const std::string& value) {
        const auto network = domain::parse_network(value);
        return network && network->base.is_v4() && network->bits > 0 ? network : std::nullopt;
      },
      [](const domain::Network& network) { return to_string(network); },
      R"(an IPv4 network, e.g. "192.168.100.0/24")");
}

Codec<std::string> url_without_slash() {
  return from_text<std::string>(
      [](std::string value) {
        while (!value.empty() && value.back() == '/')
          value.pop_back();
        return is_http_url(value) ? std::optional{value} : std::nullopt;
      },
      [](const std::string& value) { return value; }, "a URL that begins with http:// or https://");
}

Codec<GithubScope> github_scope() {
  return from_text<GithubScope>(
      parse_scope, [](const GithubScope& scope) { return scope.path(); },
      R"("/repos/<owner>/<repository>" or "/orgs/<organization>")");
}

Codec<std::optional<domain::DailyWindow>> daily_window() {
  using Window = std::optional<domain::DailyWindow>;
  return from_text<Window>(
      [](const std::string& value) -> std::optional<Window> {
        if (value.empty())
          return Window{};
        const auto window = parse_window(value);
        return window ? std::optional<Window>{window} : std::nullopt;
      },
      [](const Window& window) { return window ? to_string(*window) : std::string{}; },
      R"("HH:MM-HH:MM" in UTC with two different times, or "" for any time)");
}

Codec<domain::Tokenless> tokenless() {
  using domain::Tokenless;
  return from_text<Tokenless>(
      [](const std::string& value) -> std::optional<Tokenless> {
        if (value == "all")
          return Tokenless::all;
        if (value == "same-repo")
          return Tokenless::same_repo;
        return value == "none" ? std::optional{Tokenless::none} : std::nullopt;
      },
      [](Tokenless value) {
        return std::string{value == Tokenless::all         ? "all"
                           : value == Tokenless::same_repo ? "same-repo"
                                                           : "none"};
      },
      R"(one of "all", "same-repo", "none")");
}

Codec<domain::ImageBase> image_base() {
  return {read_image_base, show_image_base,
          R"("blank", { file = "<path below IMAGE_DEPS_DIR>" } or { guest = "<name of a libvirt guest>" })"};
}

Codec<std::map<std::string, std::string>> cdroms() {
  return {read_cdroms,
          [](const std::map<std::string, std::string>& files) {
            std::vector<std::string> parts;
            parts.reserve(files.size());
            for (const auto& [device, file] : files)
              parts.push_back(toml_string(device) + " = " + toml_string(file));
            return parts.empty() ? std::string{"{}"} : "{ " + joined(parts, ", ") + " }";
          },
          R"(a table of target devices and files below IMAGE_DEPS_DIR, e.g. { sdb = "virtio-win.iso" })"};
}

Codec<std::shared_ptr<const std::string>> script() {
  using Script = std::shared_ptr<const std::string>;
  return {[](const toml::node& node) -> std::optional<Script> {
            auto value = node.value_exact<std::string>();
            if (!value)
              return std::nullopt;
            return value->empty() ? Script{} : std::make_shared<const std::string>(std::move(*value));
          },
          [](const Script& value) { return toml_string(value ? *value : std::string{}); }, "a text"};
}

} // namespace ci::config
