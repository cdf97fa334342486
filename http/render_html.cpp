#include "http/render_html.hpp"

#include "actors/domain/names.hpp"
#include "http/digest.hpp"
#include "http/html.hpp"
#include "http/page_assets.hpp"
#include "http/render_cards.hpp"

#include <algorithm>

namespace ci::http {

namespace {

bool token_ends_soon(const domain::Snapshot& snapshot) {
  const auto& end = snapshot.github_token_expires_at;
  return end && *end - snapshot.at <= domain::token_warning;
}

std::string header(const domain::Snapshot& snapshot, const PageStyle& style) {
  const bool parties_well = snapshot.github.well && snapshot.libvirt.well && snapshot.store.well;
  const bool profiles_well = std::all_of(snapshot.profiles.begin(), snapshot.profiles.end(),
                                         [](const auto& entry) {
                                           const auto& counts = entry.second;
                                           return counts.trouble.empty() && counts.image.trouble.empty();
                                         });
  const bool well = parties_well && profiles_well && !snapshot.draining && !token_ends_soon(snapshot);
  return "<header><svg class=\"logo\" viewBox=\"0 0 30 30\" aria-hidden=\"true\">"
         "<rect width=\"30\" height=\"30\" rx=\"8\" fill=\"#1f6feb\"/>"
         "<path d=\"M5 16h5l3-8 4 14 3-6h5\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2.4\" "
         "stroke-linecap=\"round\" stroke-linejoin=\"round\"/></svg>"
         "<h1>ci-monitor</h1>" +
         chip(well           ? "well"
              : parties_well ? "warn"
                             : "bad",
              well ? "All is well" : "Needs attention") +
         "<span class=\"soft\">version " + escape_html(style.version) + "<br>last change " +
         time_element(snapshot.at, TimeKind::ago) + "</span></header>\n";
}

std::string party_banner(const char* name, const domain::PartyHealth& party) {
  if (party.well)
    return {};
  std::string text = "<p class=\"banner bad\" role=\"status\"><strong>" + std::string(name) +
                     " is not answering as it should.</strong> " + escape_html(party.trouble);
  if (party.since)
    text += " (since " + time_element(*party.since, TimeKind::ago) + ")";
  return text + "</p>\n";
}

std::string banners(const domain::Snapshot& snapshot) {
  auto text = party_banner("GitHub", snapshot.github) + party_banner("libvirt", snapshot.libvirt) +
              party_banner("The store", snapshot.store);
  if (token_ends_soon(snapshot))
    text += "<p class=\"banner\" role=\"status\"><strong>GitHub's token ends " +
            time_element(*snapshot.github_token_expires_at, TimeKind::until) +
            ".</strong> Put another one into .env; no restart is needed.</p>\n";
  if (snapshot.draining)
    text += "<p class=\"banner\" role=\"status\"><strong>The service is stopping.</strong> It takes no more "
            "requests; runners keep running.</p>\n";
  return text;
}

std::string numbers_text(const domain::ProfileNumbers& numbers) {
  std::string text;
  for (const auto& [key, number] : numbers)
    text += (text.empty() ? "" : ", ") + escape_html(key) + " " + std::to_string(number);
  return text;
}

std::string override_banner(const domain::Snapshot& snapshot) {
  if (!snapshot.policy_override)
    return {};
  const auto& active = *snapshot.policy_override;
  domain::ProfileNumbers delivered;
  for (const auto& [key, count] : active.granted)
    delivered[key] = 0;
  for (const auto& [key, ids] : active.delivered)
    delivered[key] = static_cast<int>(ids.size());
  return "<p class=\"banner\" role=\"status\"><strong>A policy override is in force</strong> since " +
         time_element(active.created_at, TimeKind::ago) + ": granted " + numbers_text(active.granted) +
         "; delivered " + numbers_text(delivered) + "; steered to " + numbers_text(active.targets) + "</p>\n";
}

std::string heading(const char* name, std::size_t count) {
  return std::string("<h2>") + name + " <span class=\"count\">" + std::to_string(count) + "</span></h2>\n";
}

/// A cell as narrow as its contents.
std::string tight(const std::string& html) { return "<td class=\"tight\">" + html + "</td>"; }

std::string run_link(const domain::ReservationView& reservation, const PageStyle& style) {
  const auto path = reservation.qualified_repo + "/actions/runs/" + std::to_string(reservation.run_id);
  return "<a href=\"" + escape_html(style.github_web_url + path) + "\" rel=\"noreferrer\">" +
         escape_html(reservation.qualified_repo) + "<span class=\"soft\">run " +
         std::to_string(reservation.run_id) + "</span></a>";
}

std::string reservation_row(const domain::ReservationView& reservation, const PageStyle& style) {
  std::string runners;
  for (const auto& slot : reservation.slots)
    runners += (runners.empty() ? "#" : ", #") + std::to_string(slot.runner);
  const bool must_start = reservation.deadline && reservation.state == "reserved";
  return "<tr><td>" + status_mark(reservation_dot(reservation.state), escape_html(reservation.state)) +
         "</td><td class=\"mono tight\">" + escape_html(reservation.unique_id) + "</td>" +
         tight(escape_html(reservation.profile)) + tight(run_link(reservation, style)) + tight(runners) +
         tight(time_element(reservation.created_at, TimeKind::age)) +
         tight(must_start ? time_element(*reservation.deadline, TimeKind::until) : "–") + "</tr>\n";
}

/// Those that have not ended: the others are of interest to their clients alone.
std::string reservation_section(const domain::Snapshot& snapshot, const PageStyle& style) {
  std::string rows;
  std::size_t count = 0;
  for (const auto& [id, reservation] : snapshot.reservations)
    if (!reservation->ended_at) {
      rows += reservation_row(*reservation, style);
      ++count;
    }
  auto text = heading("Reservations", count) + "<div class=\"scroll\">";
  if (rows.empty())
    return text + "<div class=\"empty\">No runner is reserved.</div></div>\n";
  return text +
         "<table><thead><tr><th>State</th><th>unique_id</th><th>Profile</th><th>For</th><th>Runners</th>"
         "<th>Age</th><th>Must start</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>\n";
}

std::string runner_section(const std::vector<const std::string*>& rows, const PageStyle& style) {
  auto text = heading("Runners", rows.size()) + "<div class=\"scroll\">";
  if (rows.empty())
    return text + "<div class=\"empty\">There are no runners.</div></div>\n";
  text += "<table><thead><tr><th>#</th><th>Status</th>";
  text += style.pictures ? "<th>Screen</th>" : "";
  text += "<th>Profile</th><th>Age</th><th>Guest</th><th>At GitHub</th><th>Details</th></tr></thead><tbody>";
  for (const auto* row : rows)
    text += *row;
  return text + "</tbody></table></div>\n";
}

std::string stranger_section(const domain::Snapshot& snapshot) {
  if (snapshot.strangers.empty())
    return {};
  auto text =
      heading("Strangers", snapshot.strangers.size()) +
      "<ul class=\"names\"><li class=\"soft\">Their names look like ours, but we did not make them: they are "
      "left alone.</li>";
  for (const auto& name : snapshot.strangers)
    text += "<li><code>" + escape_html(name) + "</code></li>";
  return text + "</ul>\n";
}

/// The script asks for a newer one now and then; where there is none yet, the place stays empty.
std::string picture_link(const domain::RunnerView& runner) {
  if (!runner.guest_name)
    return {};
  const auto path = "runner/" + std::to_string(runner.id) + "/screenshot";
  return "<a href=\"" + path + "/now\" title=\"Take a picture now\"><img class=\"screen\" src=\"" + path +
         ".png\" alt=\"\" width=\"112\" height=\"70\" loading=\"lazy\"></a>";
}

std::string details_cell(const domain::RunnerView& runner) {
  std::string text;
  const auto line = [&](const std::string& label, const std::string& value) {
    text += "<span class=\"soft\">" + escape_html(label) + escape_html(value) + "</span>";
  };
  for (const auto& [key, value] : runner.details)
    if (key == "reason" || key == "last_error")
      line("", value);
    else if (key != "template" && !(key == "phase" && value == "live"))
      line(readable_key(key) + ": ", value);
  return text;
}

} // namespace

std::string runner_row(const domain::RunnerView& runner, const PageStyle& style) {
  std::string guest =
      runner.guest_name ? "<span class=\"mono\">" + escape_html(*runner.guest_name) + "</span>" : "–";
  if (runner.ipv4_address)
    guest += "<span class=\"soft mono\">" + escape_html(*runner.ipv4_address) + "</span>";
  std::string registration = "–";
  if (runner.registration)
    registration = escape_html(runner.registration->status) + (runner.registration->busy ? ", busy" : "") +
                   "<span class=\"soft\">id " + std::to_string(runner.registration->id) + "</span>";
  const auto* word = domain::to_string(runner.status);
  const std::string picture =
      style.pictures ? "<td class=\"screen\">" + picture_link(runner) + "</td>" : std::string();
  return "<tr>" + tight(std::to_string(runner.id)) + "<td title=\"" + word + "\">" +
         status_mark(word, word_of(runner.status)) + "</td>" + picture + tight(escape_html(runner.profile)) +
         tight(time_element(runner.created_at, TimeKind::age)) + tight(guest) + tight(registration) +
         "<td class=\"wide\">" + details_cell(runner) + "</td></tr>\n";
}

std::string page_contents(const domain::Snapshot& snapshot, const std::vector<const std::string*>& rows,
                          const PageStyle& style) {
  return header(snapshot, style) + banners(snapshot) + override_banner(snapshot) + profile_section(snapshot) +
         host_section(snapshot) + reservation_section(snapshot, style) + runner_section(rows, style) +
         stranger_section(snapshot) +
         "<footer><span>Times in UTC</span><a href=\"dashboard.json\">dashboard.json</a>"
         "<a href=\"readyz\">readyz</a></footer>\n";
}

std::string page_shell(const std::string& contents) {
  return std::string("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<title>ci-monitor</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>") +
         page_style +
         "</style>\n<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n</head>\n<body>\n"
         "<main id=\"contents\">\n" +
         contents +
         "</main>\n<div id=\"lost\" role=\"status\">No contact to the monitor: this is old.</div>\n<script>" +
         page_script + "</script>\n</body>\n</html>\n";
}

const std::string& content_security_policy() {
  static const std::string policy =
      "default-src 'none'; style-src 'sha256-" + base64(sha256(page_style)) + "'; script-src 'sha256-" +
      base64(sha256(page_script)) +
      "'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return policy;
}

} // namespace ci::http
