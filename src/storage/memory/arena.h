#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace stator::storage::memory {

/// Memory for entries, cut out of large pages. A lookup of a random key waits for memory: with
/// pages of 4 KiB it also waits for the page tables, which costs a cluster a tenth of its
/// throughput (limits of the hardware, not of the code).
///
/// Blocks come in size classes, eight to a doubling, so that at most an eighth of a block is
/// unused. A freed block serves the next one of its class, never another class nor the system; all
/// memory is given back when the arena ends. What is left of a chunk that cannot hold the next
/// block is lost: 1.6 % of a large page at most. Blocks above kBlockMax are the heap's. Not
/// thread-safe; all blocks are freed, or forgotten, before the arena ends.
class Arena {
 public:
  static constexpr std::size_t kLargePage = std::size_t{2} << 20;
  static constexpr std::size_t kBlockMax = std::size_t{32} << 10;
  static constexpr std::size_t kAlignment = 16;

  /// `chunk_bytes` are taken from the system at a time: a multiple of kLargePage, or less where an
  /// arena is to be cheap to begin with.
  explicit Arena(std::size_t chunk_bytes);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// How large the block for `bytes` is; at least `bytes`, at least kAlignment.
  [[nodiscard]] static std::size_t usable_size(std::size_t bytes);
  /// Aligned to kAlignment. Throws std::bad_alloc.
  [[nodiscard]] void* allocate(std::size_t bytes);
  /// `bytes` as for allocate(), or its usable_size().
  void free(void* block, std::size_t bytes);

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  static constexpr std::size_t kClasses = 96;

  [[nodiscard]] static std::size_t class_of(std::size_t size);
  void add_chunk();

  const std::size_t chunk_bytes_;
  std::array<FreeBlock*, kClasses> free_{};
  std::vector<void*> chunks_;
  char* begin_ = nullptr;  // of what is left of the last chunk
  char* end_ = nullptr;
};

}  // namespace stator::storage::memory
