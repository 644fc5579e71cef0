#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace stator::env {

/// Random numbers from the kernel, fetched a block at a time: incarnations (D1) and write ids must
/// differ between machines that were cloned from one image, which no generator seeded in user space
/// promises. One per shard; not thread-safe. A process that forks must make a new one.
class Entropy {
 public:
  std::uint64_t next() {
    if (used_ == block_.size()) refill();
    return block_[used_++];
  }

 private:
  void refill();

  std::array<std::uint64_t, 128> block_{};
  std::size_t used_ = block_.size();
};

}  // namespace stator::env
