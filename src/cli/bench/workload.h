#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "cli/bench/key_chooser.h"
#include "cli/bench/operation.h"

// What the load is made of: which operations, on which keys, of which size. Pure; texts are as on
// the command line, and errors are kBadRequest with a sentence that names what is wrong.

namespace stator::bench {

/// Shares of the kinds of operation; they add up to 1.
struct Mix {
  std::array<double, kOpKinds> shares{};

  [[nodiscard]] double share(OpKind kind) const { return shares[static_cast<std::size_t>(kind)]; }
  /// `unit` from 0, below 1.
  [[nodiscard]] OpKind at(double unit) const;
};
/// "get=90,set=10": weights in any unit.
[[nodiscard]] Result<Mix> parse_mix(std::string_view text);

/// Bytes of a value: uniform from min to max.
struct ValueSizes {
  std::uint32_t min = 1024;
  std::uint32_t max = 1024;
};

class Workload {
 public:
  Workload(const Mix& mix, const KeyChooser& keys, ValueSizes sizes, std::uint64_t seed)
      : mix_(mix), keys_(keys), sizes_(sizes), random_(seed) {}

  /// Kind, key and size of the next operation.
  [[nodiscard]] Operation next();
  /// The SET with which key number `key` is filled beforehand.
  [[nodiscard]] Operation fill(std::uint64_t key);
  [[nodiscard]] SplitMix64& random() { return random_; }

 private:
  [[nodiscard]] std::uint32_t size();

  Mix mix_;
  KeyChooser keys_;
  ValueSizes sizes_;
  SplitMix64 random_;
};

}  // namespace stator::bench
