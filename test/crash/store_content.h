#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "machine.h"

// What the tests of faulty disks keep in a store, and how they judge what it then says.

namespace stator::crash {

inline constexpr PartitionId kPlace{0};
inline constexpr int kKeys = 60;

[[nodiscard]] std::string key_of(int number);
[[nodiscard]] std::string value_of(int number);

/// The later, the worse.
enum class Verdict : std::uint8_t { kRight, kReported, kWrong };

/// What stands under each key by all that was acknowledged; two where the outcome is unknown.
using Expected = std::map<std::string, std::vector<std::optional<std::string>>>;

/// Makes a store with kKeys keys, half of them in RocksDB's tables, half in its log, and stops it.
[[nodiscard]] Expected fill(env::Runtime& runtime, const std::filesystem::path& data,
                            const std::string& engine);

[[nodiscard]] Verdict read_one(Machine& machine, const Expected& wanted, int key);
/// The worst of all keys, and of some that are not there.
[[nodiscard]] Verdict read_all(Machine& machine, const Expected& wanted);
[[nodiscard]] Verdict scan_all(Machine& machine, const Expected& wanted);

/// Writes anew what cannot be read, as a node does that has heard the other owners (D30). True if
/// all of `wanted` is right then; of keys that never were nobody can say more.
[[nodiscard]] bool restore_unreadable(Machine& machine, const Expected& wanted);

}  // namespace stator::crash
