#include "storage/testing/damage.h"

#include <algorithm>

#include "base/assert.h"

namespace stator::storage::testing {

const char* to_string(Damage damage) {
  switch (damage) {
    case Damage::kFlipped: return "flipped";
    case Damage::kZeroed: return "zeroed";
    case Damage::kAstray: return "astray";
    case Damage::kCut: return "cut";
  }
  return "unknown";
}

std::optional<std::string> damaged(const std::string& content, std::size_t block,
                                   std::size_t block_size, Damage damage) {
  const std::size_t begin = block * block_size;
  STATOR_ASSERT(begin < content.size());
  const std::size_t size = std::min(block_size, content.size() - begin);
  std::string result = content;
  switch (damage) {
    case Damage::kFlipped: result[begin + size / 2] ^= 0x10; break;
    case Damage::kZeroed: result.replace(begin, size, size, '\0'); break;
    case Damage::kAstray: {
      const bool last = begin + size == content.size();
      if (last && block == 0) return std::nullopt;
      const std::size_t from = last ? begin - block_size : begin + block_size;
      const std::size_t length = std::min(size, content.size() - from);
      result.replace(begin, length, content, from, length);
      break;
    }
    case Damage::kCut: result.resize(begin + size / 2); break;
  }
  if (result == content) return std::nullopt;
  return result;
}

}  // namespace stator::storage::testing
