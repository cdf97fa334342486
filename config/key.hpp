#pragma once
/// A key of monitor.toml: everything about it in one place. The loader, the check for unknown keys, the
/// example file and the reload all go by the tables of these.

#include "config/codec.hpp"

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ci::config {

enum class Presence {
  optional,
  required, ///< there is no sensible default
  obsolete, ///< read and ignored, with a notice
};

/// `Owner` is the struct that holds the value: Settings, or a domain::Profile.
template <class Owner>
struct Key {
  std::string name;
  /// What it does, in sentences; for the example file.
  std::string doc;
  /// Completes "expected ...".
  std::string expected;
  Presence presence = Presence::optional;
  /// A change takes effect at the next start alone.
  bool needs_restart = false;
  /// TOML text that the example file shows; empty: the default.
  std::string sample;

  /// False, and nothing changed, where the node is not as expected.
  std::function<bool(const toml::node&, Owner&)> read;
  /// The value as TOML text.
  std::function<std::string(const Owner&)> show;
  std::function<void(const Owner& from, Owner& to)> copy;

  Key required(std::string shown) && {
    presence = Presence::required;
    sample = std::move(shown);
    return std::move(*this);
  }
  /// For an optional key whose default is no constant.
  Key shown_as(std::string shown) && {
    sample = std::move(shown);
    return std::move(*this);
  }
  Key at_restart() && {
    needs_restart = true;
    return std::move(*this);
  }
};

/// Keys that belong together in the example file.
template <class Owner>
struct KeyGroup {
  std::string title;
  std::vector<Key<Owner>> keys;
};

/// `at` is a pointer to a member, or a generic lambda from the owner to a reference; its initialiser is the
/// default.
template <class Owner, class At, class T>
Key<Owner> make_key(std::string name, At at, Codec<T> codec, std::string doc) {
  static_assert(std::is_same_v<std::invoke_result_t<At, Owner&>, T&>, "the codec is for another type");
  Key<Owner> key;
  key.name = std::move(name);
  key.doc = std::move(doc);
  key.expected = codec.expected;
  key.read = [at, read = std::move(codec.read)](const toml::node& node, Owner& owner) {
    auto value = read(node);
    if (value)
      std::invoke(at, owner) = std::move(*value);
    return value.has_value();
  };
  key.show = [at, show = std::move(codec.show)](const Owner& owner) { return show(std::invoke(at, owner)); };
  key.copy = [at](const Owner& from, Owner& to) { std::invoke(at, to) = std::invoke(at, from); };
  return key;
}

template <class Owner>
Key<Owner> obsolete_key(std::string name, std::string doc) {
  Key<Owner> key;
  key.name = std::move(name);
  key.doc = std::move(doc);
  key.presence = Presence::obsolete;
  return key;
}

/// The keys above the first table of monitor.toml.
const std::vector<KeyGroup<Settings>>& setting_groups();
/// The keys of `[profiles.<key>]`, but for `image`.
const KeyGroup<domain::Profile>& profile_keys();
/// The keys of `[profiles.<key>.image]` and of a profile's `image.toml`.
const KeyGroup<domain::Profile>& image_keys();

} // namespace ci::config
