#pragma once
/// The dashboard for people. Everything that others have named is escaped; there are no external assets.
/// Pure.

#include "actors/domain/snapshot.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ci::http {

struct PageStyle {
  /// Ends in `/`.
  std::string external_base_url;
  /// Where workflow runs are looked at; ends in `/`.
  std::string github_web_url;
  std::string version;
  /// Whether pictures of guests are shown.
  bool pictures = true;
};

/// A runner's row of the table.
std::string runner_row(const domain::RunnerView&, const PageStyle&);
/// /dashboard.html. \p rows: of the snapshot's runners, in its order.
std::string page_contents(const domain::Snapshot&, const std::vector<const std::string*>& rows,
                          const PageStyle&);
/// `/`: the contents, with style, and with the script that keeps them fresh. Works without the script, too.
std::string page_shell(const std::string& contents);
/// Allows the shell's own style and script and nothing else.
const std::string& content_security_policy();

} // namespace ci::http
