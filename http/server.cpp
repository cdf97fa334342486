/// The one translation unit that instantiates RESTinio's server.
#include "http/server.hpp"

#include "http/admission.hpp"
#include "http/connections.hpp"
#include "http/exchanges.hpp"
#include "http/intake.hpp"
#include "http/time_text.hpp"

#include <restinio/asio_include.hpp>
#include <restinio/http_server.hpp>
#include <restinio/message_builders.hpp>
#include <restinio/request_handler.hpp>
#include <restinio/traits.hpp>

#include <spdlog/spdlog.h>

#include <poll.h>
#include <unistd.h>

#include <thread>

namespace ci::http {

namespace {

using asio::ip::tcp;

/// RESTinio closes without a word where its own limits are passed, so they lie above ours. The parser itself
/// ends at 80 KiB of request line and headers.
constexpr std::size_t parser_head_bytes = 80 << 10;
constexpr std::size_t parser_body_bytes = 4 << 20;
/// After our own time-outs, RESTinio's: a request that nobody answers is closed.
constexpr domain::Duration handle_slack{15'000};
/// For answers that are on their way out when the server stops.
constexpr domain::Duration flush_time{1'000};
constexpr domain::Duration watch_interval{1'000};

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

/// Lets each connection find the counts by way of its io_context, the only thing of ours that RESTinio hands
/// it.
class CountsService : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit CountsService(asio::execution_context& context) : service(context) {}
  CountsService(asio::execution_context& context, std::shared_ptr<ConnectionCounts> counts,
                Admission admission)
      : service(context), counts_(std::move(counts)), admission_(std::move(admission)) {}

  ConnectionCounts::Token admit(const domain::Address& source) {
    return counts_->admit(source, admission_.is_trusted_proxy(source));
  }

 private:
  void shutdown() override {}
  std::shared_ptr<ConnectionCounts> counts_;
  Admission admission_{{}, {}};
};

/// A socket that is counted for as long as its connection exists.
class CountedSocket : public tcp::socket {
 public:
  using tcp::socket::socket;
  ConnectionCounts::Token token;
};

/// Found by RESTinio in place of its own for plain sockets: counts the connection, or has it closed.
template <class Connection, class Start, class Failed>
void prepare_connection_and_start_read(CountedSocket& socket, Connection&, Start start, Failed failed) {
  asio::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (!error) {
    auto& context = asio::query(socket.get_executor(), asio::execution::context);
    socket.token = asio::use_service<CountsService>(context).admit(from_asio(peer.address()));
  }
  if (socket.token)
    start();
  else
    failed(asio::error::make_error_code(asio::error::connection_refused));
}

/// Sees each connection that a listener accepts; only counts.
struct AcceptCounter {
  std::atomic<std::uint64_t> accepted{0};
  restinio::ip_blocker::inspection_result_t inspect(const restinio::ip_blocker::incoming_info_t&) noexcept {
    ++accepted;
    return restinio::ip_blocker::allow();
  }
};

/// The default strand stays, with one thread too: answers come from any thread. RESTinio's connection limiter
/// is not used: it loses slots to connections that are reset before they are looked at.
struct Traits
    : restinio::traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t,
                         std::function<restinio::request_handling_status_t(restinio::request_handle_t)>,
                         restinio::default_strand_t, CountedSocket> {
  using ip_blocker_t = AcceptCounter;
};

using HttpServer = restinio::http_server_t<Traits>;

/// One address of ours.
struct Listener {
  Listener(asio::io_context& io, ListenAddress at) : address(at), timer(io) {}
  ListenAddress address;
  asio::steady_timer timer;
  std::shared_ptr<AcceptCounter> counter = std::make_shared<AcceptCounter>();
  std::unique_ptr<HttpServer> server;
  tcp::acceptor* acceptor = nullptr; ///< within `server`; null where it is not open
  std::string last_reason;
  std::uint64_t accepted_before = 0;
  bool was_waiting = false;
};

} // namespace wire

class Server::Impl {
 public:
  Impl(const Options& options, ServerHooks hooks)
      : options_(options), hooks_(std::move(hooks)),
        counts_(std::make_shared<ConnectionCounts>(options.limits.connections,
                                                   options.limits.connections_per_source)),
        io_(std::make_shared<asio::io_context>(1)), work_(asio::make_work_guard(*io_)) {
    asio::make_service<wire::CountsService>(*io_, counts_, Admission(options.trusted_proxies, std::nullopt));
    for (const auto& address : options_.listen_on)
      listeners_.push_back(std::make_unique<wire::Listener>(*io_, ListenAddress{address, options_.port}));
  }
  ~Impl() { stop(domain::Duration::zero()); }

  void start() {
    for (auto& listener : listeners_)
      asio::post(*io_, [this, at = listener.get()] { open(*at); });
    thread_ = std::thread([this] { io_->run(); });
  }

  void stop_accepting() {
    if (stopping_.exchange(true))
      return;
    asio::post(*io_, [this] {
      for (auto& listener : listeners_) {
        listener->timer.cancel();
        close(*listener);
      }
    });
  }

  void stop(domain::Duration grace) {
    stop_accepting();
    if (!thread_.joinable())
      return;
    if (!exchanges_->wait_for_none(grace)) {
      exchanges_->refuse_all(unavailable("The service is stopping; try again."));
      exchanges_->wait_for_none(flush_time);
    }
    io_->stop();
    thread_.join();
    listeners_.clear();
    work_.reset();
    io_.reset(); // and with it the connections that are open, unless an answer is still to come
  }

  std::vector<ListenAddress> bound() const {
    std::lock_guard lock(bound_mutex_);
    return bound_;
  }
  int open_connections() const { return counts_->open(); }

 private:
  // Listening. All in the server's thread.
  void open(wire::Listener&);
  std::unique_ptr<wire::HttpServer> make_server(wire::Listener&);
  void close(wire::Listener&);
  void open_later(wire::Listener&, const std::string& reason);
  void watch(wire::Listener&);
  void note_bound(const ListenAddress&, bool is_bound);

  // Requests. All in the server's thread.
  restinio::request_handling_status_t on_request(restinio::request_handle_t);
  ResponderPtr make_responder(restinio::request_handle_t, const Request&, std::string instance);
  void dispatch(Intake, const ResponderPtr&);

  const Options options_;
  const ServerHooks hooks_;
  const std::shared_ptr<ConnectionCounts> counts_;
  const std::shared_ptr<Exchanges> exchanges_ = std::make_shared<Exchanges>();
  /// Shared with answers that are on their way, which may outlive this.
  std::shared_ptr<asio::io_context> io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::unique_ptr<wire::Listener>> listeners_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex bound_mutex_;
  std::vector<ListenAddress> bound_;
  std::thread thread_;
};

std::unique_ptr<wire::HttpServer> Server::Impl::make_server(wire::Listener& listener) {
  const auto address = to_asio(listener.address.address);
  const auto handling = options_.waits.send + options_.waits.receive + handle_slack;
  return std::make_unique<wire::HttpServer>(restinio::external_io_context(*io_), [&](auto& settings) {
    settings.port(listener.address.port)
        .address(address)
        .protocol(address.is_v4() ? tcp::v4() : tcp::v6())
        .read_next_http_message_timelimit(options_.waits.read)
        .handle_request_timeout(handling)
        .write_http_response_timelimit(options_.waits.write)
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
        .acceptor_post_bind_hook([&listener](tcp::acceptor& acceptor) {
          listener.acceptor = &acceptor;
          listener.address.port = acceptor.local_endpoint().port();
        })
        .socket_options_setter([](auto& options) { options.set_option(tcp::no_delay(true)); })
        .ip_blocker(listener.counter)
        .request_handler(
            [this](restinio::request_handle_t request) { return on_request(std::move(request)); });
  });
}

void Server::Impl::open(wire::Listener& listener) {
  if (stopping_)
    return;
  const auto wanted = listener.address;
  try {
    listener.server = make_server(listener);
    listener.server->open_sync();
  } catch (const std::exception& e) {
    listener.acceptor = nullptr;
    listener.address = wanted;
    open_later(listener, e.what());
    return;
  }
  listener.last_reason.clear();
  listener.was_waiting = false;
  note_bound(listener.address, true);
  if (hooks_.listening)
    hooks_.listening(listener.address);
  watch(listener);
}

void Server::Impl::open_later(wire::Listener& listener, const std::string& reason) {
  if (reason != listener.last_reason && hooks_.not_listening)
    hooks_.not_listening(listener.address, reason);
  listener.last_reason = reason;
  listener.timer.expires_after(options_.waits.bind_again);
  listener.timer.async_wait([this, &listener](const asio::error_code& error) {
    if (!error)
      open(listener);
  });
}

void Server::Impl::close(wire::Listener& listener) {
  if (!listener.acceptor)
    return;
  note_bound(listener.address, false);
  asio::error_code ignored; // closed here, because the server's own close may throw
  listener.acceptor->close(ignored);
  listener.acceptor = nullptr;
  listener.server.reset(); // its connections go on, and so do their time-outs
}

/// RESTinio never accepts again after one accept has failed (no file descriptor left, say). So a listener
/// where somebody waits over two looks, and nobody was accepted in between, is opened anew, as soon as that
/// can help.
void Server::Impl::watch(wire::Listener& listener) {
  listener.timer.expires_after(watch_interval);
  listener.timer.async_wait([this, &listener](const asio::error_code& error) {
    if (error || !listener.acceptor)
      return;
    pollfd look{listener.acceptor->native_handle(), POLLIN, 0};
    const bool waiting = ::poll(&look, 1, 0) > 0;
    const auto accepted = listener.counter->accepted.load();
    const bool stuck = waiting && listener.was_waiting && accepted == listener.accepted_before;
    if (stuck && descriptor_left()) {
      spdlog::warn("http: {} stopped accepting, listening anew", domain::to_string(listener.address.address));
      close(listener);
      open(listener);
      return;
    }
    listener.was_waiting = waiting;
    listener.accepted_before = accepted;
    watch(listener);
  });
}

void Server::Impl::note_bound(const ListenAddress& address, bool is_bound) {
  std::lock_guard lock(bound_mutex_);
  std::erase_if(bound_,
                [&](const auto& b) { return b.address == address.address && b.port == address.port; });
  if (is_bound)
    bound_.push_back(address);
}

namespace {

RawRequest raw_of(const restinio::request_t& request) {
  RawRequest raw;
  const auto& header = request.header();
  raw.method = header.method().c_str();
  raw.target = header.request_target();
  header.for_each_field([&](const auto& field) { raw.headers.emplace_back(field.name(), field.value()); });
  raw.body = request.body();
  raw.peer = from_asio(request.remote_endpoint().address());
  return raw;
}

/// In the server's thread, never within the parser's call. \p token goes when the answer was written or is
/// lost.
void write(const restinio::request_handle_t& request, const std::string& request_id, const Response& response,
           bool head, std::shared_ptr<void> token) {
  const auto date = http_date(wall_now());
  const bool bodyless = head || response.status == 304;
  // Beyond this point nothing may throw: a second response cannot be made.
  auto builder = request->create_response<restinio::user_controlled_output_t>(
      restinio::http_status_line_t(restinio::http_status_code_t(static_cast<std::uint16_t>(response.status)),
                                   reason_phrase(response.status)));
  builder.append_header("Date", date);
  builder.append_header("X-Request-Id", request_id);
  for (const auto& [name, value] : response.headers)
    builder.append_header(name, value);
  builder.set_content_length(response.body ? response.body->size() : 0);
  if (response.body && !response.body->empty() && !bodyless)
    builder.set_body(response.body);
  if (response.close)
    builder.connection_close();
  builder.done([token = std::move(token)](const auto&) {});
}

} // namespace

ResponderPtr Server::Impl::make_responder(restinio::request_handle_t handle, const Request& request,
                                          std::string instance) {
  struct Shared {
    std::shared_ptr<Exchanges> exchanges;
    std::uint64_t serial = 0;
  };
  auto shared = std::make_shared<Shared>(Shared{exchanges_});
  auto send = [shared, io = io_, served = hooks_.served, handle = std::move(handle),
               token = exchanges_->begin(), method = request.method,
               begin = std::chrono::steady_clock::now()](const Responder& responder,
                                                         Response response) mutable {
    shared->exchanges->finished(shared->serial);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (served)
      served({method, responder.route(), response.status, took.count(), responder.request_id()});
    spdlog::debug("http: {} {} {} {:.1f} ms request_id={}", method, responder.route(), response.status,
                  took.count() * 1000, responder.request_id());
    asio::post(*io, [handle = std::move(handle), token = std::move(token), id = responder.request_id(),
                     head = method == "HEAD", response = std::move(response)]() mutable {
      try {
        write(handle, id, response, head, std::move(token));
      } catch (const std::exception& e) {
        spdlog::error("request {}: the answer could not be written: {}", id, e.what());
      }
    });
  };
  auto responder = std::make_shared<Responder>(request.id, std::move(instance), std::move(send));
  shared->serial = exchanges_->waiting(responder);
  return responder;
}

void Server::Impl::dispatch(Intake intake, const ResponderPtr& responder) {
  if (stopping_) {
    auto problem = unavailable("The service is stopping; try again.");
    problem.close = true;
    responder->refuse(problem);
  } else if (intake.refusal) {
    responder->refuse(*intake.refusal);
  } else {
    const bool crowded = counts_->crowded(intake.request.peer);
    hooks_.handle(std::move(intake.request), responder, crowded);
  }
}

restinio::request_handling_status_t Server::Impl::on_request(restinio::request_handle_t handle) {
  auto raw = raw_of(*handle);
  std::string instance(raw_path(raw.target));
  auto intake = take_in(std::move(raw), options_.limits);
  const auto responder = make_responder(std::move(handle), intake.request, std::move(instance));
  try {
    dispatch(std::move(intake), responder);
  } catch (const std::exception& e) {
    spdlog::error("request {}: {}", responder->request_id(), e.what());
    Problem problem;
    problem.detail = "The request met an error of the service; its request id leads to the log.";
    responder->refuse(problem);
  }
  return restinio::request_accepted();
}

Server::Server(const Options& options, ServerHooks hooks)
    : impl_(std::make_unique<Impl>(options, std::move(hooks))) {}
Server::~Server() = default;
void Server::start() { impl_->start(); }
void Server::stop_accepting() { impl_->stop_accepting(); }
void Server::stop(domain::Duration grace) { impl_->stop(grace); }
std::vector<ListenAddress> Server::bound() const { return impl_->bound(); }
int Server::open_connections() const { return impl_->open_connections(); }

} // namespace ci::http
