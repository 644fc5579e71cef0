// I16 for the memory engine with its journal, on the simulator's disk: after every loss of power
// and every kill the store opens, holds all that was synced, nothing of half a batch, and no older
// state than it has acknowledged or shown.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "env_sim/world.h"
#include "storage/engine.h"
#include "storage/testing/numbered_batches.h"

namespace stator::storage {
namespace {

using testing::add_numbered_batch;
using testing::name_of;

constexpr std::uint32_t kPlaces = testing::kBatchPlaces;

std::string value_of(std::uint64_t key, std::uint64_t batch) {
  const std::uint64_t random = mix64(key * 1'000'003 + batch);
  return std::to_string(batch) + ":" +
         std::string(random % 8000, static_cast<char>('a' + (random >> 32) % 26));
}

using State = testing::BatchState;

/// What the test knows about the store, across all runs of its process.
struct History {
  explicit History(std::uint64_t seed) : random(seed) {}
  SplitMix64 random;
  std::vector<State> after{State()};  // after[b]: when the first b batches are applied
  std::uint64_t durable = 0;          // no state before this one may ever be seen again
  std::uint64_t written = 0;          // nor before this one, unless power is lost
  std::uint64_t starts = 0;
  std::uint64_t refused_starts = 0;
};

class Recovered final : public ScanVisitor {
 public:
  void visit(std::string_view key, std::string_view value) override {
    EXPECT_TRUE(content.emplace(key, value).second);
  }
  std::map<std::string, std::string> content;
};

class StoreProgram final : public sim::Program {
 public:
  StoreProgram(env::Env& env, History& history) : env_(env), history_(history) {
    auto home = open_engine({.name = "memory", .directory = "/data/engine", .journal = true}, env);
    if (!home) {
      // Only a disk that cannot sync may keep it from opening.
      EXPECT_EQ(home.error().code, ErrorCode::kIo) << home.error().detail;
      ++history_.refused_starts;
      return;
    }
    home_ = std::move(*home);
    engine_ = home_->attach(env);
    ++history_.starts;
    check();
    write_later();
  }

 private:
  void check() {
    Recovered found;
    for (std::uint32_t place = 0; place < kPlaces; ++place) {
      std::string after;
      do {
        auto next = engine_->scan(PartitionId{place}, after,
                                  {.keys_max = 1000, .bytes_max = 1 << 30}, found);
        ASSERT_TRUE(next);
        after = std::move(*next);
      } while (!after.empty());
    }
    // The youngest batch that left a trace tells which state it is: each batch writes key 0.
    const auto newest = found.content.find(name_of(0));
    const std::uint64_t batch = newest == found.content.end() ? 0 : std::stoull(newest->second);
    ASSERT_LT(batch, history_.after.size());
    EXPECT_GE(batch, history_.durable);
    EXPECT_GE(batch, history_.written);
    std::map<std::string, std::string> expected;
    for (const auto& [key, writer] : history_.after[batch]) {
      expected[name_of(key)] = value_of(key, writer);
    }
    EXPECT_EQ(found.content, expected);
    // What is shown stays. What is gone was never promised.
    history_.after.resize(batch + 1);
    history_.durable = history_.written = batch;
  }

  void write_later() {
    env_.executor.after(microseconds(static_cast<std::int64_t>(history_.random.below(1500))),
                        [this] {
                          write();
                          write_later();
                        });
  }

  void write() {
    SplitMix64& random = history_.random;
    const std::uint64_t number = history_.after.size();
    State state = history_.after.back();
    batch_.clear();
    add_numbered_batch(random, number, value_of, state, batch_);
    if (failed_) return;  // refused for good, so it can leave no trace
    history_.after.push_back(std::move(state));
    const bool sync = random.chance(0.3);
    const bool behind = !sync && random.chance(0.2);
    engine_->submit(batch_, sync, [this, number, sync, behind](const Result<void>& result) {
      if (!result) {
        failed_ = true;
        return;
      }
      EXPECT_FALSE(failed_ && sync);
      history_.written = std::max(history_.written, number);
      if (sync) history_.durable = std::max(history_.durable, number);
      if (behind) sync_behind(number);
    });
  }

  void sync_behind(std::uint64_t number) {
    engine_->sync([this, number](const Result<void>& result) {
      if (!result) {
        failed_ = true;
        return;
      }
      history_.durable = std::max(history_.durable, number);
    });
  }

  env::Env& env_;
  History& history_;
  std::unique_ptr<EngineHome> home_;
  std::unique_ptr<Engine> engine_;
  WriteBatch batch_;
  bool failed_ = false;
};

History run(std::uint64_t seed, double sync_fails, bool sync_forgets = false) {
  History history(seed);
  sim::World world(seed);
  // Frames in pieces, new files early and in small frames, pages of one key (env/buggify.h).
  world.buggify().on = seed % 2 == 0;
  sim::Host& host = world.add_host("n1");
  for (int round = 0; round < 12; ++round) {
    // The first sync on a new disk works, so that there is something to come back to.
    host.disk().faults.sync_fails = round == 0 ? 0 : sync_fails;
    host.disk().faults.sync_forgets = sync_forgets;
    host.start([&history](env::Env& env) { return std::make_unique<StoreProgram>(env, history); });
    world.run_for(microseconds(static_cast<std::int64_t>(history.random.below(150'000))));
    if (history.random.chance(0.7)) {
      host.crash();
      history.written = history.durable;
    } else {
      host.kill();
    }
    world.run_for(milliseconds(10));
  }
  return history;
}

TEST(MemoryEngineCrash, KeepsWhatWasSyncedAndNothingByHalves) {
  std::uint64_t batches = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    const History history = run(seed, 0);
    ASSERT_FALSE(::testing::Test::HasFailure());
    EXPECT_EQ(history.refused_starts, 0U);
    batches += history.durable;
  }
  EXPECT_GT(batches, 20'000U);
}

TEST(MemoryEngineCrash, AlsoWhenSyncsFail) {
  std::uint64_t starts = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    starts += run(seed, 0.02).starts;
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  EXPECT_GT(starts, 300U);
}

// D31: what a failed sync covered is shown by the file, and gone with the power, though the next
// process can sync it.
TEST(MemoryEngineCrash, AlsoWhenTheDiskForgetsWhatSyncsThatFailedCovered) {
  std::uint64_t starts = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    starts += run(seed, 0.02, true).starts;
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  EXPECT_GT(starts, 300U);
}

}  // namespace
}  // namespace stator::storage
