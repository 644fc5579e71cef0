#include "storage/memory/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "base/random.h"

namespace stator::storage::memory {
namespace {

TEST(Arena, UsableSizesWasteAnEighthAtMostAndAreTheirOwn) {
  std::size_t before = 0;
  for (std::size_t bytes = 1; bytes <= 2 * Arena::kBlockMax; ++bytes) {
    const std::size_t size = Arena::usable_size(bytes);
    ASSERT_GE(size, bytes);
    ASSERT_LE(size, std::max(bytes + Arena::kAlignment - 1, bytes + bytes / 8 + 1));
    ASSERT_EQ(size % Arena::kAlignment, 0U);
    ASSERT_EQ(Arena::usable_size(size), size);
    ASSERT_GE(size, before);
    before = size;
  }
}

TEST(Arena, BlocksDoNotOverlapAndAreUsedAgain) {
  Arena arena(64 << 10);
  SplitMix64 random(7);
  struct Block {
    std::size_t size;
    char fill;
  };
  std::map<char*, Block> live;
  for (int i = 0; i < 20'000; ++i) {
    if (live.size() > 200 || (!live.empty() && random.below(3) == 0)) {
      auto victim = live.begin();
      std::advance(victim, static_cast<std::ptrdiff_t>(random.below(live.size())));
      const auto [address, block] = *victim;
      for (std::size_t at = 0; at < block.size; ++at) ASSERT_EQ(address[at], block.fill);
      arena.free(address, block.size);
      live.erase(victim);
      continue;
    }
    const std::size_t size = 1 + random.below(random.below(4) == 0 ? Arena::kBlockMax * 2 : 2'000);
    auto* address = static_cast<char*>(arena.allocate(size));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(address) % Arena::kAlignment, 0U);
    const auto next = live.upper_bound(address);
    ASSERT_TRUE(next == live.end() || address + size <= next->first);
    ASSERT_TRUE(next == live.begin() ||
                std::prev(next)->first + std::prev(next)->second.size <= address);
    const auto fill = static_cast<char>('a' + i % 26);
    std::memset(address, fill, size);
    live[address] = {size, fill};
  }
  for (const auto& [address, block] : live) arena.free(address, block.size);
  void* first = arena.allocate(1'000);
  arena.free(first, 1'000);
  EXPECT_EQ(arena.allocate(Arena::usable_size(1'000)), first);
}

}  // namespace
}  // namespace stator::storage::memory
