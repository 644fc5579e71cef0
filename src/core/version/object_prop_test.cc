#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "core/version/object_codec.h"
#include "core/version/test_support.h"
#include "core/version/world.h"

namespace stator::testing {
namespace {

std::string encoded(const Object& object) {
  std::string bytes;
  encode_object(object, bytes);
  return bytes;
}

// One random execution, and what the nodes held along the way.
struct Execution {
  World world;
  std::vector<Object> seen;
  std::string trace;
};

Execution run(const WorldLimits& limits, unsigned steps, std::mt19937_64& random, bool keep) {
  Execution run{World{limits}, {}, {}};
  std::vector<Action> enabled;
  std::array<std::pair<std::size_t, std::size_t>, 16> ranges{};
  for (unsigned i = 0; i < steps; ++i) {
    run.world.actions(enabled);
    // Kinds are equally likely, however many actions of a kind there are.
    std::ranges::sort(enabled);
    std::size_t kinds = 0;
    for (std::size_t at = 0; at < enabled.size(); ++at) {
      if (at == 0 || enabled[at].kind != enabled[at - 1].kind) ranges[kinds++] = {at, at};
      ranges[kinds - 1].second = at + 1;
    }
    const auto [first, last] = ranges[random() % kinds];
    const Action chosen = enabled[first + random() % (last - first)];
    run.world.apply(chosen);
    if (!keep) continue;
    run.trace += describe(chosen) + "\n   " + run.world.show() + "\n";
    run.seen.push_back(run.world.object(i % run.world.nodes()));
  }
  return run;
}

WorldLimits random_limits(std::mt19937_64& random) {
  return {.nodes = static_cast<unsigned>(3 + random() % 3),
          .clients = static_cast<unsigned>(1 + random() % 3),
          .writes = static_cast<unsigned>(3 + random() % 14),
          .retries = static_cast<unsigned>(random() % 5),
          .losses = static_cast<unsigned>(random() % 3),
          .restarts = static_cast<unsigned>(random() % 3),
          .messages = static_cast<unsigned>(random() % 4),
          .images = random() % 2 == 0};
}

TEST(ObjectProperty, ARandomExecutionEndsInTheMaximalWritesOfItsHistory) {
  constexpr std::uint64_t kExecutions = 100'000;
  for (std::uint64_t seed = 1; seed <= kExecutions; ++seed) {
    std::mt19937_64 random(seed);
    const WorldLimits limits = random_limits(random);
    const unsigned steps = 10 + static_cast<unsigned>(random() % 25);
    std::mt19937_64 again = random;
    const Execution execution = run(limits, steps, random, false);
    const auto wrong = execution.world.violation();
    ASSERT_FALSE(wrong) << *wrong << " with seed " << seed << "\n"
                        << run(limits, steps, again, true).trace;
  }
}

TEST(ObjectProperty, MergeIsCommutativeAndIdempotentAndSaysSo) {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    std::mt19937_64 random(seed);
    const Execution execution = run(random_limits(random), 30, random, true);
    for (int round = 0; round < 10; ++round) {
      const Object& x = execution.seen[random() % execution.seen.size()];
      const Object& y = execution.seen[random() % execution.seen.size()];
      const Object both = merged(x, y);
      ASSERT_EQ(encoded(both), encoded(merged(y, x))) << "commutative, seed " << seed;
      ASSERT_EQ(encoded(merged(x, x)), encoded(x)) << "idempotent, seed " << seed;
      ASSERT_EQ(encoded(merged(both, x)), encoded(both)) << "absorbing, seed " << seed;
      const Relation relation = compare(x, y);
      ASSERT_EQ(relation == Relation::kEqual, digest(x) == digest(y));
      ASSERT_EQ(relation == Relation::kEqual || relation == Relation::kCovers,
                digest(both) == digest(x));
      ASSERT_EQ(relation == Relation::kEqual || relation == Relation::kCoveredBy,
                digest(both) == digest(y));
      Object back;
      ASSERT_TRUE(decode_object(encoded(both), back)) << "an invariant is broken, seed " << seed;
      ASSERT_EQ(encoded(back), encoded(both));
    }
  }
}

TEST(ObjectProperty, MergeIsAssociativeWhereNothingIsMintedTwice) {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    std::mt19937_64 random(seed);
    WorldLimits limits = random_limits(random);
    limits.retries = 0;
    const Execution execution = run(limits, 30, random, true);
    const auto pick = [&]() -> const Object& {
      return execution.seen[random() % execution.seen.size()];
    };
    for (int round = 0; round < 10; ++round) {
      const Object& x = pick();
      const Object& y = pick();
      const Object& z = pick();
      ASSERT_EQ(encoded(merged(merged(x, y), z)), encoded(merged(x, merged(y, z)))) << seed;
    }
  }
}

TEST(ObjectProperty, ReplicasBecomeEqualInWhateverOrderTheyMeet) {
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    std::mt19937_64 random(seed);
    WorldLimits limits = random_limits(random);
    limits.losses = 0;  // what is lost takes its guards with it, see the design page
    const World world = run(limits, 35, random, false).world;
    std::vector<std::size_t> order(world.nodes());
    std::iota(order.begin(), order.end(), 0);
    std::string expected;
    for (int round = 0; round < 4; ++round) {
      std::ranges::shuffle(order, random);
      Object all;
      for (const std::size_t node : order) {
        // Sometimes two meet before the third comes.
        if (random() % 2 == 0) {
          merge(all, merged(world.object(node), world.object(order[0])));
        } else {
          merge(all, world.object(node));
        }
      }
      if (round == 0) expected = encoded(all);
      ASSERT_EQ(encoded(all), expected) << "seed " << seed;
    }
  }
}

// D4: clients that read a quorum and write leave at most one version each.
TEST(ObjectProperty, RacingClientsLeaveAtMostOneSiblingEach) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random(seed);
    const std::size_t clients = 1 + random() % 8;
    std::vector<Object> nodes(3);
    std::vector<Context> contexts(clients);
    std::uint64_t counter = 0;
    for (int step = 0; step < 100; ++step) {
      const std::size_t client = random() % clients;
      const std::size_t node = random() % 3;
      const std::size_t other = (node + 1 + random() % 2) % 3;
      if (random() % 2 == 0) {
        make_context(merged(nodes[node], nodes[other]), {}, contexts[client]);
        continue;
      }
      const Dot next = dot(node + 1, ++counter);
      const WriteId id = random() % 2 == 0 ? retryable_id(counter) : once_id(counter);
      put(nodes[node], write(id), contexts[client], next, kNow);
      const Version own = *nodes[node].find(id);
      merge(nodes[other], nodes[node]);
      extend_context(contexts[client], own);
      Object all = merged(merged(nodes[0], nodes[1]), nodes[2]);
      ASSERT_LE(all.versions.size(), clients) << "seed " << seed;
    }
  }
}

// The demonstration against version vectors, which keep all hundred (fact sheet 5.1).
TEST(ObjectProperty, AHundredInterleavedWritesOfTwoClientsLeaveTwoSiblings) {
  for (const std::uint64_t coordinators : {1, 3}) {
    std::vector<Object> nodes(coordinators);
    Context contexts[2];
    for (std::uint64_t i = 1; i <= 100; ++i) {
      Context& own = contexts[i % 2];
      Object& node = nodes[i * 7 % coordinators];
      const Dot next = dot(1 + i * 7 % coordinators, i);
      put(node, write(retryable_id(i)), own, next, kNow);
      extend_context(own, *node.find(retryable_id(i)));
      const Object sent = node;
      for (Object& other : nodes) merge(other, sent);
      for (const Object& each : nodes) ASSERT_EQ(each.versions.size(), i == 1 ? 1u : 2u);
    }
  }
}

}  // namespace
}  // namespace stator::testing
