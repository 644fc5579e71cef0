#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace stator::node {

/// Where a copy for somebody else stands (paper 4.6: hinted replicas live in a separate local
/// database): a record of its own in the same engine, in a partition that belongs to hints alone,
/// under a key that names the owner. So the record's checksum covers whom it is for, and a range's
/// hints are walked and dropped like a range (docs/format/record.md). Pure functions.
inline constexpr std::uint32_t kFirstHintPartition = 32768;

/// The partition of the hints of `partition`, a range of the ring. Both belong to the shard of the
/// latter.
[[nodiscard]] constexpr PartitionId hint_partition(PartitionId partition) {
  return {kFirstHintPartition + partition.value};
}
[[nodiscard]] constexpr bool is_hint_partition(PartitionId partition) {
  return partition.value >= kFirstHintPartition;
}
/// The range whose hints these are.
[[nodiscard]] constexpr PartitionId range_of_hints(PartitionId partition) {
  return {partition.value - kFirstHintPartition};
}

/// Appends the engine's key of what is kept for `owner` under `storage_key` (append_storage_key).
void append_hint_key(NodeId owner, std::string_view storage_key, std::string& out);

struct HintKey {
  NodeId owner{};
  std::string_view storage_key;  // a view into what was parsed
};
/// Nothing when `bytes` is no hint's key.
[[nodiscard]] std::optional<HintKey> parse_hint_key(std::string_view bytes);

}  // namespace stator::node
