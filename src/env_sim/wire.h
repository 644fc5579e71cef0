#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "env/network.h"
#include "env_sim/faults.h"
#include "env_sim/packet.h"
#include "env_sim/random.h"
#include "env_sim/scheduler.h"

namespace stator::sim {

class Process;
class ShardLoop;
class World;

/// How often each fault struck, for reports and for tests that must not pass without it.
struct WireCounters {
  std::uint64_t frames = 0;
  std::uint64_t lost = 0;
  std::uint64_t cut = 0;  // frames into a cut path
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t truncated = 0;
  std::uint64_t replayed = 0;
  std::uint64_t resets = 0;
  std::uint64_t torn = 0;        // frames in the middle of which their connection broke
  std::uint64_t overflowed = 0;  // frames beyond the limit of a link
  std::uint64_t refused = 0;     // dials of links
  std::uint64_t unanswered = 0;  // dials of links, into a cut or to a machine without power
  std::uint64_t stream_segments = 0;
};

/// The faulty network between the hosts: for each directed pair its faults and whether it is cut.
/// A cut path drops frames in silence and stalls streams; the connections over it are given up
/// after a keep-alive time, in either direction, since neither gets its acknowledgements.
/// Everything here is called by the harness between events, or by the ends of connections.
class Wire {
 public:
  Wire(World& world, Random random);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  NetworkLimits limits;
  [[nodiscard]] const WireCounters& counters() const { return counters_; }
  [[nodiscard]] WireCounters& counters() { return counters_; }

  // --- for the harness ---
  void set_faults(const NetworkFaults& faults);  // all paths
  void set_faults(std::uint32_t from, std::uint32_t to, const NetworkFaults& faults);
  [[nodiscard]] const NetworkFaults& faults(std::uint32_t from, std::uint32_t to);
  void set_cut(std::uint32_t from, std::uint32_t to, bool cut);
  [[nodiscard]] bool is_cut(std::uint32_t from, std::uint32_t to) { return path(from, to).cut; }
  /// Ends every cut.
  void heal();
  /// Breaks every connection between the two, at once and noticed by both.
  void reset(std::uint32_t a, std::uint32_t b);
  /// The same for the ends at `a` alone: half open, until the other end sends and is told.
  void reset_end(std::uint32_t a, std::uint32_t b);
  /// How often that was done to the ends at `a` of those to `b`.
  [[nodiscard]] std::uint64_t resets(std::uint32_t a, std::uint32_t b) { return path(a, b).resets; }

  // --- for hosts and the ends of connections ---
  void host_added(const std::string& name);
  void host_started(std::uint32_t host);
  void process_ended(Process& process, bool reset_connections);
  [[nodiscard]] PacketPool& packets();
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] Random& random() { return random_; }

  static constexpr std::uint32_t kNowhere = UINT32_MAX;
  /// The host that an address names, as seen from `from` (loopback is itself); kNowhere if none.
  [[nodiscard]] std::uint32_t resolve(std::uint32_t from, const env::Address& address) const;
  /// One trip, drawn anew each time; without regard to bandwidth and cuts.
  [[nodiscard]] Duration delay(std::uint32_t from, std::uint32_t to);
  /// A trip of `bytes`: drawn delay plus the wait for the path's bandwidth, which it uses up.
  [[nodiscard]] MonoTime arrival(std::uint32_t from, std::uint32_t to, std::size_t bytes);
  [[nodiscard]] Duration keep_alive();

  /// Sends the frames of one flush to the shard that the connection was dealt to. `port` names its
  /// listener. `in_order` is the latest arrival on this connection, which is brought up to date.
  /// Returns when the last of them arrives: never, into a cut or behind a packet that is so late
  /// that the connection will have been given up.
  MonoTime send_frames(ShardLoop& from, ShardLoop& to, std::uint16_t port, PacketRef packet,
                       MonoTime& in_order);
  /// The connection breaks while this leaves, after any of its bytes: frames that are whole by then
  /// stay in it. Of one that is not, a receiver gets nothing, as it waits for the rest.
  void break_off(Packet& packet);

 private:
  struct Path {
    NetworkFaults faults{};
    bool cut = false;
    std::uint64_t resets = 0;        // by the harness, at its beginning
    MonoTime free_at{};              // when its bandwidth is free again
    std::deque<std::string> kept{};  // old frames that may come again
  };
  enum class Fate : std::uint8_t { kArrives, kLost, kDuplicated, kReordered, kCorrupt, kTruncated };

  [[nodiscard]] Path& path(std::uint32_t from, std::uint32_t to) {
    return paths_.at(std::size_t{from} * hosts_ + to);
  }
  [[nodiscard]] Fate draw_fate(const NetworkFaults& faults);
  void suffer(Path& path, ShardLoop& to, std::uint16_t port, Packet& packet, MonoTime arrives);
  void send_alone(ShardLoop& to, std::uint16_t port, std::string_view frame, MonoTime when);
  void maybe_replay(Path& path, std::uint32_t to, std::uint16_t port, const Packet& packet);
  void replay(std::uint32_t to, std::uint16_t port, PacketRef packet);
  void check_connections(std::uint32_t a, std::uint32_t b);

  World& world_;
  Random random_;
  std::size_t hosts_ = 0;
  std::vector<Path> paths_;
  std::map<std::string, std::uint32_t> names_;
  WireCounters counters_;
};

}  // namespace stator::sim
