#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bench/operation.h"
#include "cli/bench/reply.h"
#include "cli/bench/tally.h"
#include "env/env.h"

namespace stator::bench {

class Lane;

/// What happens on lanes. Calls may begin operations on any lane.
class LaneEvents {
 public:
  virtual ~LaneEvents() = default;
  virtual void on_lane_up(Lane& lane) = 0;
  /// It was up; what was under way was given to on_lost.
  virtual void on_lane_down(Lane& lane) = 0;
  /// A node could not be reached; the lane tries again by itself.
  virtual void on_dial_failed(Lane& lane, const Error& error) = 0;
  /// Replies follow, then on_input_end.
  virtual void on_input(Lane& lane) = 0;
  virtual void on_reply(Lane& lane, const Operation& operation, std::string_view reply) = 0;
  virtual void on_input_end(Lane& lane) = 0;
  virtual void on_lost(Lane& lane, const Operation& operation, Failure why) = 0;
};

/// One connection of the load with its operations under way, answered in order (a pipeline). It
/// connects again by itself, to the next of its addresses, when one cannot be reached or is lost.
/// All on the loop; lives until the loop has ended.
class Lane final : private env::StreamAcceptor {
 public:
  /// `first`: which of `addresses` (at least one) it dials first.
  Lane(env::Env& env, LaneEvents& events, std::vector<env::Address> addresses, std::size_t first,
       std::uint32_t client, std::size_t group, std::uint32_t depth);

  void dial();
  [[nodiscard]] bool up() const { return stream_ != nullptr; }
  [[nodiscard]] bool has_room() const { return up() && count_ < ring_.size(); }
  /// Has been up, or could not be.
  [[nodiscard]] bool tried() const { return tried_; }
  [[nodiscard]] std::uint32_t client() const { return client_; }
  [[nodiscard]] std::size_t group() const { return group_; }
  /// The node it is connected to, or dials next.
  [[nodiscard]] const env::Address& node() const { return addresses_[at_]; }
  /// Where to go when the connection ends.
  void set_addresses(std::vector<env::Address> addresses);

  /// Takes `operation` as under way. The caller appends its command to what is returned. The lane
  /// has room.
  [[nodiscard]] std::string& begin(const Operation& operation);

  /// Ends the connection if its oldest operation was sent more than `limit` ago.
  void expire(MonoTime now, Duration limit);
  /// Does not connect again.
  void stop() { stopped_ = true; }

 private:
  class Handler;
  static constexpr Duration kRedialPause = milliseconds(100);

  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override;
  void on_dial_failed(const Error& error);
  std::size_t on_data(std::string_view bytes);
  void on_closed();
  void dial_next();
  [[nodiscard]] Operation take_oldest();

  env::Env& env_;
  LaneEvents& events_;
  std::vector<env::Address> addresses_;
  std::size_t at_;
  const std::uint32_t client_;
  const std::size_t group_;

  env::Stream* stream_ = nullptr;  // while up
  ReplyScanner scanner_;
  std::vector<Operation> ring_;
  std::size_t oldest_ = 0;
  std::size_t count_ = 0;
  MonoTime expired_before_{};  // operations sent before this had their time
  bool tried_ = false;
  bool stopped_ = false;
};

}  // namespace stator::bench
