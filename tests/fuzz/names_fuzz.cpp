/// Names of guests, registrations and snapshots, as anyone may give them to a guest or a runner.

#include "actors/domain/names.hpp"
#include "tests/fuzz/promise.hpp"

#include <string>

using namespace ci::domain;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  Prefixes prefixes;
  prefixes.registration_suffix = "ci0";
  if (auto runner = parse_runner_guest(prefixes, name)) {
    reached("a guest");
    promise(runner_guest_name(prefixes, runner->profile, runner->id) == name,
            "a guest's name has one spelling");
  }
  if (auto runner = parse_registration(prefixes, name)) {
    reached("a registration");
    auto guest = runner_guest_name(prefixes, runner->profile, runner->id);
    promise(registration_name(prefixes, guest) == name, "a registration's name has one spelling");
  }
  const auto check_image = [&](const ImageName& image) {
    promise(name.ends_with("-" + image.profile + "@" + image.snapshot), "an image's name holds its parts");
  };
  if (auto image = parse_template_guest(prefixes, name)) {
    reached("a template");
    check_image(*image);
  }
  if (auto image = parse_rebuild_guest(prefixes, name)) {
    reached("a guest that builds");
    check_image(*image);
  }
  if (auto time = snapshot_time(name)) {
    reached("a time");
    promise(snapshot_time(rfc3339(*time)).has_value(), "a time can be written and read again");
  }
  if (is_uuid_v4(name)) {
    reached("a UUID");
    promise(is_uuid_v4(to_lower(name)) && size == 36, "a UUID's case does not matter");
  }
  if (is_qualified_repo(name)) {
    reached("a repository");
    promise(name.find('/') == name.rfind('/') && !name.ends_with("/..") && !name.ends_with("/."),
            "one owner and one repository");
  }
  return 0;
}
