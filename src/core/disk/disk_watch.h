#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

// What a node may still store, from the space that is left and from what its engine says (D29).
// Pure; any thread.

namespace stator {

/// Each one takes less than the one before.
enum class DiskState : std::uint8_t {
  kRoomy,     // everything is stored
  kLow,       // everything is stored, and somebody should make room
  kRefusing,  // writes of clients are refused, on this node and for others; repairs are stored
  kReadOnly,  // nothing is stored: what is left belongs to the engine's own work and to the history
  kFull,      // the engine was refused space: nothing is stored until a probe succeeds
  kFailed,    // the engine failed a write: nothing is stored until a probe succeeds, and after a
              // failed sync none does before the node starts again (D31)
};

[[nodiscard]] constexpr bool takes_writes(DiskState state) {
  return state < DiskState::kRefusing;
}
/// Repairs make no limit that clients can reach grow (D17), but they need space.
[[nodiscard]] constexpr bool takes_repairs(DiskState state) {
  return state < DiskState::kReadOnly;
}
/// What somebody is told whose write is not taken.
[[nodiscard]] constexpr ErrorCode refusal_of(DiskState state) {
  return state == DiskState::kFailed ? ErrorCode::kIo : ErrorCode::kDiskFull;
}
/// "roomy", "low", "refusing", "read_only", "full", "failed".
[[nodiscard]] std::string_view to_string(DiskState state);

/// Free bytes below which the state is entered; 0: never. The worst that holds counts, so that the
/// order need not be checked.
struct WaterMarks {
  std::uint64_t low = 0;
  std::uint64_t refuse = 0;
  std::uint64_t read_only = 0;
  [[nodiscard]] bool any() const { return low > 0 || refuse > 0 || read_only > 0; }
};

/// Keeps the state. A mark is passed downwards at once and upwards only with an eighth of it to
/// spare: a disk that stands at a mark does not change its node's mind with every write.
class DiskWatch {
 public:
  explicit DiskWatch(const WaterMarks& marks) : marks_(marks) {}

  /// What writes may still use, in bytes.
  void on_free(std::uint64_t bytes);
  /// The last write of the engine: nullopt when it succeeded, else how it failed.
  void on_engine(std::optional<ErrorCode> failure) { failure_ = failure; }

  [[nodiscard]] DiskState state() const;

 private:
  [[nodiscard]] bool below(std::uint64_t bytes, std::uint64_t mark, DiskState state) const;

  WaterMarks marks_;
  DiskState by_space_ = DiskState::kRoomy;
  std::optional<ErrorCode> failure_;
};

}  // namespace stator
