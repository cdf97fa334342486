#include "config/profile_folder.hpp"

#include "config/check.hpp"

#include <cstdint>
#include <cstdio>

namespace ci::config {

namespace {

/// A profile with a target and no template is built here, so all that a build needs must be there.
void check_buildable(const domain::Profile& profile, const std::string& folder, const FileReader& read_file,
                     Findings& findings) {
  const std::string hint = " (or, with a hand-made template guest: template = \"<its name>\")";
  const auto table = "profiles." + toml_key(profile.key);
  if (!profile.boot_script)
    findings.complain(table, "expected the file " + folder + "/boot-script" + hint);
  if (!read_file(folder + "/guest.xml"))
    findings.complain(table, "expected the file " + folder + "/guest.xml" + hint);
  const std::string where = " in " + folder + "/image.toml or [" + table + ".image]" + hint;
  if (profile.disk_target.empty())
    findings.complain(table + ".image.target_device", "expected the device of the image's disk" + where);
  if (profile.image.begins_with.kind == domain::ImageBase::Kind::unset)
    findings.complain(table + ".image.begins_with", "expected what the image's disk begins with" + where);
}

/// FNV-1a, 64 bits: what changes is noticed, nothing is proved.
class Fingerprint {
 public:
  void add(const std::string& text) {
    for (const unsigned char c : text + '\0')
      hash_ = (hash_ ^ c) * 0x100000001b3ULL;
  }
  std::string text() const {
    char hex[17];
    std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash_));
    return hex;
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

} // namespace

void read_image(domain::Profile& profile, const std::string& folder, const toml::table* image,
                const TableContext& place, const FileReader& read_file, Findings& findings) {
  const auto keys = all_keys(image_keys());
  const auto path = folder + "/image.toml";
  if (const auto text = read_file ? read_file(path) : std::nullopt) {
    auto in_file = place;
    in_file.file = path;
    in_file.line = 0;
    in_file.shown_prefix.clear();
    if (const auto table = parse_toml(*text, path, findings))
      read_table(*table, keys, profile, in_file, findings);
  }
  if (image)
    read_table(*image, keys, profile, place, findings);
}

void read_boot_script(domain::Profile& profile, const std::string& folder, const FileReader& read_file,
                      Findings& findings) {
  const bool hand_made = !profile.template_guest.empty();
  if (profile.boot_script && !hand_made) {
    findings.complain(profile_key_name(profile.key, "boot_script"),
                      "expected only beside template; else the script is the file " + folder +
                          "/boot-script");
    return;
  }
  if (!read_file)
    return;
  if (!profile.boot_script)
    if (auto text = read_file(folder + "/boot-script"))
      profile.boot_script = std::make_shared<const std::string>(std::move(*text));
  if (profile.target_count == 0)
    return;
  if (!hand_made)
    check_buildable(profile, folder, read_file, findings);
  else if (!profile.boot_script)
    findings.warn("profiles." + toml_key(profile.key), "no boot script, neither boot_script nor " + folder +
                                                           "/boot-script: /boot has nothing to serve");
}

void read_image_sources(domain::Profile& profile, const std::string& folder, const FileReader& read_file) {
  if (!read_file || !profile.builds_images())
    return;
  const auto read = [&](const char* name) { return read_file(folder + "/" + name).value_or(""); };
  domain::ImageSources sources{read("guest.xml"), read("user-data"), read("meta-data"),
                               read("autounattend.xml")};
  Fingerprint fingerprint;
  for (const auto& text : {sources.guest_xml, sources.user_data, sources.meta_data, sources.autounattend,
                           profile.boot_script ? *profile.boot_script : std::string{}})
    fingerprint.add(text);
  for (const auto* key : all_keys(image_keys()))
    fingerprint.add(key->name + "=" + key->show(profile));
  profile.image_fingerprint = fingerprint.text();
  profile.image_sources = std::make_shared<const domain::ImageSources>(std::move(sources));
}

} // namespace ci::config
