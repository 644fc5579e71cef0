#pragma once

#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace stator::node {

/// The ranges in which a write that this shard coordinated ended without the acknowledgement of
/// every owner: for an hour, reads of such a range also look at the owners that they did not need
/// (design 4.4). Read repair may have brought the owner up to date meanwhile; nobody keeps account
/// of that. One per shard, on its loop only.
class IncompleteRanges {
 public:
  static constexpr Duration kMemory = seconds(3600);

  void note(PartitionId partition, MonoTime now) {
    if (partition.value >= noted_.size()) noted_.resize(partition.value + 1);
    noted_[partition.value] = now;
  }
  [[nodiscard]] bool lately(PartitionId partition, MonoTime now) const {
    if (partition.value >= noted_.size()) return false;
    const MonoTime noted = noted_[partition.value];
    return noted.ns != 0 && now - noted < kMemory;
  }

 private:
  std::vector<MonoTime> noted_;  // by partition; 0: never
};

}  // namespace stator::node
