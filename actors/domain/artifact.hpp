#pragma once
/// The file within an artifact by which a workflow run asks for runners without a token. Pure.

#include "actors/domain/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace ci::domain {

/// What the file says. `unique_id` and `qualified_repo` are as they were written; nothing is compared here.
struct ArtifactContents {
  std::string unique_id;
  std::string qualified_repo;
  RunId run_id = 0;
  /// `self_hosted_image_name`; empty where it names none.
  std::string profile;
  /// `self_hosted_runner_count`; at least 1.
  std::int64_t count = 1;
  /// 64 hexadecimal digits in lower case, where the file holds them.
  std::optional<std::string> key_sha256;
  friend bool operator==(const ArtifactContents&, const ArtifactContents&) = default;
};

/// Reads lines of `key=value`, ended by LF or CRLF. Empty lines and unknown keys are ignored, a repeated key
/// is an error. The contents, or what is wrong in a few words that repeat nothing of the file.
std::variant<ArtifactContents, std::string> parse_artifact(std::string_view text);

/// Whether two texts are equal, in a time that depends on their lengths alone.
bool equal_in_constant_time(std::string_view, std::string_view);

} // namespace ci::domain
