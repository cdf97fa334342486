#include "tests/simulators/github_simulator/server.hpp"

#include "tests/simulators/github_simulator/connection_cut.hpp"
#include "tests/simulators/github_simulator/state_file.hpp"

#include <restinio/all.hpp>

#include <spdlog/spdlog.h>

#include <cstdio>

namespace ci::github_simulator {

namespace {

using SteadyTimer = asio::steady_timer;
using Connection = restinio::connection_id_t;

constexpr Duration between_saves{200};
constexpr std::size_t drip_pieces = 50;
constexpr std::size_t largest_body = 8 << 20;

/// Time that goes on evenly, whatever is done to the host's clock.
class Clock {
 public:
  Moment now() const {
    return wall_ + std::chrono::floor<Duration>(std::chrono::steady_clock::now() - steady_);
  }

 private:
  Moment wall_ = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  std::chrono::steady_clock::time_point steady_ = std::chrono::steady_clock::now();
};

const char* reason(int status) {
  static const std::map<int, const char*> reasons = {{200, "OK"},
                                                     {201, "Created"},
                                                     {202, "Accepted"},
                                                     {204, "No Content"},
                                                     {302, "Found"},
                                                     {304, "Not Modified"},
                                                     {400, "Bad Request"},
                                                     {401, "Unauthorized"},
                                                     {403, "Forbidden"},
                                                     {404, "Not Found"},
                                                     {409, "Conflict"},
                                                     {410, "Gone"},
                                                     {422, "Unprocessable Entity"},
                                                     {429, "Too Many Requests"},
                                                     {500, "Internal Server Error"},
                                                     {502, "Bad Gateway"},
                                                     {503, "Service Unavailable"},
                                                     {504, "Gateway Timeout"}};
  const auto it = reasons.find(status);
  return it == reasons.end() ? "Other" : it->second;
}

restinio::http_status_line_t status_line(int status) {
  return {restinio::http_status_code_t{static_cast<std::uint16_t>(status)}, reason(status)};
}

Request request_of(const restinio::request_t& from) {
  Request request;
  const auto& header = from.header();
  request.method = header.method().c_str();
  request.path = std::string{header.path()};
  request.query = std::string{header.query()};
  request.body = from.body();
  header.for_each_field([&](const auto& field) {
    request.headers[lower(std::string{field.name()})] = std::string{field.value()};
  });
  return request;
}

/// Says which connections have ended. RESTinio wants it to be a class of its own.
class Listener {
 public:
  explicit Listener(std::function<void(Connection)> closed) : closed_{std::move(closed)} {}
  void state_changed(const restinio::connection_state::notice_t& notice) noexcept {
    if (restinio::holds_alternative<restinio::connection_state::closed_t>(notice.cause()))
      closed_(notice.connection_id());
  }

 private:
  std::function<void(Connection)> closed_;
};

struct Traits : restinio::default_traits_t {
  using connection_state_listener_t = Listener;
  using request_handler_t = std::function<restinio::request_handling_status_t(restinio::request_handle_t)>;
};
using HttpServer = restinio::http_server_t<Traits>;

/// A request that has no answer yet, or not the whole of it.
struct Exchange {
  Exchange(asio::io_context& io, restinio::request_handle_t r) : request{std::move(r)}, timer{io} {}

  restinio::request_handle_t request;
  Answer answer;
  SteadyTimer timer;
};
using ExchangePtr = std::shared_ptr<Exchange>;

class Server {
 public:
  Server(Api& api, const Options& options) : api_{api}, options_{options} {}
  int run();

 private:
  HttpServer make_http();
  void announce();
  void stop();

  void handle(const restinio::request_handle_t&);
  void wait(const ExchangePtr&);
  void poll_over(Id runner);
  void deliver(const ExchangePtr&);
  void send(const ExchangePtr&);
  void send_whole(const ExchangePtr&);
  void send_truncated(const ExchangePtr&);
  void drip(const ExchangePtr&);
  void hold(const ExchangePtr&);
  void cut(const ExchangePtr&, Cut);
  /// Lets go of a request that is answered, or will not be.
  void finish(const ExchangePtr&);
  void connection_closed(Connection);
  template <class Response>
  void put_headers(Response&, const Answer&) const;
  template <class Action>
  void later(SteadyTimer&, Duration, Action);

  /// What follows from any change: polls are answered, the next change is waited for, the state is kept.
  void settle();
  void answer_polls();
  void await_next_change();
  void save_soon();
  void save();

  Api& api_;
  const Options& options_;
  Clock clock_;
  asio::io_context io_{1};
  SteadyTimer change_timer_{io_};
  SteadyTimer save_timer_{io_};
  Moment awaited_ = never;
  bool saving_soon_ = false;
  std::uint64_t saved_revision_ = 0;
  Moment last_save_{};
  std::uint16_t port_ = 0;
  int status_ = 0;
  std::multimap<Connection, ExchangePtr> waiting_; ///< everything whose client may go away before the answer
  std::map<Id, ExchangePtr> polls_;                ///< those among them that wait for a job, by runner
};

// --- Life
// ---------------------------------------------------------------------------------------------------

HttpServer Server::make_http() {
  // The model has its own time limits; those of RESTinio would only cut long polls off.
  constexpr auto no_limit = std::chrono::hours{24};
  auto listener = std::make_shared<Listener>([this](Connection connection) {
    asio::post(io_, [this, connection] { connection_closed(connection); });
  });
  // An answer from within the handler would lose others to a client that sends its requests in advance.
  auto handler = [this](const restinio::request_handle_t& request) {
    asio::post(io_, [this, request] { handle(request); });
    return restinio::request_accepted();
  };
  return HttpServer{
      restinio::external_io_context(io_), [&](auto& settings) {
        settings.address(options_.listen)
            .port(options_.port)
            .read_next_http_message_timelimit(no_limit)
            .handle_request_timeout(no_limit)
            .write_http_response_timelimit(no_limit)
            // A second one keeps RESTinio reading, so that it sees a client leave.
            .max_pipelined_requests(2)
            .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}.max_body_size(largest_body))
            .acceptor_options_setter(
                [](auto& options) { options.set_option(asio::ip::tcp::acceptor::reuse_address(true)); })
            .acceptor_post_bind_hook(
                [this](asio::ip::tcp::acceptor& acceptor) { port_ = acceptor.local_endpoint().port(); })
            .socket_options_setter([](auto& options) { options.set_option(asio::ip::tcp::no_delay(true)); })
            .connection_state_listener(listener)
            .request_handler(handler);
      }};
}

int Server::run() {
  auto http = make_http();
  http.open_async([this] { announce(); },
                  [this](std::exception_ptr error) {
                    try {
                      std::rethrow_exception(error);
                    } catch (const std::exception& e) {
                      spdlog::error("cannot listen: {}", e.what());
                    }
                    status_ = 1;
                    io_.stop();
                  });
  asio::signal_set signals{io_, SIGTERM, SIGINT};
  signals.async_wait([this](const asio::error_code& error, int) {
    if (!error)
      stop();
  });
  settle();
  io_.run();
  return status_;
}

void Server::announce() {
  if (!options_.port_file.empty())
    write_atomically(options_.port_file, std::to_string(port_) + "\n");
  std::printf("listening on %s:%u\n", options_.listen.c_str(), static_cast<unsigned>(port_));
  std::fflush(stdout);
}

void Server::stop() {
  save();
  io_.stop();
}

// --- Requests
// -----------------------------------------------------------------------------------------------

void Server::handle(const restinio::request_handle_t& handle) {
  auto exchange = std::make_shared<Exchange>(io_, handle);
  const auto request = request_of(*handle);
  try {
    exchange->answer = api_.handle(request, clock_.now());
  } catch (const std::exception& e) {
    spdlog::error("{} {}: {}", request.method, request.path, e.what());
    exchange->answer = plain_error(500, e.what());
  }
  if (exchange->answer.waiting)
    spdlog::debug("{} {} waits", request.method, request.path);
  else
    spdlog::debug("{} {}{}{} {}", request.method, request.path, request.query.empty() ? "" : "?",
                  request.query, exchange->answer.status);
  if (exchange->answer.waiting)
    wait(exchange);
  else
    deliver(exchange);
  settle();
}

void Server::wait(const ExchangePtr& exchange) {
  const auto runner = exchange->answer.waiting;
  if (const auto older = polls_.find(runner); older != polls_.end()) {
    older->second->answer = plain_error(409, "Another poll of this runner has begun.");
    deliver(std::exchange(older->second, exchange));
  } else {
    polls_.emplace(runner, exchange);
  }
  waiting_.emplace(exchange->request->connection_id(), exchange);
  later(exchange->timer, exchange->answer.wait_until - clock_.now(), [this, runner] { poll_over(runner); });
}

void Server::poll_over(Id runner) {
  const auto poll = polls_.find(runner);
  if (poll == polls_.end())
    return;
  const auto exchange = poll->second;
  polls_.erase(poll);
  exchange->answer = *api_.resume(runner, true, clock_.now());
  deliver(exchange);
  settle();
}

void Server::deliver(const ExchangePtr& exchange) {
  exchange->timer.cancel();
  if (exchange->answer.delay.count() == 0)
    return send(exchange);
  waiting_.emplace(exchange->request->connection_id(), exchange);
  later(exchange->timer, exchange->answer.delay, [this, exchange] { send(exchange); });
}

void Server::send(const ExchangePtr& exchange) {
  switch (exchange->answer.delivery) {
  case Delivery::whole:
    return send_whole(exchange);
  case Delivery::truncated:
    return send_truncated(exchange);
  case Delivery::dripped:
    return drip(exchange);
  case Delivery::held:
    return hold(exchange);
  case Delivery::reset:
    return cut(exchange, Cut::reset);
  case Delivery::closed:
    return cut(exchange, Cut::closed);
  }
}

void Server::cut(const ExchangePtr& exchange, Cut how) {
  const auto& peer = exchange->request->remote_endpoint();
  if (!cut_connection(peer.address().to_string(), peer.port(), how))
    spdlog::warn("no connection to cut");
  finish(exchange);
}

template <class Response>
void Server::put_headers(Response& response, const Answer& answer) const {
  for (const auto& [name, value] : answer.headers)
    response.append_header(name, value);
}

void Server::send_whole(const ExchangePtr& exchange) {
  auto response = exchange->request->create_response(status_line(exchange->answer.status));
  put_headers(response, exchange->answer);
  if (!exchange->answer.body.empty())
    response.set_body(std::move(exchange->answer.body));
  response.done([this, answer = exchange->answer](const asio::error_code& error) {
    if (!error || !answer.gives_job_to)
      return;
    api_.undelivered(answer, clock_.now());
    asio::post(io_, [this] { settle(); });
  });
  finish(exchange);
}

void Server::send_truncated(const ExchangePtr& exchange) {
  const auto& body = exchange->answer.body;
  auto response = exchange->request->create_response<restinio::user_controlled_output_t>(
      status_line(exchange->answer.status));
  put_headers(response, exchange->answer);
  response.set_content_length(body.size());
  response.set_body(body.substr(0, body.size() / 2));
  response.connection_close();
  response.done();
  finish(exchange);
}

void Server::drip(const ExchangePtr& exchange) {
  const auto body = std::make_shared<std::string>(exchange->answer.body);
  using Response = restinio::response_builder_t<restinio::user_controlled_output_t>;
  auto response =
      std::make_shared<Response>(exchange->request->create_response<restinio::user_controlled_output_t>(
          status_line(exchange->answer.status)));
  put_headers(*response, exchange->answer);
  response->set_content_length(body->size());
  const auto piece = std::max<std::size_t>(1, body->size() / drip_pieces);
  const auto pause = exchange->answer.spread / static_cast<int>(body->size() / piece + 1);
  // The function is kept by the timer that calls it, and by nothing else.
  auto next = [this, exchange, body, response, piece, pause](auto self, std::size_t sent) -> void {
    const auto end = std::min(body->size(), sent + piece);
    response->append_body(body->substr(sent, end - sent));
    if (end == body->size()) {
      response->done();
      return finish(exchange);
    }
    response->flush();
    later(exchange->timer, pause, [self, end] { self(self, end); });
  };
  waiting_.emplace(exchange->request->connection_id(), exchange);
  next(next, 0);
}

void Server::hold(const ExchangePtr& exchange) {
  waiting_.emplace(exchange->request->connection_id(), exchange);
  later(exchange->timer, exchange->answer.spread, [this, exchange] { cut(exchange, Cut::closed); });
}

void Server::finish(const ExchangePtr& exchange) {
  exchange->timer.cancel();
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second == exchange; });
  api_.answered(exchange->answer);
  exchange->answer.counted = false;
  exchange->request.reset();
}

void Server::connection_closed(Connection connection) {
  const auto [begin, end] = waiting_.equal_range(connection);
  std::vector<ExchangePtr> lost;
  for (auto it = begin; it != end; ++it)
    lost.push_back(it->second);
  for (const auto& exchange : lost) {
    const auto poll = polls_.find(exchange->answer.waiting);
    if (poll != polls_.end() && poll->second == exchange) {
      api_.poll_lost(poll->first, clock_.now());
      polls_.erase(poll);
    } else if (exchange->answer.gives_job_to) {
      api_.undelivered(exchange->answer, clock_.now());
    }
    finish(exchange);
  }
  settle();
}

template <class Action>
void Server::later(SteadyTimer& timer, Duration delay, Action action) {
  timer.expires_after(delay);
  timer.async_wait([action = std::move(action)](const asio::error_code& error) {
    if (!error)
      action();
  });
}

// --- Consequences
// -------------------------------------------------------------------------------------------

void Server::settle() {
  answer_polls();
  await_next_change();
  save_soon();
}

void Server::answer_polls() {
  for (auto news = api_.take_news(); !news.empty(); news = api_.take_news()) {
    for (const auto runner : news) {
      const auto poll = polls_.find(runner);
      if (poll == polls_.end())
        continue;
      auto answer = api_.resume(runner, false, clock_.now());
      if (!answer)
        continue;
      const auto exchange = poll->second;
      polls_.erase(poll);
      exchange->answer = std::move(*answer);
      deliver(exchange);
    }
  }
}

void Server::await_next_change() {
  const auto next = api_.next_change();
  if (next == awaited_)
    return;
  awaited_ = next;
  change_timer_.cancel();
  if (next == never)
    return;
  const auto now = clock_.now();
  later(change_timer_, next > now ? next - now : Duration{0}, [this] {
    awaited_ = never;
    api_.advance(clock_.now());
    settle();
  });
}

void Server::save_soon() {
  if (options_.state_file.empty() || saving_soon_ || api_.revision() == saved_revision_)
    return;
  saving_soon_ = true;
  const auto due = last_save_ + between_saves - clock_.now();
  later(save_timer_, std::max(due, Duration{0}), [this] {
    saving_soon_ = false;
    save();
  });
}

void Server::save() {
  if (options_.state_file.empty())
    return;
  try {
    write_atomically(options_.state_file, api_.save().dump());
    saved_revision_ = api_.revision();
  } catch (const std::exception& e) {
    spdlog::error("the state is not kept: {}", e.what());
  }
  last_save_ = clock_.now();
}

} // namespace

int serve(Api& api, const Options& options) { return Server{api, options}.run(); }

} // namespace ci::github_simulator
