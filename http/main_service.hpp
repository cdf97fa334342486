#pragma once
/// The running service: the cast, the server, and the signals that steer them.

#include "config/command_line.hpp"
#include "config/load.hpp"
#include "http/main_settings.hpp"
#include "http/options.hpp"

#include <csignal>
#include <memory>

namespace ci::http {

class Api;
class Cast;
class Server;

/// Belongs to the main thread, which blocks SIGTERM, SIGINT and SIGHUP before it makes one.
class Service {
 public:
  /// Opens what is needed. \throws std::exception where that is not possible.
  Service(config::CommandLine, const config::Loaded&);
  ~Service();

  /// Begins everything. \throws std::exception; then this object must not be destroyed.
  void begin();
  /// Waits for signals until one says to end, or until the service can't go on. Gives the exit status so far.
  int run(const sigset_t&);
  /// Answers what waits with 503, lets orders in flight end or stay in the store as intents, leaves guests
  /// running. Ends the process with \p status where an actor does not end.
  void stop(int status);

 private:
  void start_http();
  /// SIGHUP.
  void reload();
  void read_settings_again();
  /// The file with the secrets has changed: they alone are taken from it.
  void renew_secrets();
  void apply(const config::Secrets&);
  void tell_systemd(bool& told_ready);

  config::CommandLine arguments_;
  FileWatch secrets_file_;
  config::Settings settings_;
  Options options_;
  std::unique_ptr<Cast> cast_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<Server> server_;
};

} // namespace ci::http
