#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "core/version/context.h"
#include "core/version/object.h"
#include "storage/record.h"

namespace stator::node {

/// Makes fresh dots (design 4.2, D1). The incarnation is this process's; counters rise within a
/// partition and are never read back from disk. A life begins where the local record carries no
/// life of this incarnation, and the record's header remembers it: a record that was lost and
/// refilled by others comes without, so that its next mint begins a new life. One per shard, for
/// its partitions.
class Mint {
 public:
  Mint(Incarnation incarnation, std::uint32_t partitions)
      : incarnation_(incarnation), counters_(partitions, 0) {}

  /// The dot for a write on the key whose local record is `object` with `header` (all zero: no
  /// record), by a writer that knows `context`; notes the life that it belongs to in `header`.
  [[nodiscard]] Dot next(PartitionId partition, const Object& object, const Context& context,
                         storage::RecordHeader& header) {
    const bool alive = header.own_incarnation == incarnation_;
    const Actor life{incarnation_, alive ? header.own_life : 0};
    const Dot dot = choose_dot(object, context, life, ++counters_[partition.value]);
    header.own_incarnation = incarnation_;
    header.own_life = dot.actor.life;
    return dot;
  }
  [[nodiscard]] Incarnation incarnation() const { return incarnation_; }

 private:
  Incarnation incarnation_;
  std::vector<std::uint64_t> counters_;
};

}  // namespace stator::node
