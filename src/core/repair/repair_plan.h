#pragma once

#include <cstdint>
#include <span>

#include "core/quorum/candidates.h"
#include "core/quorum/read_round.h"
#include "core/quorum/write_round.h"
#include "core/version/object.h"

// Which replica needs what, after a read or a write has been answered (paper 5 "read repair",
// design 4.4). What is sent is always the whole merged object, never a single version. Reading
// equal versions never writes (D20, I13). Stand-ins are left out: what they keep is delivered to
// its owner, and they keep nothing for themselves. Pure; any thread.

namespace stator {

/// What is known of one replica's knowledge of a key.
struct ReplicaKnowledge {
  enum class Kind : std::uint8_t {
    kUnknown,  // not asked, silent, failed: nothing is sent, since nothing is known to be missing
    kDigest,   // holds what `digest` names; 0: nothing
    kUnreadable,  // holds a damaged record
  };
  Kind kind = Kind::kUnknown;
  std::uint64_t digest = 0;
};

struct RepairPlan {
  /// Send the whole merged object to these; the local one, if in it, stores it. A replica that
  /// knows more than the merged object answers with what it has.
  ReplicaSet send;
  [[nodiscard]] bool empty() const { return send.empty(); }
};

/// Every replica whose knowledge differs from the merged object of `merged_digest`; nothing at all
/// when that is 0, since an empty object teaches nobody.
[[nodiscard]] RepairPlan plan_repair(std::span<const ReplicaKnowledge> replicas,
                                     std::uint64_t merged_digest);

/// After a finished read.
[[nodiscard]] RepairPlan plan_repair(const ReadRound& round);

/// After a read of which unreadable() is not empty: whether its merged object may take the place of
/// those records (D30). Any write that was acknowledged by `w` owners, the damaged one among them,
/// has to be in it: so many others were heard, or every owner has spoken.
[[nodiscard]] bool may_restore(const ReadRound& round, std::uint8_t w);

/// After a finished write: `merged_digest` is that of the local object after merging what the
/// differing acknowledgements brought. Replicas that did not answer are left to hints and reads.
[[nodiscard]] RepairPlan plan_repair(const WriteRound& round, std::uint64_t merged_digest);

/// Whether `replica` would learn something from `merged`: the exact question behind the digests,
/// for whoever has both objects (explain, anti-entropy).
[[nodiscard]] bool needs(const Object& replica, const Object& merged);

}  // namespace stator
