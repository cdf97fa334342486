#include "http/dashboard.hpp"

#include "http/render_json.hpp"
#include "http/response.hpp"

#include <utility>

namespace ci::http {

namespace {

Document document(std::string text) {
  auto etag = etag_of(text);
  return {std::make_shared<const std::string>(std::move(text)), std::move(etag)};
}

} // namespace

bool Dashboard::refresh() {
  auto newest = board_->snapshot();
  const auto now = std::chrono::floor<std::chrono::minutes>(now_());
  if (newest == snapshot_ && now == rendered_for_)
    return snapshot_ != nullptr;
  json_ = contents_ = page_ = std::nullopt;
  rendered_for_ = now;
  snapshot_ = std::move(newest);
  if (!snapshot_)
    return false;
  // Built anew from the old ones, so that those of runners that are no more go.
  Fragments kept;
  for (const auto& view : snapshot_->runners) {
    const auto old = fragments_.find(view.get());
    if (old != fragments_.end())
      kept.emplace(view.get(), std::move(old->second));
    else
      kept.emplace(view.get(),
                   Fragment{view, dashboard_runner_json(*view, style_.external_base_url), runner_row(*view, style_)});
  }
  fragments_ = std::move(kept);
  return true;
}

void Dashboard::show_pictures(bool shown) {
  std::lock_guard lock(mutex_);
  if (std::exchange(style_.pictures, shown) == shown)
    return;
  fragments_.clear();
  snapshot_ = nullptr; // everything is rendered anew
  json_ = contents_ = page_ = std::nullopt;
}

std::optional<Document> Dashboard::json() {
  std::lock_guard lock(mutex_);
  if (!refresh())
    return std::nullopt;
  if (!json_) {
    std::vector<const std::string*> runners;
    for (const auto& view : snapshot_->runners)
      runners.push_back(&fragments_.at(view.get()).json);
    json_ = document(dashboard_json(*snapshot_, now_(), runners, style_.version));
  }
  return json_;
}

const Document& Dashboard::ensure_contents() {
  if (!contents_) {
    std::vector<const std::string*> rows;
    for (const auto& view : snapshot_->runners)
      rows.push_back(&fragments_.at(view.get()).row);
    contents_ = document(page_contents(*snapshot_, rows, style_));
  }
  return *contents_;
}

std::optional<Document> Dashboard::contents() {
  std::lock_guard lock(mutex_);
  if (!refresh())
    return std::nullopt;
  return ensure_contents();
}

std::optional<Document> Dashboard::page() {
  std::lock_guard lock(mutex_);
  if (!refresh())
    return std::nullopt;
  if (!page_)
    page_ = document(page_shell(*ensure_contents().text));
  return page_;
}

} // namespace ci::http
