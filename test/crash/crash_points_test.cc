// What a loss of power leaves of a node's files, at any moment (I16, G10): its identity, its
// history, and its engine's files. A node's life is recorded call by call; then for moments of it,
// and for several fates of that which was not synced by then, the files are made as a disk may hold
// them, and opened. They open, hold all that was acknowledged as durable, nothing by halves, and
// nothing that was never written.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "crash_image.h"
#include "machine.h"
#include "repeat_command.h"
#include "storage/testing/numbered_batches.h"

namespace stator::crash {
namespace {

using storage::testing::add_numbered_batch;
using storage::testing::name_of;

constexpr std::uint32_t kPlaces = storage::testing::kBatchPlaces;
constexpr const char* kHistoryFiles[] = {"history", "history.copy"};

std::string value_of(std::uint64_t key, std::uint64_t batch) {
  const std::uint64_t random = mix64(key * 1'000'003 + batch);
  const std::size_t size = random % 31 == 0 ? 200'000 : random % 3000;
  return std::to_string(batch) + ":" + std::string(size, static_cast<char>('a' + random % 26));
}
std::string history_of(std::uint64_t version) {
  return std::to_string(version) + ":" + std::string(100 * version % 5000, 'h') + "end";
}

using State = storage::testing::BatchState;
using Content = std::map<std::string, std::string>;

/// A node's life: starts, batches, new histories, stops.
struct Life {
  std::vector<Event> events;
  std::vector<State> after{State()};  // after[b]: when the first b batches are applied
};

class Living {
 public:
  Living(env::Runtime& runtime, const std::string& engine, std::uint64_t seed)
      : machine_(runtime, (folder_.path() / "data").string(), engine),
        calls_(folder_.path().string()),
        random_(seed) {}

  Life live(int starts) {
    calls_.record(true);
    EXPECT_TRUE(machine_.open_directory());
    calls_.mark("identity", 1);
    for (int start = 0; start < starts; ++start) {
      EXPECT_TRUE(machine_.open_engine());
      for (std::uint64_t i = random_.below(20); i > 0; --i) random_.chance(0.1) ? learn() : write();
      EXPECT_TRUE(machine_.close_engine());
      calls_.mark("durable", life_.after.size() - 1);
    }
    life_.events = calls_.events();
    return std::move(life_);
  }

 private:
  void learn() {
    const std::uint64_t version = ++history_;
    calls_.mark("history begun", version);
    for (const char* name : kHistoryFiles) {
      EXPECT_TRUE(env::write_whole_file(machine_.disk(), machine_.directory() + "/" + name,
                                        history_of(version)));
    }
    calls_.mark("history", version);
  }

  void write() {
    const std::uint64_t number = life_.after.size();
    State state = life_.after.back();
    storage::WriteBatch batch;
    add_numbered_batch(random_, number, value_of, state, batch);
    life_.after.push_back(std::move(state));
    calls_.mark("begun", number);
    const bool sync = random_.chance(0.5);
    EXPECT_TRUE(machine_.submit(batch, sync));
    const bool behind = !sync && random_.chance(0.3);
    if (behind) {
      EXPECT_TRUE(machine_.sync());
    }
    if (sync || behind) calls_.mark("durable", number);
  }

  TemporaryFolder folder_;
  Machine machine_;
  FileCalls calls_;
  SplitMix64 random_;
  Life life_;
  std::uint64_t history_ = 0;
};

/// What was promised, and tried, up to one moment.
struct Promised {
  std::map<std::string, std::uint64_t> marks;
  [[nodiscard]] std::uint64_t operator[](const std::string& what) const {
    const auto found = marks.find(what);
    return found == marks.end() ? 0 : found->second;
  }
};

Content content_of(const State& state) {
  Content content;
  for (const auto& [key, batch] : state) content[name_of(key)] = value_of(key, batch);
  return content;
}

/// Why the image breaks a promise; empty when it does not.
std::string broken(Machine& machine, const Life& life, const Promised& promised) {
  const auto opened = machine.open_directory();
  if (!opened) return "the data directory does not open: " + opened.error().detail;
  if (promised["identity"] > 0 && !machine.directory_existed()) return "the identity is gone";
  std::uint64_t newest = 0;
  for (const char* name : kHistoryFiles) {
    const std::string path = machine.directory() + "/" + name;
    if (!machine.disk().exists(path).value_or(false)) continue;
    const auto bytes = env::read_whole_file(machine.disk(), path, 1 << 20);
    if (!bytes) return path + " cannot be read";
    const std::uint64_t version = bytes->empty() ? 0 : std::strtoull(bytes->c_str(), nullptr, 10);
    if (version == 0 || version > promised["history begun"] || *bytes != history_of(version)) {
      return path + " is half a file";
    }
    newest = std::max(newest, version);
  }
  if (newest < promised["history"]) return "the history is older than acknowledged";

  const auto engine = machine.open_engine();
  if (!engine) return "the engine does not open: " + engine.error().detail;
  const auto found = machine.scan(kPlaces);
  if (!found) return "the engine cannot be read: " + found.error().detail;
  const auto last = found->find(name_of(0));
  const std::uint64_t batch =
      last == found->end() ? 0 : std::strtoull(last->second.c_str(), nullptr, 10);
  if (batch < promised["durable"]) {
    return "batch " + std::to_string(batch) + " is the last, and " +
           std::to_string(promised["durable"]) + " was durable";
  }
  if (batch > promised["begun"]) return "batch " + std::to_string(batch) + " was not written yet";
  if (*found != content_of(life.after[batch])) {
    return "not the state after batch " + std::to_string(batch);
  }
  return {};
}

std::size_t images_wanted() {
  const char* mode = std::getenv("STATOR_CHECK");
  const std::string text = mode == nullptr ? "default" : mode;
  return text == "full" ? 20'000 : text == "quick" ? 100 : 1000;
}

std::uint64_t first_seed() {
  const char* seed = std::getenv("STATOR_SEED");
  return seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
}

/// Images of lives until there are `wanted`. What becomes of a life depends on its seed alone, so
/// that the one that failed fails again when it is the first.
void run_images(const std::string& engine, std::size_t wanted) {
  env::Runtime runtime;
  std::size_t images = 0;
  std::size_t lives = 0;
  std::size_t moments = 0;
  for (std::uint64_t seed = first_seed(); images < wanted; ++seed, ++lives) {
    const Life life = Living(runtime, engine, seed).live(4);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "reproduce: " << repeat_command(seed);
    const TemporaryFolder folder;
    FileCalls calls(folder.path().string());
    // These files need not outlast the machine.
    calls.decide([](Call call, const std::string&) {
      return Fault{.skip = call == Call::kSync || call == Call::kSyncFolder};
    });
    SplitMix64 random(seed);
    CrashImage disk;
    Promised promised;
    std::size_t moment = 0;  // of this life
    for (std::size_t at = 0; at < life.events.size() && images < wanted; ++at) {
      const Event& event = life.events[at];
      disk.apply(event);
      if (event.kind == Event::Kind::kMark) {
        promised.marks[event.path] = event.number;
        if (event.path.ends_with("begun")) continue;
      }
      ++moments;
      for (const Fate fate : {static_cast<Fate>(++moment % (kFates - 1)), Fate::kAny}) {
        const auto place = folder.path() / std::to_string(++images);
        std::filesystem::create_directory(place);
        disk.write_to(place, fate, random);
        Machine machine(runtime, (place / "data").string(), engine);
        const std::string why = broken(machine, life, promised);
        EXPECT_EQ(why, "") << engine << ", event " << at << " of " << life.events.size()
                           << ", fate " << static_cast<int>(fate)
                           << "\nreproduce: " << repeat_command(seed);
        if (!why.empty()) return;
      }
      std::error_code ignored;
      std::filesystem::remove_all(folder.path() / std::to_string(images - 1), ignored);
      std::filesystem::remove_all(folder.path() / std::to_string(images), ignored);
    }
  }
  std::printf("%s: %zu images of %zu moments in %zu lives, none broken\n", engine.c_str(), images,
              moments, lives);
}

TEST(CrashPoints, OfRocksdbAndTheFilesOfANode) {  // I16, G10, D31
  run_images("rocksdb", images_wanted());
}

TEST(CrashPoints, OfTheJournalOfTheMemoryEngine) {  // I16, G10, D31
  run_images("memory", images_wanted() / 2);
}

// The test of the test: what is not synced is lost, and noticed.
TEST(CrashPoints, ADiskThatForgetsASyncIsFound) {
  env::Runtime runtime;
  Life life = Living(runtime, "rocksdb", 1).live(2);
  std::erase_if(life.events, [](const Event& event) {
    return event.kind == Event::Kind::kSync && event.path.ends_with(".log");
  });
  const TemporaryFolder folder;
  CrashImage disk;
  Promised promised;
  for (const Event& event : life.events) {
    disk.apply(event);
    if (event.kind == Event::Kind::kMark) promised.marks[event.path] = event.number;
    if (promised["durable"] > 0) break;
  }
  SplitMix64 random(1);
  disk.write_to(folder.path(), Fate::kLost, random);
  Machine machine(runtime, (folder.path() / "data").string(), "rocksdb");
  EXPECT_NE(broken(machine, life, promised), "");
}

}  // namespace
}  // namespace stator::crash
