#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/small_vector.h"

namespace stator::bench {

/// What a read returned, held against the writes of this run.
enum class Verdict : std::uint8_t {
  kFresh,      // nothing says otherwise
  kStale,      // a write that was acknowledged before the read began replaced it
  kLost,       // not found, though a write was acknowledged before the read began
  kUndecided,  // it would be stale, but too many writes ended without an answer to tell
};

/// What became of a write, as its writer was told.
enum class WriteEnd : std::uint8_t {
  kAcknowledged,
  kNotApplied,  // never visible
  kUnknown,     // visible now, later, or never
};

/// Judges whether reads see what was acknowledged before they began, for plain reads and writes of
/// which all of one key go through here. It never calls a read stale that a correct store could
/// have given: of writes that were under way at the same time either may win, and a write of
/// unknown outcome may appear at any time.
///
/// Writes are numbered in the order in which they begin. When write w begins, every write below the
/// oldest one that is still open has ended; when w is acknowledged they are all replaced: that
/// number is w's floor. A read that begins after that must not return a number below it. 48 bytes a
/// key. Pure, not thread-safe.
class StaleCheck {
 public:
  explicit StaleCheck(std::uint64_t keys) : keys_(keys) {}

  struct Write {
    std::uint64_t number = 0;
    std::uint64_t floor = 0;
  };
  [[nodiscard]] Write begin_write(std::uint64_t key);
  void end_write(std::uint64_t key, Write write, WriteEnd end);

  /// What to give to `judge` when the read has ended.
  [[nodiscard]] std::uint64_t begin_read(std::uint64_t key) const { return keys_[key].floor; }
  /// `found`: the number of the write whose value was read; 0 for a value of another run, or of a
  /// write that this check does not know; nothing if the key was not found.
  [[nodiscard]] Verdict judge(std::uint64_t floor, std::optional<std::uint64_t> found) const;

  static constexpr std::size_t kUnknownMax = std::size_t{1} << 20;

 private:
  struct Key {
    std::uint64_t floor = 0;
    SmallVector<std::uint64_t, 2> open;  // writes under way
  };
  std::vector<Key> keys_;
  std::uint64_t last_ = 0;
  std::unordered_set<std::uint64_t> unknown_;
  bool too_many_unknown_ = false;
};

}  // namespace stator::bench
