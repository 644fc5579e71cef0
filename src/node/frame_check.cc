#include "node/frame_check.h"

#include <algorithm>
#include <bit>

#include "core/ring/position.h"
#include "node/store.h"
#include "storage/record.h"

namespace stator::node {
namespace {

bool sound_key(std::string_view bucket, std::string_view key) {
  return !bucket.empty() && bucket.size() <= storage::kBucketSizeMax &&
         key.size() <= kKeyBytesHardMax;
}

bool lies_in(const ShardContext& context, const wire::FrameHeader& header, std::string_view bucket,
             std::string_view key) {
  return sound_key(bucket, key) &&
         context.topology->ring->partition_of(position_of(bucket, key)).value == header.partition;
}

}  // namespace

std::uint64_t place_of(std::string_view bucket, std::string_view key) {
  return position_of(bucket, key).high >> (64 - kPlaceBits);
}

std::uint64_t first_place(const ShardContext& context, PartitionId partition) {
  const int bits = std::countr_zero(context.topology->ring->partitions());
  return std::uint64_t{partition.value} << (kPlaceBits - bits);
}

bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
              const wire::ReplicaPut& message) {
  if (!lies_in(context, header, message.bucket, message.key)) return false;
  // A node that is no owner takes a copy only in the name of one; an owner only in its own.
  const Ring& ring = *context.topology->ring;
  const PartitionId partition{header.partition};
  const NodeId self = context.self();
  if (ring.owns(self, partition)) return !message.intended || message.intended == self;
  return message.intended && ring.owns(message.intended, partition);
}

bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
              const wire::ReplicaGet& message) {
  return lies_in(context, header, message.bucket, message.key);
}

bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
              const wire::ForwardWrite& message) {
  if (!lies_in(context, header, message.bucket, message.key)) return false;
  if (message.value.size() > kValueBytesHardMax ||
      message.content_type.size() > kContentTypeBytesMax) {
    return false;
  }
  if (!context.topology->ring->owns(context.self(), PartitionId{header.partition}) &&
      (message.flags & wire::ForwardWrite::kStandIn) == 0) {
    return false;
  }
  if (std::max({message.w, message.pw, message.dw}) > context.topology->history.founding().n) {
    return false;
  }
  // What supersedes whatever it meets is minted once, so its id has to be of that kind.
  return message.write_id &&
         (message.kind == wire::WriteKind::kPut || !message.write_id.retryable());
}

bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
              const wire::Scan& message) {
  const PartitionId partition{header.partition};
  return message.partition == header.partition && message.from >= first_place(context, partition) &&
         message.from < first_place(context, {partition.value + 1});
}

bool is_sound(const ShardContext& context, const wire::FrameHeader& header,
              const wire::ScanReply& message) {
  std::uint64_t last = 0;
  for (const wire::ScannedKey& key : message.keys) {
    if (!lies_in(context, header, key.bucket, key.key)) return false;
    const std::uint64_t place = place_of(key.bucket, key.key);
    if (place < last) return false;
    last = place;
  }
  return message.done || message.keys.empty() ||
         last + 1 < first_place(context, {header.partition + 1U});
}

}  // namespace stator::node
