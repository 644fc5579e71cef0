#include "base/hash_long.h"

#include <xxh_x86dispatch.h>

namespace stator {

std::uint64_t hash64_long(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed_dispatch(bytes.data(), bytes.size(), seed);
}

}  // namespace stator
