#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "env/network.h"
#include "front/http/exchange.h"
#include "front/http/parser.h"
#include "front/http/router.h"
#include "front/http/services.h"

namespace stator::http {

/// Where connections say that they begin and end.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void forget(std::uint32_t slot) = 0;
};

/// One client. Reads a request, has it answered, then reads the next: pipelined requests wait in
/// the stream, so that a connection never costs more than one request and one answer, and answers
/// keep the order of the requests by themselves. On the shard's loop; owned by its stream.
class Connection final : public env::StreamHandler, public Exchange {
 public:
  Connection(Services& services, Router& router, env::Stream& stream, ConnectionOwner& owner,
             std::uint32_t slot);

  // env::StreamHandler
  std::size_t on_data(std::string_view bytes) override;
  void on_drained() override;
  /// Whoever has said all still gets the answer; an incomplete request is dropped.
  bool on_end_of_input() override;
  void on_closed() override;

  // Exchange
  [[nodiscard]] const Request& request() const override { return request_; }
  [[nodiscard]] Ticket ticket() const override { return {slot_, serial_}; }
  void reply(const Response& response) override;
  void reply(const Problem& problem, std::string_view headers) override;
  [[nodiscard]] Hlc floor() const override { return floor_; }
  void raise_floor(Hlc time) override { floor_ = std::max(floor_, time); }

  /// A request waits for its answer under this serial.
  [[nodiscard]] bool waits_for(std::uint64_t serial) const {
    return phase_ == Phase::kWaiting && serial_ == serial;
  }
  /// About once per second: ends what is idle, slow or stalled for too long.
  void check_time(MonoTime now);
  /// Ends it as soon as nothing is under way.
  void drain();

 private:
  enum class Phase : std::uint8_t {
    kReading,  // a request, or for one
    kWaiting,  // for the answer to the request
    kBlocked,  // until the client has read its answers
    kClosing,
  };

  void on_head();
  void on_body();
  void on_request();
  void on_fault();
  void refuse_now(const Problem& problem);
  /// What forbids the request before its body has come.
  [[nodiscard]] std::optional<Problem> check_head() const;
  [[nodiscard]] bool writes() const;
  void drop_body();
  void after_reply();
  void close();
  void resume();
  void account();
  void write_head(const Response& response, int retry_after_s, std::string_view allow);
  void send(const Response& response, int retry_after_s, std::string_view allow);

  Services& services_;
  Router& router_;
  env::Stream& stream_;
  ConnectionOwner& owner_;
  const std::uint32_t slot_;

  Request request_;
  RequestParser parser_;
  Phase phase_ = Phase::kReading;
  bool paused_ = false;
  bool in_data_ = false;
  bool refused_ = false;  // as overload, in this visit
  bool served_one_ = false;
  bool close_after_reply_ = false;
  std::optional<Problem> refusal_;  // answers the request when it has arrived whole
  std::uint64_t serial_ = 0;
  Hlc floor_{};
  std::uint64_t accounted_bytes_ = 0;
  MonoTime since_{};  // in kReading: begin of the request or of the silence
  std::size_t unsent_seen_ = 0;
  MonoTime unsent_since_{};
};

}  // namespace stator::http
