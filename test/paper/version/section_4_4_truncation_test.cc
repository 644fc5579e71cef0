// Paper 4.4, clock truncation (V4): beyond 10 pairs the one with the oldest timestamp is removed.
// "This truncation scheme can lead to inefficiencies in reconciliation": counted here, against the
// same executions with clocks of full length and with dots.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>
#include <vector>

#include "core/version/context.h"
#include "core/version/object.h"
#include "core/version/vector_clock.h"

namespace stator {
namespace {

constexpr WallTime kNow{1'800'000'000'000'000};
constexpr std::size_t kCoordinators = 15;  // partitions send the writes to stand-ins, too
constexpr std::size_t kWrites = 100;

using History = std::set<std::uint64_t>;

// One key on many coordinators in three representations and as explicit histories, all driven by
// the same choices: read somewhere, write with what was read somewhere else, now and then
// replicate.
class Comparison {
 public:
  explicit Comparison(std::uint64_t seed, std::size_t truncate_at)
      : random_(seed), truncate_at_(truncate_at) {
    for (std::uint64_t write = 1; write <= kWrites; ++write) step(write);
  }

  // Versions kept although something that is held too has seen them; and versions lost although
  // nothing that is held has.
  struct Count {
    std::size_t false_siblings = 0;
    std::size_t swallowed = 0;
    std::size_t longest_clock = 0;
  };
  Count paper;
  Count dots;

 private:
  struct Replica {
    paper::Store paper;
    Object dots;
    History received;  // writes that came here
  };

  void step(std::uint64_t write) {
    Replica& reader = replicas_[random_() % kCoordinators];
    const std::size_t at = random_() % kCoordinators;
    Replica& writer = replicas_[at];
    // The writer's coordinator has what the reader read: no write races another unseen at one node.
    replicate(reader, writer);
    const paper::VectorClock paper_context = writer.paper.context();
    Context context;
    make_context(writer.dots, {}, context);
    History& past = pasts_.emplace_back();
    past = writer.received;
    writer.paper.put({at + 1}, paper_context, write, {static_cast<std::int64_t>(write)},
                     truncate_at_);
    const Write one{.id = WriteId::make(1'800'000'000'000, WriteId::kMintedOnce, 0, write),
                    .time = {write}};
    put(writer.dots, one, context, {{{at + 1}, 1}, write}, kNow);
    writer.received.insert(write);
    for (int copies = 0; copies < 2; ++copies) {
      replicate(writer, replicas_[random_() % kCoordinators]);
    }
    for (const Replica& replica : replicas_) judge(replica);
  }

  static void replicate(const Replica& from, Replica& to) {
    if (&from == &to) return;
    for (const paper::Store::Version& version : from.paper.versions()) to.paper.receive(version);
    merge(to.dots, from.dots);
    to.received.insert(from.received.begin(), from.received.end());
  }

  // The maximal writes among those that reached the replica.
  History maximal(const History& received) const {
    History result = received;
    for (const std::uint64_t write : received) {
      for (const std::uint64_t seen : pasts_[write - 1]) result.erase(seen);
    }
    return result;
  }

  static void compare(const History& held, const History& truth, Count& count) {
    for (const std::uint64_t write : held) count.false_siblings += truth.contains(write) ? 0 : 1;
    for (const std::uint64_t write : truth) count.swallowed += held.contains(write) ? 0 : 1;
  }

  void judge(const Replica& replica) {
    const History truth = maximal(replica.received);
    History by_paper;
    for (const paper::Store::Version& version : replica.paper.versions()) {
      by_paper.insert(version.value);
      paper.longest_clock = std::max(paper.longest_clock, version.clock.entries().size());
    }
    compare(by_paper, truth, paper);
    History by_dots;
    for (const Version& version : replica.dots.versions) by_dots.insert(version.time.value);
    dots.longest_clock = std::max(dots.longest_clock, replica.dots.clock.entries().size());
    compare(by_dots, truth, dots);
  }

  std::mt19937_64 random_;
  std::size_t truncate_at_;
  std::vector<Replica> replicas_{kCoordinators};
  std::vector<History> pasts_;
};

TEST(Section4_4_Truncation, BlursAncestryWhereDotsDoNot) {
  Comparison::Count truncated;
  Comparison::Count full;
  Comparison::Count dots;
  const auto add = [](Comparison::Count& sum, const Comparison::Count& one) {
    sum.false_siblings += one.false_siblings;
    sum.swallowed += one.swallowed;
    sum.longest_clock = std::max(sum.longest_clock, one.longest_clock);
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Comparison on(seed, paper::kTruncateAt);
    const Comparison off(seed, paper::kNeverTruncate);
    add(truncated, on.paper);
    add(full, off.paper);
    add(dots, on.dots);
  }
  std::printf("                            false siblings  swallowed  longest clock\n");
  const auto print = [](const char* name, const Comparison::Count& count) {
    std::printf("%-28s%14zu%11zu%15zu\n", name, count.false_siblings, count.swallowed,
                count.longest_clock);
  };
  print("vector clocks, cut at 10", truncated);
  print("vector clocks, full length", full);
  print("dots", dots);
  EXPECT_LE(truncated.longest_clock, paper::kTruncateAt);
  EXPECT_GT(truncated.false_siblings, 0u);
  EXPECT_EQ(full.false_siblings, 0u);
  EXPECT_EQ(full.swallowed, 0u);
  EXPECT_EQ(dots.false_siblings, 0u);
  EXPECT_EQ(dots.swallowed, 0u);
  EXPECT_EQ(dots.longest_clock, kCoordinators);
}

// Up to 10 coordinators nothing is cut.
TEST(Section4_4_Truncation, DropsThePairWithTheOldestTimestamp) {
  paper::Store store;
  for (std::uint64_t node = 1; node <= paper::kTruncateAt; ++node) {
    store.put({node}, store.context(), node, {static_cast<std::int64_t>(node)}, paper::kTruncateAt);
  }
  ASSERT_EQ(store.versions().size(), 1u);
  EXPECT_EQ(store.versions()[0].clock.entries().size(), 10u);
  // Node 1 writes again, so that node 2 is the one that has been idle longest.
  store.put({1}, store.context(), 11, {11}, paper::kTruncateAt);
  store.put({99}, store.context(), 12, {12}, paper::kTruncateAt);
  const paper::VectorClock& clock = store.versions()[0].clock;
  EXPECT_EQ(clock.entries().size(), 10u);
  EXPECT_EQ(clock.counter_of({1}), 2u);
  EXPECT_EQ(clock.counter_of({2}), 0u);
}

// How a false sibling comes about: the cut clock of a descendant no longer covers its ancestor.
TEST(Section4_4_Truncation, AnAncestorComesBackAsASibling) {
  paper::Store late;
  const paper::Store::Version first = late.put({1}, {}, 1, {1}, paper::kTruncateAt);
  paper::Store store;
  store.receive(first);
  Object object;
  const auto write = [](std::uint64_t number) {
    return Write{.id = WriteId::make(1'800'000'000'000, WriteId::kRetryable, 0, number)};
  };
  put(object, write(1), {}, {{{1}, 1}, 1}, kNow);
  const Object old = object;
  for (std::uint64_t node = 2; node <= 11; ++node) {
    store.put({node}, store.context(), node, {static_cast<std::int64_t>(node)}, paper::kTruncateAt);
    Context context;
    make_context(object, {}, context);
    put(object, write(node), context, {{{node}, 1}, 1}, kNow);
  }
  ASSERT_EQ(store.versions().size(), 1u);
  store.receive(first);
  EXPECT_EQ(store.versions().size(), 2u) << "the paper's mode";
  merge(object, old);
  EXPECT_EQ(object.versions.size(), 1u) << "dots";
}

}  // namespace
}  // namespace stator
