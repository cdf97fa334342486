#include "tests/simulators/github_simulator/transport.hpp"

#include "tests/simulators/github_simulator/text.hpp"

#include <restinio/all.hpp>

namespace ci::github_simulator {

namespace {

constexpr std::size_t largest_body = 8 << 20;

const char* reason(int status) {
  static const std::map<int, const char*> reasons = {
      {200, "OK"},
      {201, "Created"},
      {204, "No Content"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {409, "Conflict"},
      {422, "Unprocessable Entity"},
      {429, "Too Many Requests"},
      {500, "Internal Server Error"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  const auto it = reasons.find(status);
  return it == reasons.end() ? "Other" : it->second;
}

using InPieces = restinio::user_controlled_output_t;
using InPiecesResponse = restinio::response_builder_t<InPieces>;

class HttpExchange : public Exchange {
  template <class Output>
  auto respond(const Answer& answer) {
    auto response = handle_->create_response<Output>(
        {restinio::http_status_code_t{static_cast<std::uint16_t>(answer.status)}, reason(answer.status)});
    for (const auto& [name, value] : answer.headers)
      response.append_header(name, value);
    return response;
  }

 public:
  explicit HttpExchange(restinio::request_handle_t handle) : handle_{std::move(handle)} {}

  Request request() const override {
    const auto& header = handle_->header();
    Request request{.method = header.method().c_str(),
                    .path = std::string{header.path()},
                    .query = std::string{header.query()},
                    .body = handle_->body()};
    header.for_each_field([&](const auto& field) {
      request.headers[lower(std::string{field.name()})] = std::string{field.value()};
    });
    return request;
  }

  Connection connection() const override { return handle_->connection_id(); }

  void send(const Answer& answer, std::function<void(bool)> written) override {
    auto response = respond<restinio::restinio_controlled_output_t>(answer);
    if (!answer.body.empty())
      response.set_body(answer.body);
    response.done([written = std::move(written)](const asio::error_code& error) { written(!error); });
  }

  void send_half(const Answer& answer) override {
    auto response = respond<InPieces>(answer);
    response.set_content_length(answer.body.size());
    response.set_body(answer.body.substr(0, answer.body.size() / 2));
    response.connection_close();
    response.done();
  }

  void begin(const Answer& answer) override {
    response_ = std::make_unique<InPiecesResponse>(respond<InPieces>(answer));
    response_->set_content_length(answer.body.size());
  }

  void piece(const std::string& text) override {
    response_->append_body(text);
    response_->flush();
  }

  void end() override { response_->done(); }

  void cut(Cut how) override {
    const auto& peer = handle_->remote_endpoint();
    cut_connection(peer.address().to_string(), peer.port(), how);
  }

 private:
  restinio::request_handle_t handle_;
  std::unique_ptr<InPiecesResponse> response_;
};

/// RESTinio wants it to be a class of its own.
class StateListener {
 public:
  explicit StateListener(std::function<void(Connection)> closed) : closed_{std::move(closed)} {}
  void state_changed(const restinio::connection_state::notice_t& notice) noexcept {
    if (restinio::holds_alternative<restinio::connection_state::closed_t>(notice.cause()))
      closed_(notice.connection_id());
  }

 private:
  std::function<void(Connection)> closed_;
};

struct Traits : restinio::default_traits_t {
  using connection_state_listener_t = StateListener;
  using request_handler_t = std::function<restinio::request_handling_status_t(restinio::request_handle_t)>;
};

class Listener {
 public:
  Listener(asio::io_context& io, const std::string& address, std::uint16_t port, ListenerEvents events)
      : io_{io}, events_{std::move(events)}, server_{restinio::external_io_context(io), [&](auto& settings) {
                                                       settings.address(address).port(port);
                                                       configure(settings);
                                                     }} {
    server_.open_async([this] { events_.opened(port_); },
                       [this](std::exception_ptr error) { events_.failed(text_of(error)); });
  }

 private:
  template <class Settings>
  void configure(Settings& settings) {
    // The model has its own time limits; those of RESTinio would only cut long polls off.
    constexpr auto no_limit = std::chrono::hours{24};
    settings.read_next_http_message_timelimit(no_limit)
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
        .connection_state_listener(std::make_shared<StateListener>([this](Connection connection) {
          asio::post(io_, [this, connection] { events_.closed(connection); });
        }))
        // An answer from within the handler would lose others to a client that sends its requests in advance.
        .request_handler([this](const restinio::request_handle_t& handle) {
          asio::post(io_, [this, handle] { events_.asked(std::make_unique<HttpExchange>(handle)); });
          return restinio::request_accepted();
        });
  }

  static std::string text_of(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      return e.what();
    }
  }

  asio::io_context& io_;
  ListenerEvents events_;
  std::uint16_t port_ = 0;
  restinio::http_server_t<Traits> server_;
};

} // namespace

std::shared_ptr<void> listen(asio::io_context& io, const std::string& address, std::uint16_t port,
                             ListenerEvents events) {
  return std::make_shared<Listener>(io, address, port, std::move(events));
}

} // namespace ci::github_simulator
