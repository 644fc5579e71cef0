#pragma once

#include <cstdint>

#include "base/time.h"

// What the adversary may do, as named probabilities and durations. All are per event (frame, flush,
// write, sync), from 0 to 1; the defaults are a healthy machine room.

namespace stator::sim {

/// Of one direction between two hosts. Frames suffer all of it; streams, being TCP, turn loss into
/// delay and are otherwise only reset or chopped.
struct NetworkFaults {
  Duration delay_min = microseconds(50);
  Duration delay_mean = microseconds(50);  // exponential, on top of the minimum
  double tail = 0.001;                     // how often a packet is late
  Duration tail_mean = milliseconds(5);    // exponential, on top
  std::uint64_t bytes_per_second = 0;      // 0: no limit
  Duration queue_max = seconds(1);         // of a thin path: frames that would wait longer are lost
  double loss = 0;                         // of one frame
  double duplicate = 0;                    // of one frame: it arrives twice
  double reorder = 0;                      // of one frame: it overtakes, or is overtaken
  double corrupt = 0;                      // of one frame: one bit is flipped
  double truncate = 0;                     // of one frame: its end is missing
  double replay = 0;                       // per flush: an old frame of this path comes again
  Duration replay_delay_max = seconds(60);  // how much later than now
  double reset = 0;                         // per flush: the connection breaks
  double chop = 0;                          // per stream flush: arrives in awkward pieces
  Duration reorder_delay_max = milliseconds(20);

  [[nodiscard]] bool frames_suffer() const {
    return loss > 0 || duplicate > 0 || reorder > 0 || corrupt > 0 || truncate > 0;
  }
};

/// How long it takes until somebody notices, and how much piles up until then. One for the world.
struct NetworkLimits {
  Duration keep_alive_min = seconds(5);  // a silent connection is given up after a time between
  Duration keep_alive_max = seconds(20);
  Duration connect_timeout = seconds(2);
  Duration reconnect_min = milliseconds(20);  // doubled with every failure up to the maximum
  Duration reconnect_max = seconds(1);
  std::size_t socket_buffer = 256 * 1024;          // what the system takes before `unsent` grows
  std::size_t link_unsent_max = 64 * 1024 * 1024;  // frames beyond are dropped
};

/// Of one host's disk.
struct DiskFaults {
  static constexpr std::uint64_t kRoomy = 1ULL << 40;  // never full

  Duration call_cost = microseconds(4);  // of one read or write: the loop stands still so long
  Duration sync_min = microseconds(300);
  Duration sync_mean = microseconds(700);  // exponential, on top of the minimum
  double sync_tail = 0.002;
  Duration sync_tail_mean = milliseconds(30);
  Duration sync_tail_max = seconds(10);
  double sync_fails = 0;  // the file is dead from then on (D31)
  /// Instead, what such a sync covered is lost, and shown until the power goes: whoever opens the
  /// file again can sync it, and brings back only what it writes again. So does Linux.
  bool sync_forgets = false;
  double read_fails = 0;   // kIo, once
  double write_fails = 0;  // kIo, once; a part of the bytes may have been written
  double file_breaks =
      0;  // of a read or write: kIo, and so is every call of this file from then on
  std::uint64_t capacity = kRoomy;
  double no_room = 0;  // of any call that may need some: kDiskFull; a sync is then one that failed
  // What a loss of power does to each write, and to each change of a name, that was not synced:
  double crash_keeps_write = 0.3;
  double crash_tears_write = 0.3;  // some of its sectors are kept
  double crash_keeps_name = 0.5;

  /// Calls may fail, so that a program may rightly say that it cannot start.
  [[nodiscard]] bool fail_calls() const {
    return sync_fails > 0 || read_fails > 0 || write_fails > 0 || file_breaks > 0 ||
           capacity < kRoomy || no_room > 0;
  }
};

/// How fast a host computes. An event that comes while it is busy waits, and is taken together with
/// what else waits: so a busy node works in batches as a real loop does.
struct CpuCost {
  Duration turn = microseconds(4);
  Duration task = microseconds(2);
  std::size_t tasks_per_turn_max = 256;
  // Until what one shard posts to another arrives there: mostly at once, sometimes the other core
  // does something else first.
  Duration post_min = nanoseconds(500);
  Duration post_mean = microseconds(3);  // exponential, on top of the minimum
  double post_tail = 0.01;
  Duration post_tail_mean = microseconds(500);
};

}  // namespace stator::sim
