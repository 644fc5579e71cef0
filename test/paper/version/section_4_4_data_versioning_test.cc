// Paper 4.4, Figure 3: version evolution of an object over time (V3).

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "core/version/context.h"
#include "core/version/object.h"
#include "core/version/vector_clock.h"

namespace stator {
namespace {

constexpr WallTime kNow{1'800'000'000'000'000};
constexpr Actor kSx{{1}, 1};
constexpr Actor kSy{{2}, 1};
constexpr Actor kSz{{3}, 1};

Clock clock_of(std::initializer_list<Dot> dots) {
  Clock clock;
  for (const Dot& dot : dots) clock.add(dot);
  return clock;
}

Context read(const Object& object) {
  Context context;
  make_context(object, {}, context);
  return context;
}

std::vector<std::string> values(const Object& object) {
  std::vector<std::string> all;
  for (const Version& version : object.versions) all.emplace_back(version.value);
  return all;
}

// The objects of Figure 3, as the node that handled each write held them.
struct Figure3 {
  Object d1;
  Object d2;
  Object d3;
  Object d4;
  Object d3_and_d4;
  Object d5;

  Figure3() {
    write(d1, "D1", {}, {kSx, 1});
    d2 = d1;
    write(d2, "D2", read(d1), {kSx, 2});
    d3 = d2;
    write(d3, "D3", read(d2), {kSy, 1});
    d4 = d2;
    write(d4, "D4", read(d2), {kSz, 1});
    d3_and_d4 = d3;
    merge(d3_and_d4, d4);
    d5 = d3_and_d4;
    write(d5, "D5", read(d3_and_d4), {kSx, 3});
  }

  void write(Object& object, std::string_view value, const Context& context, const Dot& dot) {
    const Write one{.id = WriteId::make(1'800'000'000'000, WriteId::kRetryable, 0, ++writes),
                    .value = value};
    ASSERT_EQ(put(object, one, context, dot, kNow), PutEffect::kMinted);
  }

  std::uint64_t writes = 0;
};

TEST(Section4_4_Figure3, TheClocksAreThoseOfThePaper) {
  const Figure3 figure;
  EXPECT_EQ(figure.d1.clock, clock_of({{kSx, 1}}));
  EXPECT_EQ(figure.d2.clock, clock_of({{kSx, 2}}));
  EXPECT_EQ(figure.d3.clock, clock_of({{kSx, 2}, {kSy, 1}}));
  EXPECT_EQ(figure.d4.clock, clock_of({{kSx, 2}, {kSz, 1}}));
  EXPECT_EQ(figure.d5.clock, clock_of({{kSx, 3}, {kSy, 1}, {kSz, 1}}));
}

TEST(Section4_4_Figure3, D2OverwritesD1) {
  const Figure3 figure;
  EXPECT_EQ(values(figure.d2), std::vector<std::string>{"D2"});
  EXPECT_EQ(compare(figure.d2, figure.d1), Relation::kCovers);
  EXPECT_EQ(compare(figure.d3, figure.d2), Relation::kCovers);
}

TEST(Section4_4_Figure3, ANodeWithD1OrD2MayForgetThemOnSeeingD4) {
  const Figure3 figure;
  for (Object held : {figure.d1, figure.d2}) {
    merge(held, figure.d4);
    EXPECT_EQ(values(held), std::vector<std::string>{"D4"});
  }
}

TEST(Section4_4_Figure3, ANodeWithD3KeepsBothOnSeeingD4) {
  const Figure3 figure;
  EXPECT_EQ(compare(figure.d3, figure.d4), Relation::kConcurrent);
  EXPECT_EQ(values(figure.d3_and_d4), (std::vector<std::string>{"D3", "D4"}));
}

TEST(Section4_4_Figure3, TheContextOfBothIsASummaryOfTheirClocks) {
  const Figure3 figure;
  EXPECT_EQ(read(figure.d3_and_d4).clock, clock_of({{kSx, 2}, {kSy, 1}, {kSz, 1}}));
}

TEST(Section4_4_Figure3, TheReconciledD5StandsAloneEverywhere) {
  const Figure3 figure;
  for (Object held : {figure.d1, figure.d2, figure.d3, figure.d4, figure.d3_and_d4}) {
    merge(held, figure.d5);
    EXPECT_EQ(values(held), std::vector<std::string>{"D5"});
    EXPECT_EQ(digest(held), digest(figure.d5));
  }
}

// The same in the paper's own clocks, so that the comparison below is one with the paper.
TEST(Section4_4_Figure3, ThePlainVectorClocksAreThoseOfThePaperToo) {
  using paper::kNeverTruncate;
  constexpr NodeId x{1};
  constexpr NodeId y{2};
  constexpr NodeId z{3};
  paper::Store at_x;
  at_x.put(x, {}, 1, {1}, kNeverTruncate);
  const paper::Store::Version d2 = at_x.put(x, at_x.context(), 2, {2}, kNeverTruncate);
  ASSERT_EQ(at_x.versions().size(), 1u);
  paper::Store at_y = at_x;
  const paper::Store::Version d3 = at_y.put(y, d2.clock, 3, {3}, kNeverTruncate);
  paper::Store at_z = at_x;
  const paper::Store::Version d4 = at_z.put(z, d2.clock, 4, {4}, kNeverTruncate);
  at_x.receive(d3);
  at_x.receive(d4);
  EXPECT_EQ(at_x.versions().size(), 2u);
  const paper::Store::Version d5 = at_x.put(x, at_x.context(), 5, {5}, kNeverTruncate);
  ASSERT_EQ(at_x.versions().size(), 1u);
  const auto pairs = [](const paper::Store::Version& version) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
    for (const auto& entry : version.clock.entries()) {
      all.emplace_back(entry.node.value, entry.counter);
    }
    return all;
  };
  using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  EXPECT_EQ(pairs(d2), (Pairs{{1, 2}}));
  EXPECT_EQ(pairs(d3), (Pairs{{1, 2}, {2, 1}}));
  EXPECT_EQ(pairs(d4), (Pairs{{1, 2}, {3, 1}}));
  EXPECT_EQ(pairs(d5), (Pairs{{1, 3}, {2, 1}, {3, 1}}));
}

}  // namespace
}  // namespace stator
