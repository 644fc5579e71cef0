#include "limit/node.h"

namespace stator::limit {

void Node::read_frames(Connection& peer) {
  Frame frame;
  while (parse_frame(peer.in.view(), frame)) {
    handle_frame(peer, frame);
    peer.in.consume(frame.header.frame_size());
  }
}

void Node::handle_frame(Connection& peer, const Frame& frame) {
  FrameHeader reply = frame.header;  // slot and generation go back unchanged
  const OperationId id{frame.header.slot, frame.header.generation};
  switch (frame.header.type) {
    case FrameType::kPut:
      ++counters_.replica_puts;
      Store::merge(store_.at(frame.key), frame.header.version, frame.value);
      if (options_.durability != Durability::kMemory) {
        const std::uint64_t sequence = log_->append(frame.header.version, frame.key, frame.value);
        log_waiters_.push({sequence, &peer, id});
        return;
      }
      reply.type = FrameType::kPutAck;
      append_frame(peer.out, reply);
      return mark_dirty(peer);
    case FrameType::kGetDigest:
      ++counters_.replica_gets;
      reply.type = FrameType::kDigest;
      reply.version = store_.at(frame.key).version;
      append_frame(peer.out, reply);
      return mark_dirty(peer);
    case FrameType::kGetFull: {
      ++counters_.replica_gets;
      const Record& record = store_.at(frame.key);
      reply.type = FrameType::kFull;
      reply.version = record.version;
      append_frame(peer.out, reply, {}, record.value);
      return mark_dirty(peer);
    }
    case FrameType::kPutAck: return count_copy(id);
    case FrameType::kDigest: return compare_digest(peer, frame.header);
    case FrameType::kFull: {
      Operation* operation = operations_.find(id);
      if (operation == nullptr || operation->done) return;
      Store::merge(*operation->record, frame.header.version, frame.value);
      return finish(*operation);
    }
    case FrameType::kHello: break;
  }
  STATOR_ASSERT(false && "a peer of another build");
}

// The value is fetched only where a peer has a newer one than this node.
void Node::compare_digest(Connection& peer, const FrameHeader& digest) {
  Operation* operation = operations_.find({digest.slot, digest.generation});
  if (operation == nullptr || operation->done || operation->fetching) return;
  if (digest.version <= operation->record->version) return finish(*operation);
  operation->fetching = true;
  ++counters_.digest_misses;
  FrameHeader get;
  get.type = FrameType::kGetFull;
  get.slot = digest.slot;
  get.generation = digest.generation;
  append_frame(peer.out, get, operation->record->key);
  mark_dirty(peer);
}

// Acknowledges what the log has made durable, in the order of the log.
void Node::release_logged() {
  const std::uint64_t stable = log_->stable();
  while (!log_waiters_.empty() && log_waiters_.front().sequence <= stable) {
    const LogWaiter waiter = log_waiters_.front();
    log_waiters_.pop();
    if (waiter.peer == nullptr) {
      count_copy(waiter.operation);
      continue;
    }
    FrameHeader acknowledgement;
    acknowledgement.type = FrameType::kPutAck;
    acknowledgement.slot = waiter.operation.slot;
    acknowledgement.generation = waiter.operation.generation;
    append_frame(waiter.peer->out, acknowledgement);
    mark_dirty(*waiter.peer);
  }
}

}  // namespace stator::limit
