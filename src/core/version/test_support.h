#pragma once

#include <string>
#include <vector>

#include "core/version/context.h"
#include "core/version/object.h"

// Short names for the objects that tests of this folder build by hand.

namespace stator::testing {

inline constexpr WallTime kNow{1'800'000'000'000'000};

inline Actor actor(std::uint64_t incarnation, std::uint64_t life = 1) {
  return {{incarnation}, life};
}
inline Dot dot(std::uint64_t incarnation, std::uint64_t counter) {
  return {actor(incarnation), counter};
}
/// The id of a write that a client may retry anywhere.
inline WriteId retryable_id(std::uint64_t number) {
  return WriteId::make(static_cast<std::uint64_t>(kNow.ms()), WriteId::kRetryable, number >> 8,
                       number);
}
/// The id of a write that a node sends to one minting node.
inline WriteId once_id(std::uint64_t number) {
  return WriteId::make(static_cast<std::uint64_t>(kNow.ms()), WriteId::kMintedOnce, number >> 8,
                       number);
}
inline Write write(WriteId id, std::string_view value = "v") {
  return {.id = id, .time = {id.low & 0xFF}, .value = value};
}
inline Context context_of(const Object& object) {
  Context context;
  make_context(object, {}, context);
  return context;
}
inline Object merged(Object a, const Object& b) {
  merge(a, b);
  return a;
}
/// The values of the live versions, in the order of their dots.
inline std::vector<std::string> values(const Object& object) {
  std::vector<std::string> all;
  for (const Version& version : object.versions) all.emplace_back(version.value);
  return all;
}

}  // namespace stator::testing
