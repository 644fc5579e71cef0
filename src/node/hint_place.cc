#include "node/hint_place.h"

#include "base/bytes.h"

namespace stator::node {
namespace {

constexpr std::size_t kOwnerBytes = 8;

}  // namespace

void append_hint_key(NodeId owner, std::string_view storage_key, std::string& out) {
  // High byte first, so that one owner's hints stand together where an engine keeps an order.
  for (int shift = 56; shift >= 0; shift -= 8) {
    append_u8(out, static_cast<std::uint8_t>(owner.value >> shift));
  }
  out.append(storage_key);
}

std::optional<HintKey> parse_hint_key(std::string_view bytes) {
  if (bytes.size() <= kOwnerBytes) return std::nullopt;
  HintKey key;
  for (const char byte : bytes.substr(0, kOwnerBytes)) {
    key.owner.value = (key.owner.value << 8) | static_cast<std::uint8_t>(byte);
  }
  key.storage_key = bytes.substr(kOwnerBytes);
  return key;
}

}  // namespace stator::node
