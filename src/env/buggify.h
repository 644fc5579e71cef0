#pragma once

#include <cstdint>
#include <string_view>

namespace stator::env {

/// A place in the program where it may take a rare way of its own accord: refuse although it has
/// room, wait although it need not, try again although all is well. Whatever it does there must be
/// right, only rare. Named so that a run can have some of them and not others; the names are found
/// with `grep -rn buggified src`.
struct BuggifyPoint {
  consteval BuggifyPoint(const char* text) {  // NOLINT(google-explicit-constructor): a literal
    for (const char letter : std::string_view(text)) {
      hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3ULL;
    }
  }
  std::uint64_t hash = 0xCBF29CE484222325ULL;
};

/// Who decides that, for one shard: the simulator. In production there is none (env.h). The idea is
/// FoundationDB's (Zhou et al., SIGMOD 2021).
class Buggify {
 public:
  virtual ~Buggify() = default;
  [[nodiscard]] virtual bool strikes(BuggifyPoint point) = 0;
};

}  // namespace stator::env
