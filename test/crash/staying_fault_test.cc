// Damage that stays (G11, D30): each block of each file of a stopped node, flipped, zeroed, filled
// with another block of its file, or cut off. The node says why it does not start, or starts, and
// then each record is right, or cannot be read and can be written anew, as the node does with what
// the other owners hold; whatever is missing is said to be. Neither does it go round in circles:
// what has started once, and was written anew, starts again. Repair from others, and the files that
// are the node's own, are in test/sim/damaged_files_test.cc.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "machine.h"
#include "repeat_command.h"
#include "storage/testing/damage.h"
#include "store_content.h"

namespace stator::crash {
namespace {

using storage::testing::Damage;
using storage::testing::damaged;
using storage::testing::kEveryDamage;

// Large files have large blocks, and small ones small blocks.
std::size_t block_size_of(const std::string& content) {
  constexpr std::size_t kBlocks = 8;
  return std::max<std::size_t>(64, (content.size() + kBlocks - 1) / kBlocks);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
}

/// What a node's promises stand on: relative paths, sorted.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    // For people, and never read.
    if (!entry.is_regular_file() || name == "LOCK" || name.starts_with("LOG")) continue;
    files.push_back(std::filesystem::relative(entry.path(), folder));
  }
  std::ranges::sort(files);
  return files;
}

class StayingFault : public ::testing::TestWithParam<const char*> {
 protected:
  StayingFault() {
    expected = fill(runtime, base.path() / "data", GetParam());
    if (std::string(GetParam()) == "rocksdb") flush_in_the_midst();
  }

  /// What a manifest says of a table that was made since the start stands at its end.
  void flush_in_the_midst() {
    const std::filesystem::path data = base.path() / "data";
    const auto tables = [&] {
      const std::filesystem::directory_iterator files(data / "rocksdb");
      return std::count_if(begin(files), end(files),
                           [](const auto& file) { return file.path().extension() == ".sst"; });
    };
    Machine machine(runtime, data.string(), GetParam());
    ASSERT_TRUE(open(machine));
    const auto before = tables();
    for (int k = 0; k < 4; ++k) {
      const std::string key = "large" + std::to_string(k);
      std::string value;
      while (value.size() < 1 << 20) value += value_of(k * 10'000 + static_cast<int>(value.size()));
      storage::WriteBatch batch;
      batch.put(kPlace, key, value);
      ASSERT_TRUE(machine.submit(batch, true));
      expected[key] = {value};
    }
    ASSERT_TRUE(runtime.run_until([&] { return tables() > before; }, seconds(60)));
    ASSERT_TRUE(machine.close_engine());
  }

  struct Outcomes {
    int right = 0;
    int restored = 0;   // records that could not be read
    int shortened = 0;  // what was written last is gone
    int refused = 0;
  };

  static void print(const Outcomes& outcomes) {
    std::printf(" %3d + %2d + %2d + %2d", outcomes.right, outcomes.restored, outcomes.shortened,
                outcomes.refused);
  }

  /// A start on a copy in which this file has another content, or none is there. What is wrong with
  /// it, or nothing.
  std::string start_on(const std::filesystem::path& file, const std::optional<std::string>& content,
                       bool may_be_shorter, Outcomes& outcomes) {
    const TemporaryFolder folder;
    std::filesystem::copy(base.path(), folder.path(), std::filesystem::copy_options::recursive);
    if (content) {
      write_file(folder.path() / file, *content);
    } else {
      std::filesystem::remove(folder.path() / file);
    }
    const std::string data = (folder.path() / "data").string();
    {
      Machine machine(runtime, data, GetParam());
      const auto opened = open(machine);
      if (!opened) {
        ++outcomes.refused;
        return opened.error().detail.empty() ? "does not say why it does not start" : "";
      }
      const Verdict read = read_all(machine, expected);
      if (read == Verdict::kWrong && may_be_shorter && is_shortened(machine)) {
        ++outcomes.shortened;
        return "";
      }
      if (read == Verdict::kWrong) return "a wrong answer";
      if (scan_all(machine, expected) == Verdict::kWrong) return "a scan leaves something out";
      ++(read == Verdict::kRight ? outcomes.right : outcomes.restored);
      if (!restore_unreadable(machine, expected)) return "cannot be restored";
    }
    Machine again(runtime, data, GetParam());
    const auto opened = open(again);
    if (!opened) return "does not start again: " + opened.error().detail;
    return restore_unreadable(again, expected) ? "" : "is not right after another start";
  }

  /// What is there is right, and what is missing was written after all of it.
  bool is_shortened(Machine& machine) const {
    int there = 0;
    while (there < kKeys && read_one(machine, expected, there) == Verdict::kRight) ++there;
    for (int key = there; key < kKeys; ++key) {
      if (machine.get(kPlace, key_of(key)).status != storage::GetStatus::kMissing) return false;
    }
    return true;
  }
  static Result<void> open(Machine& machine) {
    auto opened = machine.open_directory();
    if (opened) opened = machine.open_engine();
    return opened;
  }

  TemporaryFolder base;
  env::Runtime runtime;
  Expected expected;
};
INSTANTIATE_TEST_SUITE_P(Engines, StayingFault, ::testing::Values("rocksdb", "memory"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(StayingFault, InEveryBlockOfEveryFileIsRepairedOrReported) {  // G11
  std::printf("%s: blocks damaged, right + restored + shortened + refused\n%-28s", GetParam(), "");
  for (const Damage damage : kEveryDamage) std::printf(" %18s", to_string(damage));
  std::printf(" %18s\n", "gone");
  for (const auto& file : files_below(base.path())) {
    const std::string content = read_file(base.path() / file);
    // Of a journal nobody but itself says how long it is: without its end it is one that was not
    // written so far. One bit is not enough for that, since the stop leaves a mark behind the last
    // write; and RocksDB's log has `synced` beside it.
    const bool journal = file.filename().string().starts_with("journal-");
    std::printf("%-28s", file.c_str());
    for (const Damage damage : kEveryDamage) {
      Outcomes outcomes;
      const std::size_t size = block_size_of(content);
      for (std::size_t block = 0; block * size < content.size(); ++block) {
        const auto changed = damaged(content, block, size, damage);
        if (!changed) continue;
        const std::string wrong =
            start_on(file, *changed, journal && damage != Damage::kFlipped, outcomes);
        EXPECT_EQ(wrong, "") << file << ", block " << block << ", " << to_string(damage);
      }
      print(outcomes);
    }
    Outcomes gone;
    EXPECT_EQ(start_on(file, std::nullopt, journal, gone), "") << file << " is gone";
    print(gone);
    std::printf("\n");
    std::fflush(stdout);
  }
  if (HasFailure()) std::printf("reproduce: %s\n", repeat_command().c_str());
}

}  // namespace
}  // namespace stator::crash
