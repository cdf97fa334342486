#include "http/server.hpp"

#include "http/body_stream.hpp"
#include "http/exchanges.hpp"
#include "http/intake.hpp"
#include "http/listener.hpp"
#include "http/time_text.hpp"

#include <restinio/message_builders.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

namespace ci::http {

namespace {

/// For answers that are on their way out when the server stops.
constexpr domain::Duration flush_time{1'000};

domain::Address peer_of(const restinio::request_t& request) {
  const auto address = request.remote_endpoint().address();
  if (address.is_v4())
    return domain::Address::v4(address.to_v4().to_uint());
  domain::Address result;
  result.bytes = address.to_v6().to_bytes();
  return result;
}

RawRequest raw_of(const restinio::request_t& request) {
  RawRequest raw;
  const auto& header = request.header();
  raw.method = header.method().c_str();
  raw.target = header.request_target();
  header.for_each_field([&](const auto& field) { raw.headers.emplace_back(field.name(), field.value()); });
  raw.body = request.body();
  raw.peer = peer_of(request);
  return raw;
}

std::size_t size_of_body(const Response& response) {
  return response.source ? static_cast<std::size_t>(response.source->size())
         : response.body ? response.body->size()
                         : 0;
}

/// Everything but the body. Once for each request: a second response cannot be made of it.
BodyStreams::Builder begin_response(const restinio::request_handle_t& request, const std::string& request_id,
                                    const Response& response) {
  const auto date = http_date(wall_now());
  const restinio::http_status_line_t status(
      restinio::http_status_code_t(static_cast<std::uint16_t>(response.status)),
      reason_phrase(response.status));
  auto builder = request->create_response<restinio::user_controlled_output_t>(status);
  builder.append_header("Date", date);
  builder.append_header("X-Request-Id", request_id);
  for (const auto& [name, value] : response.headers)
    builder.append_header(name, value);
  builder.set_content_length(size_of_body(response));
  if (response.close)
    builder.connection_close();
  return builder;
}

/// In the server's thread, never within the parser's call. \p token goes when the answer was written or is
/// lost. \p instead is the answer where the body can't be had.
void write(const restinio::request_handle_t& request, const std::string& request_id, const Response& response,
           bool head, std::shared_ptr<void> token, BodyStreams& streams, const Response& instead) {
  const bool bodyless = head || response.status == 304 || size_of_body(response) == 0;
  if (!bodyless && response.source)
    return streams.send([=] { return begin_response(request, request_id, response); },
                        [=, &streams] { write(request, request_id, instead, false, token, streams, instead); },
                        response.source, token);
  auto builder = begin_response(request, request_id, response);
  if (!bodyless)
    builder.set_body(response.body);
  builder.done([token = std::move(token)](const auto&) {});
}

/// For a body that is fetched, and may turn out not to be there.
Response instead_of(const Response& response, const Responder& responder) {
  return response.source
             ? make_response(unavailable("The file can't be read now; try again."), responder.instance())
             : Response{};
}

Problem stopping() {
  auto problem = unavailable("The service is stopping; try again.");
  problem.close = true;
  return problem;
}

} // namespace

class Server::Impl {
 public:
  Impl(const Options& options, ServerHooks hooks);
  ~Impl() { stop(domain::Duration::zero()); }

  void start();
  void stop_accepting();
  void stop(domain::Duration grace);
  std::vector<ListenAddress> bound() const;
  int open_connections() const { return counts_->open(); }
  void set_connections_per_source(int limit) { counts_->set_limit_per_source(limit); }

 private:
  Listener::Callbacks callbacks();
  void note(const ListenAddress&, bool is_bound);
  void run() noexcept;
  restinio::request_handling_status_t on_request(restinio::request_handle_t);
  ResponderPtr make_responder(restinio::request_handle_t, const Request&, std::string instance);
  void dispatch(Intake, const ResponderPtr&);

  const Options options_;
  const ServerHooks hooks_;
  const std::shared_ptr<ConnectionCounts> counts_;
  const std::shared_ptr<Exchanges> exchanges_ = std::make_shared<Exchanges>();
  /// Shared with those who may still answer, and who may outlive this.
  std::shared_ptr<asio::io_context> io_ = std::make_shared<asio::io_context>(1);
  /// Likewise.
  const std::shared_ptr<BodyStreams> streams_ = std::make_shared<BodyStreams>(io_, options_.waits.file);
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(*io_);
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex bound_mutex_;
  std::vector<ListenAddress> bound_;
  std::thread thread_;
};

Server::Impl::Impl(const Options& options, ServerHooks hooks)
    : options_(options), hooks_(std::move(hooks)),
      counts_(std::make_shared<ConnectionCounts>(options.limits.connections,
                                                 options.limits.connections_per_source)) {
  count_connections(*io_, counts_, options_.trusted_proxies);
  for (const auto& address : options_.listen_on)
    listeners_.push_back(
        std::make_unique<Listener>(*io_, ListenAddress{address, options_.port}, options_.waits, callbacks()));
}

Listener::Callbacks Server::Impl::callbacks() {
  Listener::Callbacks callbacks;
  callbacks.request = [this](restinio::request_handle_t request) { return on_request(std::move(request)); };
  callbacks.listening = [this](const ListenAddress& address) {
    note(address, true);
    if (hooks_.listening)
      hooks_.listening(address);
  };
  callbacks.closed = [this](const ListenAddress& address) { note(address, false); };
  callbacks.not_listening = [this](const ListenAddress& address, const std::string& reason) {
    if (hooks_.not_listening)
      hooks_.not_listening(address, reason);
  };
  return callbacks;
}

void Server::Impl::start() {
  for (auto& listener : listeners_)
    asio::post(*io_, [at = listener.get()] { at->open(); });
  thread_ = std::thread([this] { run(); });
}

/// No exception ends the server.
void Server::Impl::run() noexcept {
  for (;;)
    try {
      io_->run();
      return;
    } catch (const std::exception& e) {
      spdlog::error("event=http_exception text=\"{}\"", e.what());
    }
}

void Server::Impl::stop_accepting() {
  if (stopping_.exchange(true))
    return;
  asio::post(*io_, [this] {
    for (auto& listener : listeners_)
      listener->close();
  });
}

void Server::Impl::stop(domain::Duration grace) {
  stop_accepting();
  if (!thread_.joinable())
    return;
  if (!exchanges_->wait_for_none(grace)) {
    exchanges_->refuse_all(stopping());
    exchanges_->wait_for_none(flush_time);
  }
  io_->stop();
  thread_.join();
  streams_->clear();
  listeners_.clear();
  work_.reset();
  io_.reset(); // and with it the connections that are open, unless an answer is still to come
}

std::vector<ListenAddress> Server::Impl::bound() const {
  std::lock_guard lock(bound_mutex_);
  return bound_;
}

void Server::Impl::note(const ListenAddress& address, bool is_bound) {
  std::lock_guard lock(bound_mutex_);
  std::erase_if(bound_,
                [&](const auto& b) { return b.address == address.address && b.port == address.port; });
  if (is_bound)
    bound_.push_back(address);
}

ResponderPtr Server::Impl::make_responder(restinio::request_handle_t handle, const Request& request,
                                          std::string instance) {
  struct Shared {
    std::shared_ptr<Exchanges> exchanges;
    std::uint64_t serial = 0;
  };
  auto shared = std::make_shared<Shared>(Shared{exchanges_});
  auto send = [shared, io = io_, streams = streams_, served = hooks_.served, handle = std::move(handle),
               token = exchanges_->begin(), method = request.method,
               begin = std::chrono::steady_clock::now()](const Responder& responder,
                                                         Response response) mutable {
    shared->exchanges->finished(shared->serial);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (served)
      served({method, responder.route(), response.status, took.count(), responder.request_id()});
    auto instead = instead_of(response, responder);
    asio::post(*io, [handle = std::move(handle), token = std::move(token), id = responder.request_id(),
                     head = method == "HEAD", instead = std::move(instead), response = std::move(response),
                     streams]() mutable {
      try {
        write(handle, id, response, head, std::move(token), *streams, instead);
      } catch (const std::exception& e) {
        spdlog::error("event=answer_not_written request_id={} text=\"{}\"", id, e.what());
      }
    });
  };
  auto responder = std::make_shared<Responder>(request.id, std::move(instance), std::move(send));
  shared->serial = exchanges_->waiting(responder);
  return responder;
}

void Server::Impl::dispatch(Intake intake, const ResponderPtr& responder) {
  if (stopping_)
    return responder->refuse(stopping());
  if (intake.refusal)
    return responder->refuse(*intake.refusal);
  const bool crowded = counts_->crowded(intake.request.peer);
  hooks_.handle(std::move(intake.request), responder, crowded);
}

restinio::request_handling_status_t Server::Impl::on_request(restinio::request_handle_t handle) {
  auto raw = raw_of(*handle);
  std::string instance(raw_path(raw.target).substr(0, options_.limits.url_bytes));
  auto intake = take_in(std::move(raw), options_.limits);
  const auto responder = make_responder(std::move(handle), intake.request, std::move(instance));
  try {
    dispatch(std::move(intake), responder);
  } catch (const std::exception& e) {
    spdlog::error("event=handler_exception request_id={} text=\"{}\"", responder->request_id(), e.what());
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
void Server::set_connections_per_source(int limit) { impl_->set_connections_per_source(limit); }
int Server::open_connections() const { return impl_->open_connections(); }

} // namespace ci::http
