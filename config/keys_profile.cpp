#include "config/key.hpp"
#include "config/text.hpp"

namespace ci::config {

using domain::ImageRecipe;
using domain::Profile;
using domain::Resources;

namespace {

template <class T>
auto in_requirements(T Resources::*member) {
  return [member](auto& profile) -> auto& { return profile.requires_.*member; };
}

template <class T>
auto in_image(T ImageRecipe::*member) {
  return [member](auto& profile) -> auto& { return profile.image.*member; };
}

} // namespace

const KeyGroup<Profile>& profile_keys() {
  static const KeyGroup<Profile> group{
      "Profiles",
      {
          make_key<Profile>("profile_name", &Profile::key, any_text("the key of its table"),
                            "The profile's name once more; may be left out.")
              .shown_as(R"("linux")"),
          make_key<Profile>("github_runner_label", &Profile::github_runner_label,
                            text(is_runner_label,
                                 "a label: 1 to 256 characters, no comma, no blank at its ends, not "
                                 "beginning with reserved-for:, reserved-since: or reserved-by:"),
                            "What workflows say in runs-on, besides self-hosted and X64.")
              .required(R"("self-hosted-image:linux")"),
          make_key<Profile>(
              "target_count", &Profile::target_count, integer<int>(0, 10'000),
              "How many healthy runners to keep. All targets together must fit the host budget.")
              .required("2"),
          make_key<Profile>("requires_1g_hugepages", in_requirements(&Resources::hugepages_1g),
                            integer<std::int64_t>(0, 1'000'000), "Huge pages of 1 GiB that one runner takes.")
              .required("0"),
          make_key<Profile>("requires_normal_memory", in_requirements(&Resources::memory_bytes), size(),
                            "Other memory that one runner takes.")
              .required(R"("4G")"),
          make_key<Profile>(
              "tokenless", &Profile::tokenless, tokenless(),
              "Who may select such a runner without a token: every run of an allowed repository, only "
              "runs whose head is that repository itself (no forks), or nobody."),
          make_key<Profile>(
              "template", &Profile::template_guest, any_text("the name of a libvirt guest"),
              "A hand-made template guest, shut off, that runners are cloned from. No images are built "
              "then, and the profile's folder needs to hold nothing."),
          make_key<Profile>("boot_script", &Profile::boot_script, script(),
                            "With template: what /boot serves, in place of the file boot-script."),
          obsolete_key<Profile>("image_type", "profiles say how their image is made in image.toml"),
      }};
  return group;
}

const KeyGroup<Profile>& image_keys() {
  const auto device = [](std::string_view name) { return name.empty() || is_name(name); };
  const auto folder = [](std::string_view path) { return !path.empty(); };
  static const KeyGroup<Profile> group{
      "Image",
      {
          make_key<Profile>(
              "target_device", &Profile::disk_target, text(device, "a target device, e.g. \"vda\""),
              "The disk in guest.xml that is the image's: the only one that is cloned and deleted. "
              "Needed for a build; empty with template: the template's first disk."),
          make_key<Profile>("size", in_image(&ImageRecipe::size_bytes), size(),
                            "Size of that disk; \"0B\": that of what it begins with."),
          make_key<Profile>(
              "begins_with", in_image(&ImageRecipe::begins_with), image_base(),
              "What the disk holds before the build: nothing, a file below IMAGE_DEPS_DIR, or the disk "
              "of a hand-made libvirt guest. Needed for a build."),
          make_key<Profile>("cdroms", in_image(&ImageRecipe::cdroms), cdroms(),
                            "Further CD-ROM images by target device."),
          make_key<Profile>("config_cdrom", in_image(&ImageRecipe::config_cdrom),
                            text(device, "a target device, e.g. \"sda\""),
                            "The CD-ROM drive for user-data and meta-data, or autounattend.xml; empty: the "
                            "first drive in guest.xml that is not among cdroms."),
          make_key<Profile>(
              "work_folder", &Profile::work_folder, text(folder, "a path in the guest"),
              "Where jobs work in the guest; GitHub's runner takes it relative to its own folder."),
          make_key<Profile>("build_timeout", in_image(&ImageRecipe::build_timeout), seconds(),
                            "A build that has not shut itself down by then has failed."),
          make_key<Profile>(
              "allow_overlay", in_image(&ImageRecipe::allow_overlay), boolean(),
              "Whether runners' disks may be qcow2 overlays where the file system can't share blocks."),
      }};
  return group;
}

} // namespace ci::config
