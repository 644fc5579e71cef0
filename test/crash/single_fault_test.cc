// Every single fault of a disk, in every operation of an engine (G11, D30, D31): one call fails or
// brings back other bytes, and what the engine then says is right, or says that something is wrong.
// It never is a wrong value, and never "not found" for what is there. When the fault is over the
// store opens, and holds what was acknowledged.

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "file_calls.h"
#include "machine.h"

namespace stator::crash {
namespace {

constexpr PartitionId kPlace{0};
constexpr int kKeys = 60;

std::string key_of(int number) {
  return "key" + std::to_string(1000 + number);
}
std::string value_of(int number) {
  return std::string(700, static_cast<char>('a' + number % 26)) + std::to_string(number);
}

struct Kind {
  const char* name;
  std::vector<Call> calls;
  Fault fault;
};

std::vector<Kind> kinds() {
  using enum Call;
  return {{"read error", {kRead}, {.error = EIO}},
          {"flipped bit", {kRead}, {.flip = true}},
          {"write error", {kWrite}, {.error = EIO}},
          {"sync error", {kSync, kSyncFolder}, {.error = EIO}},
          {"no space", {kCreate, kWrite, kResize, kRename, kSync}, {.error = ENOSPC}},
          {"cannot open", {kOpen, kCreate}, {.error = EIO}},
          {"read-only", {kCreate, kWrite, kResize, kRename, kRemove}, {.error = EROFS}}};
}

/// Lets the n-th call of some kinds fail, once, and counts them.
class NthCall {
 public:
  NthCall(FileCalls& calls, const Kind& kind, std::uint64_t nth) : calls_(calls) {
    calls_.decide([this, &kind, nth](Call call, const std::string& path) {
      // For people, and never read.
      if (path.ends_with("/LOCK") || path.find("/LOG") != std::string::npos) return Fault{};
      for (const Call one : kind.calls) {
        if (one == call && ++met_ == nth) {
          path_ = path;
          return kind.fault;
        }
      }
      return Fault{};
    });
  }
  ~NthCall() { calls_.decide({}); }
  NthCall(const NthCall&) = delete;
  NthCall& operator=(const NthCall&) = delete;
  [[nodiscard]] std::uint64_t met() const { return met_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  FileCalls& calls_;
  std::uint64_t met_ = 0;
  std::string path_;
};

enum class Verdict : std::uint8_t { kRight, kReported, kWrong };

/// What stands under each key by all that was acknowledged; two where the outcome is unknown.
using Expected = std::map<std::string, std::vector<std::optional<std::string>>>;

class SingleFault : public ::testing::Test {
 protected:
  SingleFault() {
    // Half of the keys in tables, half in the log.
    Machine machine(runtime, (base.path() / "data").string(), "rocksdb");
    EXPECT_TRUE(machine.open_directory());
    for (int k = 0; k < kKeys; ++k) {
      if (k == 0 || k == kKeys / 2) {
        if (k > 0) {
          EXPECT_TRUE(machine.close_engine());
          EXPECT_TRUE(machine.open_engine());  // what was in the log goes into a table
          EXPECT_TRUE(machine.close_engine());
        }
        EXPECT_TRUE(machine.open_engine());
      }
      storage::WriteBatch batch;
      batch.put(kPlace, key_of(k), value_of(k));
      EXPECT_TRUE(machine.submit(batch, true));
      expected[key_of(k)] = {value_of(k)};
    }
    EXPECT_TRUE(machine.close_engine());
  }

  static Verdict judge(const Expected& wanted, const std::string& key,
                       const Machine::Answer& answer) {
    if (answer.status == storage::GetStatus::kUnreadable) return Verdict::kReported;
    std::optional<std::string> found;
    if (answer.status == storage::GetStatus::kFound) found = answer.value;
    const auto allowed = wanted.find(key);
    if (allowed == wanted.end()) return found ? Verdict::kWrong : Verdict::kRight;
    for (const auto& one : allowed->second) {
      if (one == found) return Verdict::kRight;
    }
    return Verdict::kWrong;
  }

  /// The worst of all keys.
  static Verdict read_all(Machine& machine, const Expected& wanted) {
    Verdict worst = Verdict::kRight;
    for (int k = 0; k < kKeys + 2; ++k) {
      worst = std::max(worst, judge(wanted, key_of(k), machine.get(kPlace, key_of(k))));
    }
    return worst;
  }

  using Operation = std::function<Verdict(Machine&, Expected&)>;

  static Verdict get_one(Machine& machine, Expected& wanted, int key) {
    return judge(wanted, key_of(key), machine.get(kPlace, key_of(key)));
  }
  static Verdict store(Machine& machine, Expected& wanted, int key,
                       const std::optional<std::string>& value) {
    storage::WriteBatch batch;
    if (value) {
      batch.put(kPlace, key_of(key), *value);
    } else {
      batch.erase(kPlace, key_of(key));
    }
    auto& allowed = wanted[key_of(key)];
    if (machine.submit(batch, true)) {
      allowed = {value};
      return get_one(machine, wanted, key);
    }
    if (allowed.empty()) allowed.emplace_back(std::nullopt);
    allowed.push_back(value);
    return Verdict::kReported;
  }
  static Verdict scan(Machine& machine, Expected& wanted, int) {
    const auto found = machine.scan(1);
    if (!found) return Verdict::kReported;
    std::map<std::string, std::string> right;
    for (const auto& [key, values] : wanted) right[key] = values.at(0).value();
    return *found == right ? Verdict::kRight : Verdict::kWrong;
  }
  static Verdict start(Machine& machine, Expected& wanted, int) {
    if (const auto opened = machine.open_engine(); !opened) {
      EXPECT_FALSE(opened.error().detail.empty()) << "a start that is refused says why";
      return Verdict::kReported;
    }
    return read_all(machine, wanted);
  }

  struct Outcomes {
    int right = 0;
    int reported = 0;
    std::vector<std::string> wrong;
  };

  /// One operation with the n-th call failing; false when there is no such call.
  bool run(const Kind& kind, std::uint64_t nth, bool opened_before, const Operation& operation,
           Outcomes& outcomes) {
    const TemporaryFolder folder;
    std::filesystem::copy(base.path(), folder.path(), std::filesystem::copy_options::recursive);
    FileCalls calls(folder.path().string());
    Expected wanted = expected;
    std::string where;
    Verdict verdict = Verdict::kRight;
    {
      Machine machine(runtime, (folder.path() / "data").string(), "rocksdb");
      EXPECT_TRUE(machine.open_directory());
      if (opened_before) {
        EXPECT_TRUE(machine.open_engine());
      }
      const NthCall fault(calls, kind, nth);
      verdict = operation(machine, wanted);
      if (fault.met() < nth) return false;
      where = fault.path();
    }
    // The fault is over, and the next start finds everything.
    Machine again(runtime, (folder.path() / "data").string(), "rocksdb");
    EXPECT_TRUE(again.open_directory());
    const auto opened = again.open_engine();
    const std::string name =
        std::string(kind.name) + ", call " + std::to_string(nth) + ", " + where;
    if (!opened) {
      outcomes.wrong.push_back(name + ": does not start again: " + opened.error().detail);
    } else if (read_all(again, wanted) != Verdict::kRight) {
      outcomes.wrong.push_back(name + ": is not right after a start");
    } else if (verdict == Verdict::kWrong) {
      outcomes.wrong.push_back(name + ": a wrong answer");
    }
    ++(verdict == Verdict::kRight ? outcomes.right : outcomes.reported);
    return true;
  }

  TemporaryFolder base;
  env::Runtime runtime;
  Expected expected;
};

TEST_F(SingleFault, OfEveryCallInEveryOperationIsRepairedOrReported) {  // G11
  const std::vector<std::pair<const char*, std::pair<bool, Operation>>> operations = {
      {"get (table)", {true, [](Machine& m, Expected& e) { return get_one(m, e, 3); }}},
      {"get (missing)", {true, [](Machine& m, Expected& e) { return get_one(m, e, kKeys + 1); }}},
      {"put", {true, [](Machine& m, Expected& e) { return store(m, e, kKeys, value_of(7)); }}},
      {"put over", {true, [](Machine& m, Expected& e) { return store(m, e, 5, value_of(8)); }}},
      {"delete", {true, [](Machine& m, Expected& e) { return store(m, e, 4, std::nullopt); }}},
      {"scan", {true, [](Machine& m, Expected& e) { return scan(m, e, 0); }}},
      {"start", {false, [](Machine& m, Expected& e) { return start(m, e, 0); }}}};
  std::printf("%-14s", "");
  for (const Kind& kind : kinds()) std::printf("  %13s", kind.name);
  std::printf("   (right + reported)\n");
  for (const auto& [name, what] : operations) {
    std::printf("%-14s", name);
    for (const Kind& kind : kinds()) {
      Outcomes outcomes;
      for (std::uint64_t nth = 1; run(kind, nth, what.first, what.second, outcomes); ++nth) {
      }
      std::printf("  %5d + %5d", outcomes.right, outcomes.reported);
      for (const std::string& wrong : outcomes.wrong) ADD_FAILURE() << name << ": " << wrong;
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace stator::crash
