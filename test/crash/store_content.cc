#include "store_content.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace stator::crash {
namespace {

Verdict judge(const Expected& wanted, const std::string& key, const Machine::Answer& answer) {
  if (answer.status == storage::GetStatus::kUnreadable) return Verdict::kReported;
  std::optional<std::string> found;
  if (answer.status == storage::GetStatus::kFound) found = answer.value;
  const auto allowed = wanted.find(key);
  if (allowed == wanted.end()) return found ? Verdict::kWrong : Verdict::kRight;
  return std::ranges::find(allowed->second, found) != allowed->second.end() ? Verdict::kRight
                                                                            : Verdict::kWrong;
}

}  // namespace

std::string key_of(int number) {
  return "key" + std::to_string(1000 + number);
}

// Of bytes that no compression makes fewer, so that tables have blocks, too.
std::string value_of(int number) {
  SplitMix64 random(static_cast<std::uint64_t>(number) + 1);
  std::string value = std::to_string(number) + ":";
  while (value.size() < 700) value += static_cast<char>(random.below(256));
  return value;
}

Expected fill(env::Runtime& runtime, const std::filesystem::path& data, const std::string& engine) {
  Machine machine(runtime, data.string(), engine);
  Expected expected;
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
  return expected;
}

Verdict read_one(Machine& machine, const Expected& wanted, int key) {
  return judge(wanted, key_of(key), machine.get(kPlace, key_of(key)));
}

Verdict read_all(Machine& machine, const Expected& wanted) {
  Verdict worst = Verdict::kRight;
  for (const auto& [key, values] : wanted) {
    worst = std::max(worst, judge(wanted, key, machine.get(kPlace, key)));
  }
  for (int key = 0; key < kKeys + 2; ++key) {
    worst = std::max(worst, read_one(machine, wanted, key));
  }
  return worst;
}

Verdict scan_all(Machine& machine, const Expected& wanted) {
  const auto found = machine.scan(1);
  if (!found) return Verdict::kReported;
  std::map<std::string, std::string> right;
  for (const auto& [key, values] : wanted) {
    if (values.at(0)) right[key] = *values.at(0);
  }
  return *found == right ? Verdict::kRight : Verdict::kWrong;
}

bool restore_unreadable(Machine& machine, const Expected& wanted) {
  for (const auto& [key, values] : wanted) {
    if (machine.get(kPlace, key).status != storage::GetStatus::kUnreadable) continue;
    storage::WriteBatch batch;
    if (values.at(0)) {
      batch.put(kPlace, key, *values.at(0));
    } else {
      batch.erase(kPlace, key);
    }
    if (!machine.submit(batch, true)) return false;
  }
  return std::ranges::all_of(wanted, [&](const auto& one) {
    return judge(wanted, one.first, machine.get(kPlace, one.first)) == Verdict::kRight;
  });
}

}  // namespace stator::crash
