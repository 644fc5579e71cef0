#pragma once

#include "node/shard_context.h"
#include "wire/messages.h"

namespace stator::node {

/// Whether a request of a peer, or an answer of one, is what a sound peer sends: what our own code
/// relies on, beyond what decoding has checked. A frame that is not is counted
/// (frames_bad_total), refused, and never acted upon, so that a peer gone wrong can neither end
/// this process nor put a key where nobody looks for it. Lengths are held to the hard limits, since
/// the limits for clients are each node's own setting. The header's partition is one of the ring.
[[nodiscard]] bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
                            const wire::ReplicaPut& message);
[[nodiscard]] bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
                            const wire::ReplicaGet& message);
[[nodiscard]] bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
                            const wire::ForwardWrite& message);
[[nodiscard]] bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
                            const wire::Scan& message);
/// Its keys lie in the partition, in ring order.
[[nodiscard]] bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
                            const wire::ScanReply& message);

/// Places on the ring as SCAN counts them: the top 53 bits of positions, so that every client can
/// hold one as a number.
inline constexpr int kPlaceBits = 53;
[[nodiscard]] std::uint64_t place_of(std::string_view bucket, std::string_view key);
[[nodiscard]] std::uint64_t first_place(const ShardContext& context, PartitionId partition);

}  // namespace stator::node
