#include "base/callback.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace stator {
namespace {

using Sum = Callback<std::uint64_t(std::uint64_t)>;

TEST(Callback, KeepsPlainCapturesOverMoves) {
  const std::array<std::uint64_t, 6> numbers{1, 2, 3, 4, 5, 6};  // all that fits
  const auto full = [numbers](std::uint64_t sum) {
    for (const std::uint64_t number : numbers) sum = 10 * sum + number;
    return sum;
  };
  static_assert(sizeof full == Sum::kCapacity && std::is_trivially_copyable_v<decltype(full)>);
  Sum first = full;
  EXPECT_EQ(first(0), 123'456U);
  Sum second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): empty is what it promises to be
  Sum third = [](std::uint64_t x) { return x; };
  EXPECT_EQ(third(7), 7U);
  third = std::move(second);
  EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move)
  std::vector<Sum> list;
  for (int i = 0; i < 20; ++i) {
    list.push_back(std::move(third));
    third = std::exchange(list.back(), nullptr);
    EXPECT_FALSE(list.back());
  }
  EXPECT_EQ(third(7), 7'123'456U);
}

TEST(Callback, ChangesWhatItCapturesInItsPresentPlace) {
  Callback<int()> count = [next = 0]() mutable { return ++next; };
  EXPECT_EQ(count(), 1);
  Callback<int()> moved = std::move(count);
  EXPECT_EQ(moved(), 2);
  EXPECT_EQ(moved(), 3);
}

TEST(Callback, EndsWhatItOwnsOnce) {
  const auto owned = std::make_shared<int>(5);
  {
    Callback<int()> first = [owned] { return *owned; };
    EXPECT_EQ(owned.use_count(), 2);
    Callback<int()> second = std::move(first);
    EXPECT_EQ(owned.use_count(), 2);
    EXPECT_EQ(second(), 5);
    second = [] { return 6; };  // what owns nothing takes the place of what does, and the reverse
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_EQ(second(), 6);
    second = [owned] { return *owned + 2; };
    EXPECT_EQ(owned.use_count(), 2);
    EXPECT_EQ(second(), 7);
  }
  EXPECT_EQ(owned.use_count(), 1);
  Callback<int()> last = [owned] { return *owned; };
  last.reset();
  EXPECT_FALSE(last);
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(Callback, TakesWhatCanOnlyBeMoved) {
  Callback<int()> first = [owned = std::make_unique<int>(9)] { return *owned; };
  std::vector<Callback<int()>> list;
  for (int i = 0; i < 10; ++i) list.emplace_back();  // grows under it
  list.push_back(std::move(first));
  for (int i = 0; i < 30; ++i) list.emplace_back();
  EXPECT_EQ(list[10](), 9);
}

}  // namespace
}  // namespace stator
