/// The one translation unit that instantiates RESTinio's server.
#include "http/listener.hpp"

#include <restinio/http_server.hpp>
#include <restinio/traits.hpp>

#include <spdlog/spdlog.h>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace ci::http {

namespace {

using asio::ip::tcp;

/// RESTinio closes without a word where its own limits are passed, so they lie above ours. The parser itself
/// ends at 80 KiB of request line and headers.
constexpr std::size_t parser_head_bytes = 80 << 10;
constexpr std::size_t parser_body_bytes = 4 << 20;
/// After our own time-outs, RESTinio's: a request that nobody answers is closed. It can't be changed while it listens,
/// ours can: so it lies above the longest of them.
constexpr domain::Duration handle_timeout = 2 * Waits::longest + domain::Duration{15'000};
constexpr domain::Duration watch_interval{1'000};
/// In one turn of the io_context. Each turn serves a request of every busy connection: were they accepted one by one,
/// whoever comes behind hundreds of them would wait for as many turns.
constexpr std::size_t accepts_at_a_time = 32;

domain::Address from_asio(const asio::ip::address& address) {
  if (address.is_v4())
    return domain::Address::v4(address.to_v4().to_uint());
  domain::Address result;
  result.bytes = address.to_v6().to_bytes();
  return result;
}

asio::ip::address to_asio(const domain::Address& address) {
  if (address.is_v4())
    return asio::ip::address_v4(address.v4_value());
  return asio::ip::address_v6(address.bytes);
}

/// Whether the process may open another file.
bool descriptor_left() {
  const int probe = ::dup(STDERR_FILENO);
  if (probe >= 0)
    ::close(probe);
  return probe >= 0 || errno == EBADF;
}

} // namespace

namespace wire {

/// One connection's place among the counted ones, and what its request holds of memory.
class Ration {
 public:
  /// A line may be a field of a head, which the parser keeps in 72 bytes, or the size of a chunk, which it keeps in
  /// 16, in vectors that may be half empty.
  static constexpr std::int64_t line_bytes = 144;

  Ration(std::shared_ptr<ConnectionCounts> counts, ConnectionCounts::Token token, domain::Address source)
      : counts_(std::move(counts)), token_(std::move(token)), source_(source) {}
  ~Ration() { answered(); }

  /// What was read, before it is parsed. False: it would hold too much.
  bool read(std::string_view bytes) {
    // Bare line feeds may end fields, and bare carriage returns chunks' sizes.
    const auto lines = std::max(std::count(bytes.begin(), bytes.end(), '\r'),
                                std::count(bytes.begin(), bytes.end(), '\n'));
    read_ += static_cast<std::int64_t>(bytes.size()) + lines * line_bytes;
    const auto more = read_ - ConnectionCounts::free_bytes - held_;
    if (more <= 0)
      return true;
    if (!counts_->hold(source_, more))
      return false;
    held_ += more;
    return true;
  }
  /// What was read is not held any more.
  void answered() {
    if (held_ > 0)
      counts_->release(source_, held_);
    read_ = held_ = 0;
  }

 private:
  const std::shared_ptr<ConnectionCounts> counts_;
  const ConnectionCounts::Token token_;
  const domain::Address source_;
  std::int64_t read_ = 0, held_ = 0;
};

/// Lets each connection find the counts by way of its io_context, the only thing of ours that RESTinio hands
/// it.
class CountsService : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit CountsService(asio::execution_context& context) : service(context) {}
  CountsService(asio::execution_context& context, std::shared_ptr<ConnectionCounts> counts,
                Admission admission)
      : service(context), counts_(std::move(counts)), admission_(std::move(admission)) {}

  std::unique_ptr<Ration> admit(const domain::Address& source) {
    auto token = counts_->admit(source, admission_.is_trusted_proxy(source));
    return token ? std::make_unique<Ration>(counts_, std::move(token), source) : nullptr;
  }

 private:
  void shutdown() override {}
  std::shared_ptr<ConnectionCounts> counts_;
  Admission admission_{{}, {}};
};

/// A socket that is counted for as long as its connection exists, and fails to read where its request would hold
/// too much: RESTinio then closes it. It reads and writes by way of these two members alone, and its handlers keep
/// the connection, and so the socket, alive.
class CountedSocket : public tcp::socket {
 public:
  using tcp::socket::socket;

  template <class Handler>
  auto async_read_some(const asio::mutable_buffer& buffer, Handler&& handler) {
    const auto executor = asio::get_associated_executor(handler, get_executor());
    auto count = [this, buffer, handler = std::forward<Handler>(handler)](asio::error_code error,
                                                                         std::size_t size) mutable {
      if (!error && ration && !ration->read({static_cast<const char*>(buffer.data()), size}))
        error = asio::error::no_memory;
      handler(error, size);
    };
    return tcp::socket::async_read_some(buffer, asio::bind_executor(executor, std::move(count)));
  }
  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    if (ration)
      ration->answered();
    return tcp::socket::async_write_some(buffers, std::forward<Handler>(handler));
  }

  std::unique_ptr<Ration> ration;
};

/// Found by RESTinio in place of its own for plain sockets: counts the connection, or has it closed.
template <class Connection, class Start, class Failed>
void prepare_connection_and_start_read(CountedSocket& socket, Connection&, Start start, Failed failed) {
  asio::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (!error) {
    auto& context = asio::query(socket.get_executor(), asio::execution::context);
    socket.ration = asio::use_service<CountsService>(context).admit(from_asio(peer.address()));
  }
  if (socket.ration)
    start();
  else
    failed(asio::error::make_error_code(asio::error::connection_refused));
}

/// Counts each connection that a listener accepts.
struct AcceptCounter {
  std::atomic<std::uint64_t> accepted{0};
  /// Only asked for by the settings' type; see below for what is called.
  restinio::ip_blocker::inspection_result_t inspect(const restinio::ip_blocker::incoming_info_t&) noexcept {
    return restinio::ip_blocker::allow();
  }
};

/// RESTinio's, under a name by which the parser's settings are found.
struct Methods : restinio::default_http_methods_t {};

} // namespace wire

} // namespace ci::http

/// RESTinio's own asks the socket for its peer, and that throws out of a noexcept function, which ends the process,
/// where the connection was reset a moment ago.
template <>
struct restinio::impl::acceptor_details::ip_blocker_holder_t<ci::http::wire::AcceptCounter> {
  std::shared_ptr<ci::http::wire::AcceptCounter> counter;

  template <class Settings>
  ip_blocker_holder_t(const Settings& settings) : counter(settings.ip_blocker()) {}

  template <class Socket>
  restinio::ip_blocker::inspection_result_t inspect_incoming(Socket&) const noexcept {
    ++counter->accepted;
    return restinio::ip_blocker::allow();
  }
};

/// RESTinio watches no time-out of a request that asks for an upgrade (or a tunnel: CONNECT), nor of its answer.
/// Neither is made here, so such a request is one like any other.
template <>
inline http_parser_settings restinio::impl::create_parser_settings<ci::http::wire::Methods>() noexcept {
  auto settings = create_parser_settings<restinio::default_http_methods_t>();
  settings.on_headers_complete = [](http_parser* parser) {
    parser->upgrade = 0;
    return restinio_headers_complete_cb(parser);
  };
  return settings;
}

namespace ci::http {

namespace wire {

/// The default strand stays, with one thread too: answers come from any thread. RESTinio's connection limiter
/// is not used: it loses slots to connections that are reset before they are looked at.
struct Traits
    : restinio::traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t,
                         std::function<restinio::request_handling_status_t(restinio::request_handle_t)>,
                         restinio::default_strand_t, CountedSocket> {
  using ip_blocker_t = AcceptCounter;
  using http_methods_mapper_t = Methods;
};

} // namespace wire

/// A bound address.
class Listener::Endpoint {
 public:
  /// Throws where the address cannot be bound.
  Endpoint(asio::io_context& io, const ListenAddress& at, const Waits& waits, const Callbacks& callbacks)
      : server_(restinio::external_io_context(io),
                [&](auto& settings) { configure(settings, at, waits, callbacks); }) {
    server_.open_sync();
  }
  ~Endpoint() {
    asio::error_code ignored; // closed here, because the server's own close may throw
    acceptor_->close(ignored);
  }

  std::uint16_t port() const { return acceptor_->local_endpoint().port(); }
  std::uint64_t accepted() const { return counter_->accepted; }
  /// Whether somebody waits to be accepted.
  bool has_waiting() const {
    pollfd look{acceptor_->native_handle(), POLLIN, 0};
    return ::poll(&look, 1, 0) > 0;
  }

 private:
  template <class Settings>
  void configure(Settings& settings, const ListenAddress& at, const Waits& waits,
                 const Callbacks& callbacks) {
    const auto address = to_asio(at.address);
    settings.port(at.port)
        .address(address)
        .protocol(address.is_v4() ? tcp::v4() : tcp::v6())
        .read_next_http_message_timelimit(waits.read)
        .handle_request_timeout(handle_timeout)
        .write_http_response_timelimit(waits.write)
        .concurrent_accepts_count(accepts_at_a_time)
        .max_pipelined_requests(1)
        .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                      .max_url_size(parser_head_bytes)
                                      .max_field_name_size(parser_head_bytes)
                                      .max_field_value_size(parser_head_bytes)
                                      .max_field_count(parser_head_bytes)
                                      .max_body_size(parser_body_bytes))
        .acceptor_options_setter([v6 = address.is_v6()](auto& options) {
          options.set_option(tcp::acceptor::reuse_address(true));
          if (v6)
            options.set_option(asio::ip::v6_only(true));
        })
        .acceptor_post_bind_hook([this](tcp::acceptor& acceptor) { acceptor_ = &acceptor; })
        .socket_options_setter([](auto& options) { options.set_option(tcp::no_delay(true)); })
        .ip_blocker(counter_)
        .request_handler(callbacks.request);
  }

  std::shared_ptr<wire::AcceptCounter> counter_ = std::make_shared<wire::AcceptCounter>();
  tcp::acceptor* acceptor_ = nullptr; ///< within `server_`
  restinio::http_server_t<wire::Traits> server_;
};

void count_connections(asio::io_context& io, std::shared_ptr<ConnectionCounts> counts,
                       std::vector<domain::Network> trusted_proxies) {
  asio::make_service<wire::CountsService>(io, std::move(counts), Admission(std::move(trusted_proxies), {}));
}

Listener::Listener(asio::io_context& io, ListenAddress address, const Waits& waits, Callbacks callbacks)
    : io_(io), waits_(waits), callbacks_(std::move(callbacks)), address_(address), timer_(io) {}
Listener::~Listener() = default;

void Listener::open() { try_to_open(); }

void Listener::close() {
  closed_ = true;
  timer_.cancel();
  if (!endpoint_)
    return;
  endpoint_.reset();
  callbacks_.closed(address_);
}

void Listener::try_to_open() {
  if (closed_)
    return;
  try {
    endpoint_ = std::make_unique<Endpoint>(io_, address_, waits_, callbacks_);
  } catch (const std::exception& e) {
    open_later(e.what());
    return;
  }
  address_.port = endpoint_->port();
  last_reason_.clear();
  was_waiting_ = false;
  callbacks_.listening(address_);
  watch();
}

void Listener::open_later(const std::string& reason) {
  if (reason != last_reason_)
    callbacks_.not_listening(address_, reason);
  last_reason_ = reason;
  timer_.expires_after(waits_.bind_again);
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error)
      try_to_open();
  });
}

void Listener::watch() {
  timer_.expires_after(watch_interval);
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error && endpoint_)
      look();
  });
}

/// RESTinio never repeats an accept that has failed, and where no file descriptor is left, all fail at once. So
/// where somebody waits over two looks, and nobody was accepted in between, the address is bound anew, as soon as
/// that can help.
void Listener::look() {
  const bool waiting = endpoint_->has_waiting();
  const auto accepted = endpoint_->accepted();
  const bool stuck = waiting && was_waiting_ && accepted == accepted_before_;
  if (stuck && descriptor_left()) {
    spdlog::warn("event=listening_anew address={} port={}", domain::to_string(address_.address),
                 address_.port);
    endpoint_.reset();
    callbacks_.closed(address_);
    return try_to_open();
  }
  was_waiting_ = waiting;
  accepted_before_ = accepted;
  watch();
}

} // namespace ci::http
