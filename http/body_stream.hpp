#pragma once
/// Sends a body that is fetched piece by piece. For server.cpp alone: it reads RESTinio's headers.

#include "http/body_source.hpp"

#include <restinio/asio_include.hpp>
#include <restinio/request_handler.hpp> // before the builders, which lean on it

#include <restinio/message_builders.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace ci::http {

/// All transfers under way. In the server's thread; clear() also after its end.
class BodyStreams {
 public:
  using Builder = restinio::response_builder_t<restinio::user_controlled_output_t>;

  /// \p patience: for each piece but the first, whose time the source says.
  BodyStreams(std::weak_ptr<asio::io_context> io, domain::Duration patience)
      : io_(std::move(io)), patience_(patience) {}

  /// Begins the answer with \p begin once the body's first piece is there; where that does not come, \p refuse
  /// answers instead. Each later piece is fetched only when the one before it was taken in by the client's side, so
  /// a transfer holds one piece, however slow the client is. Where one does not come in time or a write fails, the
  /// connection is closed: what was announced is not sent in part as if it were whole. \p token goes with the
  /// transfer.
  void send(std::function<Builder()> begin, std::function<void()> refuse, std::shared_ptr<BodySource> source,
            std::shared_ptr<void> token) {
    const auto serial = ++last_serial_;
    const auto left = source->size();
    const auto by = source->begin_by();
    transfers_.emplace(serial, Transfer{std::move(begin), std::move(refuse), std::nullopt, std::move(source),
                                        std::move(token), left, asio::steady_timer(*io_.lock())});
    fetch(serial, by);
  }
  /// Ends all of them; their connections close.
  void clear() { transfers_.clear(); }

 private:
  struct Transfer {
    std::function<Builder()> begin; ///< this and `refuse` hold the request; empty once there is a builder
    std::function<void()> refuse;
    std::optional<Builder> builder; ///< none before the first piece
    std::shared_ptr<BodySource> source;
    std::shared_ptr<void> token;
    std::int64_t left; ///< bytes that were not handed to the connection yet
    asio::steady_timer timer; ///< of the piece that is waited for
    std::uint64_t piece = 0; ///< the number of the one that is waited for, or was last
    bool waits = false;
  };
  /// Brings one piece back into the server's thread; a null one if it is destroyed before that.
  struct Carrier {
    BodyStreams* streams;
    std::weak_ptr<asio::io_context> io;
    std::uint64_t serial;
    bool done = false;

    Carrier(BodyStreams* s, std::weak_ptr<asio::io_context> i, std::uint64_t n)
        : streams(s), io(std::move(i)), serial(n) {}
    Carrier(const Carrier&) = delete;
    Carrier& operator=(const Carrier&) = delete;
    ~Carrier() {
      if (!done)
        bring(nullptr);
    }
    void bring(std::shared_ptr<const std::string> piece) {
      done = true;
      // The context lives while there is a server, and with it the streams.
      if (const auto alive = io.lock())
        asio::post(*alive, [to = streams, serial = serial, piece = std::move(piece)]() mutable {
          to->take(serial, std::move(piece));
        });
    }
  };

  void fetch(std::uint64_t serial, domain::Steady by) {
    auto& transfer = transfers_.at(serial);
    transfer.waits = true;
    transfer.timer.expires_at(by);
    transfer.timer.async_wait([this, serial, piece = ++transfer.piece](const asio::error_code& error) {
      if (!error)
        lose_patience(serial, piece);
    });
    auto carrier = std::make_shared<Carrier>(this, io_, serial);
    transfer.source->next(
        [carrier](std::shared_ptr<const std::string> piece) { carrier->bring(std::move(piece)); });
  }

  void lose_patience(std::uint64_t serial, std::uint64_t piece) {
    const auto at = transfers_.find(serial);
    if (at != transfers_.end() && at->second.waits && at->second.piece == piece)
      lose(at);
  }

  void lose(std::map<std::uint64_t, Transfer>::iterator at) {
    const auto lost = std::move(at->second);
    transfers_.erase(at);
    if (!lost.builder)
      lost.refuse();
  }

  void take(std::uint64_t serial, std::shared_ptr<const std::string> piece) {
    const auto at = transfers_.find(serial);
    if (at == transfers_.end())
      return;
    auto& transfer = at->second;
    transfer.waits = false;
    transfer.timer.cancel();
    if (!piece || piece->empty() || static_cast<std::int64_t>(piece->size()) > transfer.left)
      return lose(at);
    if (!transfer.builder)
      begin(transfer);
    transfer.left -= static_cast<std::int64_t>(piece->size());
    transfer.builder->append_body(std::move(piece));
    if (transfer.left > 0) {
      transfer.builder->flush([this, serial](const asio::error_code& error) { taken_in(serial, error); });
      return;
    }
    auto last = std::move(transfer);
    transfers_.erase(at);
    last.builder->done([token = std::move(last.token)](const auto&) {});
  }

  /// The request goes: it is counted no longer than until its answer begins, and a client takes its time.
  static void begin(Transfer& transfer) {
    transfer.builder.emplace(transfer.begin());
    transfer.begin = nullptr;
    transfer.refuse = nullptr;
  }

  void taken_in(std::uint64_t serial, const asio::error_code& error) {
    if (!transfers_.contains(serial))
      return;
    if (error)
      transfers_.erase(serial);
    else
      fetch(serial, std::chrono::steady_clock::now() + patience_);
  }

  const std::weak_ptr<asio::io_context> io_;
  const domain::Duration patience_;
  std::uint64_t last_serial_ = 0;
  std::map<std::uint64_t, Transfer> transfers_;
};

} // namespace ci::http
