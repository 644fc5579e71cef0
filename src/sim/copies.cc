#include "sim/copies.h"

#include <string>

#include "base/assert.h"
#include "core/version/object_codec.h"
#include "node/topology.h"
#include "sim/server.h"
#include "storage/record.h"

namespace stator::sim {

Copies::Copies(World& world, std::span<const std::uint32_t> hosts, const Founding& founding)
    : world_(world),
      hosts_(hosts.begin(), hosts.end()),
      ring_(node::make_topology(History::found(founding), {})->ring) {
  for (const Member& member : founding.founders) {
    for (NodeNumber number = 1; number <= hosts_.size(); ++number) {
      if (world_.host(hosts_[number - 1]).name() == member.name) numbers_[member.id] = number;
    }
  }
  STATOR_ASSERT(numbers_.size() == hosts_.size());
}

NodeNumber Copies::number_of(NodeId node) const {
  return numbers_.at(node);
}

std::vector<NodeNumber> Copies::owners(std::string_view bucket, std::string_view key) const {
  std::vector<NodeNumber> numbers;
  for (const NodeId owner : ring_->owners(partition_of(bucket, key))) {
    numbers.push_back(number_of(owner));
  }
  return numbers;
}

PartitionId Copies::partition_of(std::string_view bucket, std::string_view key) const {
  return ring_->partition_of(position_of(bucket, key));
}

std::optional<SeenIds> Copies::at(NodeNumber owner, std::string_view bucket, std::string_view key) {
  const PartitionId partition = partition_of(bucket, key);
  node::Shard* const shard = shard_at(world_.host(hosts_.at(owner - 1)), partition);
  if (shard == nullptr) return std::nullopt;
  std::string storage_key;
  storage::append_storage_key(bucket, key, storage_key);
  std::string room;
  std::string_view record;
  const storage::GetStatus status = shard->engine().get(
      partition, storage_key, room, record, [](storage::GetStatus, std::string_view) {});
  if (status == storage::GetStatus::kMissing) return SeenIds();
  storage::RecordHeader header;
  std::string_view payload;
  Object object;
  if (status != storage::GetStatus::kFound ||
      !storage::open_record(partition, storage_key, record, header, payload) ||
      !decode_object(payload, object)) {
    return std::nullopt;
  }
  SeenIds versions;
  for (const Version& version : object.versions) versions.push_back(version.write_id);
  return versions;
}

void note_copies(Copies& copies, OperationLog& log) {
  for (std::uint32_t i = 0; i < log.keys().size(); ++i) {
    KeyLog& key = log.key(i);
    for (const NodeNumber owner : copies.owners(key.bucket, key.key)) {
      const auto held = copies.at(owner, key.bucket, key.key);
      if (!held) continue;
      key.copies.push_back({.owner = owner, .versions = *held});
      // Of owners that were away when a hint for them went.
      for (HintGone& hint : key.hints_gone) {
        if (hint.owner != owner || hint.held_known) continue;
        hint.held = *held;
        hint.held_known = true;
      }
    }
  }
}

}  // namespace stator::sim
