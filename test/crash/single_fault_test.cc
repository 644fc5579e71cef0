// Every single fault of a disk, in every operation of an engine and at every start (G11, D30, D31):
// one call fails, does half of what it says, or brings back or leaves other bytes, and what is then
// said is right, or says that something is wrong. It never is a wrong value, and never "not found"
// for what is there. When the fault is over the store opens, and holds what was acknowledged; where
// a write left other bytes it may say instead that they are damaged, and a record that it cannot
// read can be written anew, as the node does with what the other owners hold.

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
#include "repeat_command.h"
#include "store_content.h"

namespace stator::crash {
namespace {

struct Kind {
  const char* name;
  std::vector<Call> calls;
  Fault fault;
  bool stays = false;  // what it did stands on the disk
};

std::vector<Kind> kinds() {
  using enum Call;
  return {{"read error", {kRead}, {.error = EIO}},
          {"read flipped", {kRead}, {.flip = true}},
          {"read zeroed", {kRead}, {.zero = true}},
          {"read astray", {kRead}, {.astray = true}},
          {"read half", {kRead}, {.half = true}},
          {"write error", {kWrite}, {.error = EIO}},
          {"write half", {kWrite}, {.half = true}},
          {"write zeroed", {kWrite}, {.zero = true}, true},
          {"write astray", {kWrite}, {.astray = true}, true},
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
      if (path.ends_with("LOCK") || path.find("/LOG") != std::string::npos) return Fault{};
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

/// What was done before the fault may strike.
enum class Stage : std::uint8_t { kNothing, kDirectory, kEngine };

struct Operation {
  const char* name;
  Stage before;
  std::function<Verdict(Machine&, Expected&)> run;
  bool fresh = false;  // there is nothing on the disk yet
};

Verdict store(Machine& machine, Expected& wanted, int key,
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
    return read_one(machine, wanted, key);
  }
  if (allowed.empty()) allowed.emplace_back(std::nullopt);
  allowed.push_back(value);
  return Verdict::kReported;
}

// Of a whole range, as when it was handed over; the engine may tidy up behind it.
Verdict drop_all(Machine& machine, Expected& wanted) {
  const auto dropped = machine.drop(kPlace);
  for (auto& [key, allowed] : wanted) {
    if (dropped) allowed.clear();
    allowed.emplace_back(std::nullopt);
  }
  return dropped ? read_all(machine, wanted) : Verdict::kReported;
}

Verdict reported(const Error& error) {
  EXPECT_FALSE(error.detail.empty()) << "a start that is refused says why";
  return Verdict::kReported;
}

Verdict open_engine(Machine& machine, Expected& wanted) {
  if (const auto opened = machine.open_engine(); !opened) return reported(opened.error());
  return read_all(machine, wanted);
}

Verdict open_directory(Machine& machine, Expected&) {
  const auto opened = machine.open_directory();
  return opened ? Verdict::kRight : reported(opened.error());
}

Verdict stop(Machine& machine, Expected&) {
  return machine.close_engine() ? Verdict::kRight : Verdict::kReported;
}

std::vector<Operation> operations() {
  return {
      {"get (there)", Stage::kEngine, [](auto& m, auto& e) { return read_one(m, e, 3); }},
      {"get (missing)", Stage::kEngine, [](auto& m, auto& e) { return read_one(m, e, kKeys + 1); }},
      {"put", Stage::kEngine, [](auto& m, auto& e) { return store(m, e, kKeys, value_of(7)); }},
      {"put over", Stage::kEngine, [](auto& m, auto& e) { return store(m, e, 5, value_of(8)); }},
      {"delete", Stage::kEngine, [](auto& m, auto& e) { return store(m, e, 4, std::nullopt); }},
      {"scan", Stage::kEngine, [](auto& m, auto& e) { return scan_all(m, e); }},
      {"drop", Stage::kEngine, drop_all},
      {"stop", Stage::kEngine, stop},
      {"start", Stage::kDirectory, open_engine},
      {"identity", Stage::kNothing, open_directory},
      {"first identity", Stage::kNothing, open_directory, true},
      {"first start", Stage::kDirectory, open_engine, true}};
}

class SingleFault : public ::testing::TestWithParam<const char*> {
 protected:
  SingleFault() { expected = fill(runtime, base.path() / "data", GetParam()); }

  struct Outcomes {
    int right = 0;
    int reported = 0;
    std::vector<std::string> wrong;
  };

  /// One operation with the n-th call failing; false when there is no such call.
  bool run(const Kind& kind, std::uint64_t nth, const Operation& operation, Outcomes& outcomes) {
    const TemporaryFolder folder;
    if (!operation.fresh) {
      std::filesystem::copy(base.path(), folder.path(), std::filesystem::copy_options::recursive);
    }
    const std::string data = (folder.path() / "data").string();
    FileCalls calls(folder.path().string());
    Expected wanted = operation.fresh ? Expected() : expected;
    std::string where;
    Verdict verdict = Verdict::kRight;
    {
      Machine machine(runtime, data, GetParam());
      if (operation.before >= Stage::kDirectory) {
        EXPECT_TRUE(machine.open_directory());
      }
      if (operation.before >= Stage::kEngine) {
        EXPECT_TRUE(machine.open_engine());
      }
      const NthCall fault(calls, kind, nth);
      verdict = operation.run(machine, wanted);
      if (fault.met() < nth) return false;
      where = fault.path();
    }
    std::string wrong = verdict == Verdict::kWrong ? "a wrong answer" : "";
    if (wrong.empty()) wrong = after(data, kind.stays, wanted);
    if (!wrong.empty()) {
      outcomes.wrong.push_back(std::string(kind.name) + ", call " + std::to_string(nth) + ", " +
                               where + ": " + wrong);
    }
    ++(verdict == Verdict::kRight ? outcomes.right : outcomes.reported);
    return true;
  }

  /// What is wrong with the next start, when the fault is over.
  std::string after(const std::string& data, bool stays, const Expected& wanted) {
    Machine again(runtime, data, GetParam());
    auto opened = again.open_directory();
    if (opened) opened = again.open_engine();
    if (!opened) {
      const std::string& why = opened.error().detail;
      return stays && !why.empty() ? "" : "does not start again: " + why;
    }
    const Verdict verdict = read_all(again, wanted);
    if (verdict == Verdict::kRight) return "";
    if (!stays) return "is not right after a start";
    if (verdict == Verdict::kWrong) return "is wrong after a start";
    return restore_unreadable(again, wanted) ? "" : "cannot be restored";
  }

  TemporaryFolder base;
  env::Runtime runtime;
  Expected expected;
};
INSTANTIATE_TEST_SUITE_P(Engines, SingleFault, ::testing::Values("rocksdb", "memory"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(SingleFault, OfEveryCallInEveryOperationIsRepairedOrReported) {  // G11
  std::printf("%s: calls that failed, right + reported\n%-14s", GetParam(), "");
  for (const Kind& kind : kinds()) std::printf(" %12s", kind.name);
  std::printf("\n");
  for (const Operation& operation : operations()) {
    std::printf("%-14s", operation.name);
    for (const Kind& kind : kinds()) {
      Outcomes outcomes;
      for (std::uint64_t nth = 1; run(kind, nth, operation, outcomes); ++nth) {
      }
      std::printf("  %4d + %4d", outcomes.right, outcomes.reported);
      for (const std::string& wrong : outcomes.wrong)
        ADD_FAILURE() << operation.name << ": " << wrong;
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  if (HasFailure()) std::printf("reproduce: %s\n", repeat_command().c_str());
}

}  // namespace
}  // namespace stator::crash
