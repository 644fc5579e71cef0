#include "storage/memory/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "base/assert.h"

namespace stator::storage::memory {
namespace {

// Below, classes are kAlignment apart; above, an eighth of the power of two.
constexpr std::size_t kFineMax = 128;

// Straight from the system: an allocator that aligns takes twice as much.
void* map_large_pages(std::size_t bytes) {
  const std::size_t mapped = bytes + Arena::kLargePage;
  void* memory =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(memory);
  const std::size_t past = reinterpret_cast<std::uintptr_t>(begin) % Arena::kLargePage;
  const std::size_t head = past == 0 ? 0 : Arena::kLargePage - past;
  if (head > 0) ::munmap(begin, head);
  if (mapped - head > bytes) ::munmap(begin + head + bytes, mapped - head - bytes);
  // Advice: where the system has no large pages to give, small ones serve.
  static_cast<void>(::madvise(begin + head, bytes, MADV_HUGEPAGE));
  return begin + head;
}

}  // namespace

Arena::Arena(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {
  STATOR_ASSERT(chunk_bytes >= kBlockMax && chunk_bytes % kAlignment == 0);
}

Arena::~Arena() {
  for (void* chunk : chunks_) {
    if (chunk_bytes_ < kLargePage) {
      std::free(chunk);
    } else {
      ::munmap(chunk, chunk_bytes_);
    }
  }
}

std::size_t Arena::usable_size(std::size_t bytes) {
  const std::size_t step = bytes <= kFineMax ? kAlignment : std::bit_floor(bytes - 1) / 8;
  return std::max(kAlignment, (bytes + step - 1) / step * step);
}

/// `size` is a usable one.
std::size_t Arena::class_of(std::size_t size) {
  if (size <= kFineMax) return size / kAlignment - 1;
  const std::size_t power = std::bit_floor(size - 1);
  const auto doublings = static_cast<std::size_t>(std::countr_zero(power / kFineMax));
  return kFineMax / kAlignment + doublings * 8 + (size - power) / (power / 8) - 1;
}

void Arena::add_chunk() {
  chunks_.reserve(chunks_.size() + 1);
  void* chunk = chunk_bytes_ < kLargePage ? std::aligned_alloc(kAlignment, chunk_bytes_)
                                          : map_large_pages(chunk_bytes_);
  if (chunk == nullptr) throw std::bad_alloc();
  chunks_.push_back(chunk);
  begin_ = static_cast<char*>(chunk);
  end_ = begin_ + chunk_bytes_;
}

void* Arena::allocate(std::size_t bytes) {
  const std::size_t size = usable_size(bytes);
  if (size > kBlockMax) {
    void* block = std::malloc(size);
    if (block == nullptr) throw std::bad_alloc();
    return block;
  }
  if (FreeBlock*& first = free_[class_of(size)]; first != nullptr) {
    FreeBlock* block = first;
    first = block->next;
    return block;
  }
  if (static_cast<std::size_t>(end_ - begin_) < size) add_chunk();
  char* block = begin_;
  begin_ += size;
  return block;
}

void Arena::free(void* block, std::size_t bytes) {
  const std::size_t size = usable_size(bytes);
  if (size > kBlockMax) {
    std::free(block);
    return;
  }
  FreeBlock*& first = free_[class_of(size)];
  first = new (block) FreeBlock{first};
}

}  // namespace stator::storage::memory
