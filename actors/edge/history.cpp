#include "actors/edge/history.hpp"

#include "actors/edge/data_folder.hpp"
#include "actors/edge/store_statements.hpp"

#include <algorithm>
#include <utility>

namespace ci::edge {
namespace {

/// Another process may be recovering the log.
constexpr int reader_timeout_ms = 500;
constexpr const char* line_columns = "SELECT number,at,event,runner,profile,detail FROM history ";

domain::HistoryLine line_of(SQLite::Statement& row) {
  domain::HistoryLine line;
  rows::Reader reader(row);
  reader.read(line.number);
  reader.read(line.event.at);
  reader.read(line.event.event);
  reader.read(line.event.runner);
  reader.read(line.event.profile);
  reader.read(line.event.detail);
  return line;
}

/// The conditions that the query names, and no other: SQLite then walks by number and stops at the limit.
std::string page_sql(const domain::HistoryQuery& query) {
  std::string where;
  const auto also = [&](bool asked, const char* condition) {
    if (asked)
      where += std::string(where.empty() ? "WHERE " : " AND ") + condition;
  };
  also(query.before.has_value(), "number<?");
  also(query.runner.has_value(), "runner=?");
  also(query.profile.has_value(), "profile=?");
  also(query.event.has_value(), "event=?");
  also(query.since.has_value(), "+at>=?");
  also(query.until.has_value(), "+at<?");
  return line_columns + where + " ORDER BY number DESC LIMIT ?";
}

} // namespace

class HistoryReader::Impl {
 public:
  explicit Impl(const std::filesystem::path& data)
      : file_((data / "monitor.db").string()), db_(file_, SQLite::OPEN_READONLY, reader_timeout_ms),
        after_(db_, std::string(line_columns) + "WHERE number>? ORDER BY number LIMIT ?") {}

  domain::HistoryPage page(const domain::HistoryQuery& query) {
    SQLite::Statement sql(db_, page_sql(query));
    rows::Binder bind(sql);
    const auto also = [&](const auto& value) {
      if (value)
        bind.add(*value);
    };
    also(query.before);
    also(query.runner);
    also(query.profile);
    also(query.event);
    also(query.since);
    also(query.until);
    const auto limit = std::clamp(query.limit, 1, domain::max_history_limit);
    bind.add(limit + 1); // one more says that there is another page
    domain::HistoryPage page;
    while (sql.executeStep())
      page.lines.push_back(line_of(sql));
    if (static_cast<int>(page.lines.size()) > limit) {
      page.lines.pop_back();
      page.next = page.lines.back().number;
    }
    return page;
  }

  std::vector<domain::HistoryLine> after(std::int64_t number) {
    std::vector<domain::HistoryLine> lines;
    Use use(after_);
    use.begin(number, domain::max_history_limit);
    while (use.row())
      lines.push_back(line_of(after_));
    return lines;
  }

  const std::string& file() const { return file_; }

 private:
  const std::string file_;
  SQLite::Database db_;
  SQLite::Statement after_;
};

namespace {

/// What SQLite throws, as everybody else knows it.
template <class F>
auto reading(const std::string& file, F read) {
  try {
    return read();
  } catch (const SQLite::Exception& error) {
    throw StoreError("can't read the history in " + file + ": " + error.what());
  }
}

} // namespace

HistoryReader::HistoryReader(const std::filesystem::path& data)
    : impl_(reading(data.string(), [&] { return std::make_unique<Impl>(data); })) {}
HistoryReader::~HistoryReader() = default;

domain::HistoryPage HistoryReader::page(const domain::HistoryQuery& query) {
  return reading(impl_->file(), [&] { return impl_->page(query); });
}

std::vector<domain::HistoryLine> HistoryReader::after(std::int64_t number) {
  return reading(impl_->file(), [&] { return impl_->after(number); });
}

} // namespace ci::edge
