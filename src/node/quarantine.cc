#include "node/quarantine.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"

namespace stator::node {
namespace {

constexpr std::string_view kMagic = "stator unreadable record\n";
constexpr std::uint32_t kFormatVersion = 1;

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

}  // namespace

void Quarantine::keep(PartitionId partition, std::string_view storage_key, std::string_view bytes) {
  if (bytes.empty() || !disk_.create_directories(directory_)) return;
  const auto names = disk_.list(directory_);
  if (!names || names->size() >= kFilesMax) return;
  // The same damage has the same name.
  const std::uint64_t name = hash64(bytes, hash64(storage_key, partition.value));
  auto file = disk_.open(directory_ + "/" + hex(name), env::Disk::Open::kCreateNew);
  if (!file) return;
  std::string out(kMagic);
  append_u32(out, kFormatVersion);
  append_u32(out, partition.value);
  append_u32(out, static_cast<std::uint32_t>(storage_key.size()));
  out.append(storage_key).append(bytes);
  static_cast<void>((*file)->write_at(0, out));  // best effort
}

}  // namespace stator::node
