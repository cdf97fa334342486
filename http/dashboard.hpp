#pragma once
/// The dashboard's texts, assembled once a snapshot by the first reader that finds them stale.

#include "actors/board.hpp"
#include "http/render_html.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace ci::http {

/// A text and its validator.
struct Document {
  std::shared_ptr<const std::string> text;
  std::string etag;
};

/// Any thread. A runner's part is rendered again only when that runner changed; ages of images move on once a
/// minute.
class Dashboard {
 public:
  Dashboard(BoardPtr board, PageStyle style, std::function<domain::Time()> now)
      : board_(std::move(board)), now_(std::move(now)), style_(std::move(style)) {}

  // Empty before the first crank is over.
  /// /dashboard.json
  std::optional<Document> json();
  /// /dashboard.html
  std::optional<Document> contents();
  /// `/`
  std::optional<Document> page();

  /// Whether pictures of guests are shown, from now on.
  void show_pictures(bool);

 private:
  /// What was rendered of one runner. Holds the view, so that its address is not used again while it is a key
  /// here.
  struct Fragment {
    domain::RunnerViewPtr view;
    std::string json, row;
  };
  using Fragments = std::unordered_map<const domain::RunnerView*, Fragment>;

  /// False: no snapshot. Drops what is stale.
  bool refresh();
  const Document& ensure_contents();

  const BoardPtr board_;
  const std::function<domain::Time()> now_;
  std::mutex mutex_;
  PageStyle style_;
  domain::SnapshotPtr snapshot_;
  domain::Time rendered_for_{}; ///< to the minute
  Fragments fragments_;
  std::optional<Document> json_, contents_, page_;
};

} // namespace ci::http
