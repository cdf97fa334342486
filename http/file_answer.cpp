#include "http/file_answer.hpp"

#include "http/byte_range.hpp"
#include "http/share.hpp"
#include "http/time_text.hpp"

#include <algorithm>

namespace ci::http {

namespace {

/// What one client's transfer holds in memory, about twice.
constexpr std::int64_t piece_bytes = 64 << 10;
/// Of one folder: more are refused. Where its disk hangs, each is kept in memory until the disk answers, long
/// after its client was told to come again.
constexpr int most_opening = 1'000;

class FileBody : public BodySource {
 public:
  FileBody(files_actor files, OpenFilePtr file, ByteRange range, domain::Steady begin_by)
      : files_(std::move(files)), file_(std::move(file)), range_(range), begin_by_(begin_by), at_(range.begin) {}

  std::int64_t size() const override { return range_.size(); }
  domain::Steady begin_by() const override { return begin_by_; }
  void next(Take take) override {
    const auto size = std::min(piece_bytes, range_.end - at_);
    caf::anon_send(files_, read_atom::value, file_, at_, static_cast<std::uint64_t>(size),
                   ReadTo(std::move(take)));
    at_ += size;
  }

 private:
  const files_actor files_;
  const OpenFilePtr file_;
  const ByteRange range_;
  const domain::Steady begin_by_;
  std::int64_t at_;
};

Response answer_with(const Request& request, const FileRequest& asked, const files_actor& files,
                     const FileReply& opened, domain::Steady begin_by) {
  const auto& version = opened.version;
  const auto selection = select_bytes(request, version);
  Response response;
  response.status = selection.status;
  response.headers = {{"Content-Type", asked.content_type},
                      {"Cache-Control", asked.may_be_kept ? "no-cache" : "no-store"},
                      {"ETag", version.etag},
                      {"Last-Modified", http_date(version.modified_at)},
                      {"Accept-Ranges", "bytes"},
                      {"X-Content-Type-Options", "nosniff"}};
  const auto size = std::to_string(version.size);
  if (selection.status == 206)
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(selection.range.begin) + '-' +
                                                       std::to_string(selection.range.end - 1) + '/' + size);
  if (selection.status != 416)
    response.source = std::make_shared<FileBody>(files, opened.file, selection.range, begin_by);
  return response;
}

Problem no_such_part(const FileReply& opened) {
  Problem problem;
  problem.status = 416;
  problem.detail = "The file has no byte in that range.";
  problem.headers.emplace_back("Content-Range", "bytes */" + std::to_string(opened.version.size));
  return problem;
}

} // namespace

void serve_file(Context& context, const Request& request, const ResponderPtr& responder, FileRequest asked) {
  const auto files = context.around.files ? context.around.files(asked.folder) : files_actor();
  const auto gateway = context.gateway();
  if (!files || !gateway)
    return responder->refuse(not_ready());
  auto& opening = (*context.opening)[static_cast<std::size_t>(asked.folder)];
  auto share = share_of({context.opening, &opening}, most_opening);
  if (!share)
    return responder->refuse(unavailable("Too many files wait to be opened; try again."));
  const auto patience = context.options.waits.file;
  // Not the tests' clock: the server waits by this one.
  const auto begin_by = std::chrono::steady_clock::now() + patience;
  caf::delayed_anon_send(gateway, patience, expire_atom::value, ResponderRef(responder));
  auto path = asked.path;
  const auto folder = asked.folder;
  OpenedTo answer = [request = conditions_of(request), responder, asked = std::move(asked), files, begin_by,
                     share = std::move(share)](FileReply opened) {
    if (!opened.file)
      return responder->refuse(not_found());
    auto response = answer_with(request, asked, files, opened, begin_by);
    if (response.status == 416)
      return responder->refuse(no_such_part(opened));
    responder->answer(std::move(response));
  };
  caf::anon_send(files, open_atom::value, folder, std::move(path), std::move(answer));
}

} // namespace ci::http
