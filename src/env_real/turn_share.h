#pragma once

#include <cstddef>

#include "base/time.h"

namespace stator::env {

/// How much one part of a turn takes on: so much input, or what is done in so long. What a turn
/// makes of its input (operations, a batch, frames for peers) is read again at its end: it shall
/// still be in the cache then, and the peers shall not wait for the whole. And what comes meanwhile
/// waits for the end of the turn: by bytes alone a turn would be as long as small requests make it.
///
/// The time is looked at once in a while only, so that a part that has little to do reads no clock.
/// It is the time on the wall: where others have had the core meanwhile, there is news.
/// docs/design/2026-11-30-overload.md.
class TurnShare {
 public:
  /// So many bytes of input were handled, or somebody was called (0).
  void worked(std::size_t bytes) {
    bytes_ += bytes;
    since_look_ += bytes + kCall;
    if (bytes_ >= kBytes) {
      spent_ = true;
    } else if (since_look_ >= kLook) {
      look();
    }
  }
  [[nodiscard]] bool spent() const { return spent_; }

  static constexpr std::size_t kBytes = 32 * 1024;
  static constexpr Duration kTime = milliseconds(1);  // from the first look on

 private:
  static constexpr std::size_t kLook = 4 * 1024;
  static constexpr std::size_t kCall = 128;  // counts as so many bytes

  void look();

  std::size_t bytes_ = 0;
  std::size_t since_look_ = 0;
  MonoTime first_look_{};
  bool spent_ = false;
};

}  // namespace stator::env
