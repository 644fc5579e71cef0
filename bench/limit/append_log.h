#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "limit/buffer.h"
#include "limit/counters.h"

namespace stator::limit {

enum class Durability : std::uint8_t {
  kMemory,     // no log
  kPageCache,  // each turn's records written by the loop, not synced
  kSync,       // group commit: written and fdatasynced by a side thread while the next gathers
};

/// Prices the write path of a log: one segment, filled with zeros beforehand and used again from
/// its start when it is full, because extending a file costs more than syncing it. It is never
/// read back; a product must do that too.
///
/// Used by the loop thread; the sync thread is its own. `completion_descriptor` becomes readable
/// when `stable()` has advanced (kSync only). A failed write ends the process: nothing could be
/// promised after it.
class AppendLog {
 public:
  [[nodiscard]] static Result<std::unique_ptr<AppendLog>> open(const std::string& path,
                                                               Durability durability,
                                                               Counters& counters);
  ~AppendLog();
  AppendLog(const AppendLog&) = delete;
  AppendLog& operator=(const AppendLog&) = delete;

  /// Adds a record to this turn's group and returns its sequence number.
  std::uint64_t append(std::uint64_t version, std::string_view key, std::string_view value);
  /// At the end of each turn: writes or hands over what has gathered. While the sync thread is busy
  /// the group goes on growing.
  void end_turn();
  [[nodiscard]] bool has_gathered() const { return !gathering_.empty(); }
  /// All records up to and including this number are as durable as asked for.
  [[nodiscard]] std::uint64_t stable() const { return stable_.load(std::memory_order_acquire); }
  [[nodiscard]] int completion_descriptor() const { return completion_; }
  /// To be called when the descriptor is readable.
  void drain_completions();

 private:
  AppendLog(Durability durability, Counters& counters)
      : durability_(durability), counters_(counters) {}

  void write_group(std::string_view group);
  void sync_loop();

  const Durability durability_;
  Counters& counters_;
  int file_ = -1;
  int completion_ = -1;
  std::uint64_t offset_ = 0;  // in the segment; of whichever thread writes

  Buffer gathering_;            // loop thread
  std::uint64_t appended_ = 0;  // loop thread
  std::atomic<std::uint64_t> stable_ = 0;

  std::mutex mutex_;  // guards the four below
  std::condition_variable work_;
  Buffer committing_;
  std::uint64_t committing_last_ = 0;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stator::limit
