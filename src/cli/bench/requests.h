#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "cli/bench/operation.h"

namespace stator::bench {

/// Appends a command as an array of bulk strings.
void append_command(std::string& out, std::initializer_list<std::string_view> words);

/// Writes operations as commands of the Redis protocol, and knows the values that this run writes:
/// random bytes, which no store can compress, or with a check a head that names run and write.
class Requests {
 public:
  /// Keys are `prefix` and the key's number. Values of at most `value_max` bytes.
  Requests(std::string prefix, std::uint32_t value_max, std::uint64_t seed);

  /// The name of a key; valid until the next call.
  [[nodiscard]] std::string_view key(std::uint64_t number);

  /// `context`: for the second half of an st.update; may be empty.
  void append(std::string& out, const Operation& operation, std::string_view context = {});

  /// The number of the write that `value` is of; 0: it is of another run.
  [[nodiscard]] std::uint64_t write_of(std::string_view value) const;
  /// Below this a value has no room for its number.
  static constexpr std::uint32_t kCheckedBytesMin = 32;

 private:
  [[nodiscard]] std::string_view value(const Operation& operation);

  std::string key_;
  std::size_t prefix_bytes_;
  std::string pool_;
  std::string checked_;  // a value with a head
  std::string run_;      // 16 hex digits, of this run alone
  SplitMix64 random_;
};

}  // namespace stator::bench
