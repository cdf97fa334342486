/// Files over real sockets: parts, conditions, clients that are slow or gone.
#include "tests/http/held_memory.hpp"
#include "tests/http/service.hpp"

#include <fstream>

using namespace test;
using ci::test::write_file;

namespace {

/// Loopback is the guest network here.
ci::http::Options for_guests(ci::domain::Duration patience = ci::http::Waits{}.file) {
  auto options = test_options();
  options.waits.file = patience;
  options.guest_network = ci::domain::parse_network("127.0.0.0/8");
  return options;
}

/// Reads a folder whose disk hangs sooner or later: what it would have answered is never answered.
class HangingFiles : public ci::files_actor::base {
 public:
  /// \p opens, \p reads: so many are answered before it hangs.
  HangingFiles(caf::actor_config& config, std::filesystem::path folder, int opens, int reads)
      : ci::files_actor::base(config), tree_(std::move(folder), ci::edge::FileTree::Links::inside), opens_(opens),
        reads_(reads) {}
  behavior_type make_behavior() override {
    return {
        [this](ci::open_atom, ci::domain::ServedFolder, const std::string& path, const ci::OpenedTo& to) {
          if (opens_-- <= 0)
            return held_opens_.push_back(to);
          auto file = tree_.open(path);
          const auto version = file->version();
          to({std::move(file), version});
        },
        [this](ci::read_atom, const ci::OpenFilePtr& file, std::int64_t offset, std::uint64_t size,
               const ci::ReadTo& to) {
          if (reads_-- <= 0)
            return held_reads_.push_back(to);
          to(file->read(offset, size));
        },
    };
  }
  void on_exit() override {
    held_opens_.clear();
    held_reads_.clear();
  }

 private:
  const ci::edge::FileTree tree_;
  int opens_, reads_;
  std::vector<ci::OpenedTo> held_opens_;
  std::vector<ci::ReadTo> held_reads_;
};

/// A service whose files for guests lie on such a disk.
struct HangingService : Service {
  HangingService(int opens, int reads, ci::domain::Duration patience) : Service(for_guests(patience)) {
    write_file(folder.path() / "deps" / "large", std::string(1 << 20, 'x'));
    readers[ci::domain::ServedFolder::image_deps] = spawn<HangingFiles>(folder.path() / "deps", opens, reads);
  }
  ~HangingService() { readers.clear(); }
};

/// Bytes that differ wherever one looks.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (auto& c : text)
    c = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
  return text;
}

/// AddressSanitizer holds on to 256 MiB of what was freed.
constexpr long allowed_kib = (64 + (SANITIZED ? 256 : 0)) << 10;

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:"))
      return std::stol(line.substr(8));
  return 0;
}

} // namespace

TEST_CASE("a file is served whole, in parts, by HEAD, and not again to who has it") {
  Service service(for_guests());
  const auto bytes = pattern(300'000); // several pieces
  write_file(service.folder.path() / "deps" / "a b.img", bytes);
  auto client = service.client();
  const auto whole = client.get("/image-deps/a%20b.img");
  CHECK(whole.status == 200);
  CHECK(whole.body == bytes);
  CHECK(whole.header("accept-ranges") == "bytes");
  CHECK(whole.header("content-type") == "application/octet-stream");
  CHECK(!whole.header("last-modified").empty());
  CHECK(!whole.header("cache-control").empty());
  const auto part = client.get("/image-deps/a%20b.img", "Range: bytes=70000-269999\r\n");
  CHECK(part.status == 206);
  CHECK(part.header("content-range") == "bytes 70000-269999/300000");
  CHECK(part.body == bytes.substr(70'000, 200'000));
  const auto head = client.ask("HEAD", "/image-deps/a%20b.img").answer(true);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == "300000");
  const auto etag = whole.header("etag");
  CHECK(client.get("/image-deps/a%20b.img", "If-None-Match: " + etag + "\r\n").status == 304);
  const auto resumed =
      client.get("/image-deps/a%20b.img", "Range: bytes=299999-\r\nIf-Range: " + etag + "\r\n");
  CHECK(resumed.status == 206);
  CHECK(resumed.body == bytes.substr(299'999));
  const auto behind = client.get("/image-deps/a%20b.img", "Range: bytes=300000-\r\n");
  check_problem(behind, 416);
  CHECK(behind.header("content-range") == "bytes */300000");
  CHECK(client.ask("POST", "/image-deps/a%20b.img").answer().status == 405);
}

TEST_CASE("files for guests are for guests alone") {
  Service service; // loopback is no guest network
  write_file(service.folder.path() / "deps" / "file", "text");
  write_file(service.folder.path() / "repo" / "file", "text");
  auto client = service.client();
  for (const auto* path : {"/image-deps/file", "/cache/servo/file"}) {
    check_problem(client.get(path), 404);
    check_problem(client.get(path, with_token), 404);
    check_problem(client.get(path, "X-Real-IP: 192.168.100.7\r\n"), 404);
  }
}

TEST_CASE("an empty file is served, a missing one and a folder are 404") {
  Service service(for_guests());
  write_file(service.folder.path() / "repo" / ".empty", "");
  auto client = service.client();
  const auto empty = client.get("/cache/servo/.empty");
  CHECK(empty.status == 200);
  CHECK(empty.header("content-length") == "0");
  for (const auto* path : {"/cache/servo/nothing", "/cache/servo/", "/cache/servo", "/image-deps/",
                           "/image-deps", "/cache/servo/.empty/", "/cache/servo/.", "/cache//servo/.empty"})
    check_problem(client.get(path), 404);
}

TEST_CASE("no spelling of a path leads out of the folder") {
  Service service(for_guests());
  write_file(service.folder.path() / "secret", "secret");
  write_file(service.folder.path() / "data" / "monitor.db", "secret");
  write_file(service.folder.path() / "repo" / "file", "open");
  std::filesystem::create_symlink("../secret", service.folder.path() / "repo" / "link");
  auto client = service.client();
  CHECK(client.get("/cache/servo/file").body == "open");
  for (const std::string path : {"../secret",       "..%2fsecret", "%2e%2e/secret", "%2e%2e%2fsecret",
                                 "x/../../secret",  ".%2e/secret", "..%5csecret",   "%252e%252e/secret",
                                 "..;/secret",      "./../secret", "/../secret",    "//",
                                 "%2fetc%2fpasswd", "/etc/passwd", "link",          "../data/monitor.db",
                                 "..%c0%afsecret",  "file%00",     "file%00.txt",   "%u002e%u002e/secret"}) {
    const auto answer = client.get("/cache/servo/" + path);
    CHECK_MESSAGE((answer.status == 404 || answer.status == 400), path);
    CHECK_MESSAGE(answer.body != "secret", path);
  }
}

TEST_CASE("a client that takes nothing in costs no memory, and ends up with every byte") {
  Service service(for_guests());
  constexpr std::size_t size = 64 << 20;
  const auto bytes = pattern(1 << 20);
  {
    std::ofstream file(service.folder.path() / "deps" / "large", std::ios::binary);
    for (std::size_t i = 0; i < size / bytes.size(); ++i)
      file << bytes;
  }
  auto warm = service.client();
  CHECK(warm.get("/image-deps/large", "Range: bytes=0-9\r\n").body == bytes.substr(0, 10));
  const auto before = resident_kib();
  std::vector<RawClient> slow;
  for (int i = 0; i < 20; ++i)
    slow.push_back(std::move(service.client().ask("GET", "/image-deps/large")));
  // What others ask is answered meanwhile, and long after the sockets' buffers are full.
  for (int i = 0; i < 200; ++i)
    CHECK(warm.get("/healthz").status == 200);
  // 20 clients, 1,280 MiB in all.
  CHECK(resident_kib() - before < allowed_kib);
  while (slow.size() > 1)
    slow.pop_back();
  CHECK(slow.front().answer().body.substr(size - bytes.size()) == bytes);
  CHECK(warm.get("/healthz").status == 200);
}

TEST_CASE("clients that leave in the middle leave nothing behind") {
  Service service(for_guests());
  write_file(service.folder.path() / "deps" / "large", pattern(32 << 20));
  for (int i = 0; i < 6; ++i) {
    auto client = service.client();
    client.ask("GET", "/image-deps/large").begun();
    i % 2 ? client.reset() : client.close();
  }
  auto last = service.client();
  while (service.server.open_connections() > 1)
    CHECK(last.get("/healthz").status == 200);
}

TEST_CASE("a file that becomes shorter, and a reader that dies, end the connection within the body") {
  Service service(for_guests());
  const auto path = service.folder.path() / "deps" / "large";
  write_file(path, pattern(32 << 20));
  auto client = service.client();
  client.ask("GET", "/image-deps/large").begun();
  SUBCASE("shorter") { std::filesystem::resize_file(path, 10); }
  SUBCASE("dead") { service.kill_files(); }
  CHECK_THROWS(client.answer());
}

TEST_CASE("a request for a file is answered where nobody reads files any more") {
  Service service(for_guests());
  write_file(service.folder.path() / "deps" / "file", "text");
  service.kill_files();
  auto client = service.client();
  while (client.get("/image-deps/file").status == 200)
    ;
  check_problem(client.get("/image-deps/file"), 503);
}

TEST_CASE("the end of the server cuts a transfer that nobody takes in") {
  Service service(for_guests());
  write_file(service.folder.path() / "deps" / "large", pattern(32 << 20));
  auto client = service.client();
  client.ask("GET", "/image-deps/large").begun();
  service.server.stop(10ms);
  CHECK_THROWS(client.answer());
}

TEST_CASE("G10: a file that is not opened in time, and one whose first bytes do not come, are 503") {
  int opens = 0;
  SUBCASE("not opened") {}
  SUBCASE("not read") { opens = 1; }
  HangingService service(opens, 0, 50ms);
  auto client = service.client();
  const auto answer = client.get("/image-deps/large");
  check_problem(answer, 503);
  CHECK(answer.header("retry-after") == "1");
  CHECK(client.get("/healthz").status == 200); // the connection is as good as before
}

TEST_CASE("G10: a transfer whose next bytes do not come ends within the body") {
  HangingService service(1, 3, 1s);
  auto client = service.client();
  client.ask("GET", "/image-deps/large").begun();
  CHECK_THROWS_WITH(client.answer(), "closed within a body");
}

TEST_CASE("a client that is slow to take its file in is no disk that hangs") {
  constexpr auto patience = 1s;
  Service service(for_guests(patience));
  const auto bytes = pattern(32 << 20);
  write_file(service.folder.path() / "deps" / "large", bytes);
  auto slow = service.client();
  slow.ask("GET", "/image-deps/large").begun();
  std::this_thread::sleep_for(patience + 200ms); // that nothing happens can't be waited for
  CHECK(slow.answer().body == bytes);
}

TEST_CASE("G12: of a request whose file is never opened nothing large is kept when it was answered") {
  HangingService service(0, 0, 10ms);
  auto client = service.client();
  const std::string body(1 << 20, 'x');
  const auto ask = [&] {
    client.ask("GET", "/image-deps/large",
               "X-Large: " + std::string(30'000, 'x') + "\r\nContent-Length: 1048576\r\n");
    check_problem(client.send(body).answer(), 503);
  };
  ask(); // what is made once is made
  const auto before = held_bytes();
  for (int i = 0; i < 10; ++i)
    ask();
  CHECK(held_bytes() - before < 10 * 10'000);
}

TEST_CASE("G10: a client that takes nothing in is cut off, whatever it would like the connection to become") {
  auto options = for_guests();
  options.waits.write = 300ms;
  Service service(options);
  write_file(service.folder.path() / "deps" / "large", pattern(32 << 20));
  auto other = service.client();
  auto deaf = service.client();
  SUBCASE("HTTP") { deaf.ask("GET", "/image-deps/large"); }
  SUBCASE("upgrade") { deaf.ask("GET", "/image-deps/large", "Connection: Upgrade\r\nUpgrade: websocket\r\n"); }
  deaf.begun();
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (service.server.open_connections() > 1 && std::chrono::steady_clock::now() < deadline)
    CHECK(other.get("/healthz").status == 200);
  CHECK(service.server.open_connections() == 1);
}

TEST_CASE("G12: of a folder that hangs only so many files are waited for, and others are served") {
  HangingService service(0, 0, 1s);
  write_file(service.folder.path() / "repo" / "file", "text");
  auto client = service.client();
  auto& opening = (*service.api.context().opening)[static_cast<std::size_t>(ci::domain::ServedFolder::image_deps)];
  check_problem(client.get("/image-deps/large"), 503);
  CHECK(opening == 1); // the disk may still answer
  opening = 1'000;
  const auto refused = client.get("/image-deps/large");
  check_problem(refused, 503);
  CHECK(refused.body.find("Too many") != std::string::npos);
  CHECK(opening == 1'000);
  CHECK(client.get("/cache/servo/file").body == "text");
}
