#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace stator::storage::testing {

/// What may become of a block of a file that was written well, and stays so: what the disk gives
/// from then on (D30).
enum class Damage : std::uint8_t {
  kFlipped,  // one bit is another
  kZeroed,
  kAstray,  // it holds what belongs to the block beside it
  kCut,     // the file ends in the midst of it
};
inline constexpr std::array kEveryDamage = {Damage::kFlipped, Damage::kZeroed, Damage::kAstray,
                                            Damage::kCut};
[[nodiscard]] const char* to_string(Damage damage);

/// `content` with one of its blocks damaged. Nothing where no byte would be another, as where zeros
/// are zeroed, or a file has one block only.
[[nodiscard]] std::optional<std::string> damaged(const std::string& content, std::size_t block,
                                                 std::size_t block_size, Damage damage);

}  // namespace stator::storage::testing
