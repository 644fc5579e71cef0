#include "node/hint_delivery.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/probe.h"
#include "core/version/object_codec.h"
#include "node/hint_place.h"
#include "node/shard_context.h"

namespace stator::node {
namespace {

constexpr Duration kBusyTick = milliseconds(10);  // while somebody can be delivered to
constexpr Duration kIdleTick = seconds(1);        // while hints wait for owners that are away
constexpr Duration kPatience = seconds(5);        // for one answer
constexpr Duration kPatienceRarely = milliseconds(5);
constexpr Duration kAfterFailure = seconds(1);
constexpr Duration kBetweenWalks = milliseconds(100);
constexpr Duration kAfterNothing = seconds(1);  // a walk that delivered nothing
// A scan reads whole records, perhaps from the disk, while clients wait for the loop.
constexpr storage::ScanBudget kBudget{.keys_max = 32, .bytes_max = 64 << 10};
constexpr std::uint64_t kNotOver = UINT64_MAX;
constexpr int kScansMax = 4;   // in one go, over hints of other owners
constexpr int kBeginMax = 16;  // in one go: what cannot be read or sent ends at once

class Collector final : public storage::ScanVisitor {
 public:
  Collector(NodeId owner, std::deque<std::string>& keys) : owner_(owner), keys_(keys) {}
  void visit(std::string_view key, std::string_view) override {
    const auto parsed = parse_hint_key(key);
    if (parsed && parsed->owner == owner_) keys_.emplace_back(key);
  }

 private:
  NodeId owner_;
  std::deque<std::string>& keys_;
};

}  // namespace

HintDelivery::HintDelivery(ShardContext& context)
    : context_(context), recount_(context), operations_(context.env.executor.random()) {
  context_.hints.on_first([this] { wake(); });
  recount_.start([this] { wake(); });
}

void HintDelivery::stop() {
  stopped_ = true;
  recount_.stop();
  context_.env.executor.cancel(timer_);
  timer_ = {};
}

void HintDelivery::wake() {
  if (stopped_ || !context_.hints.walked() || context_.hints.keys() == 0) return;
  if (timer_ && !resting_) return;
  context_.env.executor.cancel(timer_);
  resting_ = false;
  timer_ = context_.env.executor.after(kBusyTick, [this] { tick(); });
}

void HintDelivery::tick() {
  timer_ = {};
  give_up_late();
  std::vector<NodeId> owners;
  for (const auto& [owner, hints] : context_.hints.owners()) {
    if (hints.keys > 0 && context_.peers->fitness(owner, Purpose::kWrite) != Fitness::kUnfit) {
      owners.push_back(owner);
      continue;
    }
    Walk& walk = walks_[owner];
    walk.left_out = true;  // what comes meanwhile, behind the place where the walk goes on
    if (hints.keys > 0) {
      walk.pace.rest();
    } else {
      walk.pace.end();
    }
  }
  for (const NodeId owner : owners) advance(owner, walks_[owner]);
  if (context_.hints.keys() == 0 && operations_.open() == 0) return;  // the next hint wakes it
  resting_ = owners.empty();
  timer_ = context_.env.executor.after(resting_ ? kIdleTick : kBusyTick, [this] { tick(); });
}

void HintDelivery::give_up_late() {
  const MonoTime now = context_.now();
  operations_.for_each([&](Operation& operation) {
    if (!operation.sent || now < operation.deadline) return;
    STATOR_PROBE("hint: its owner does not answer");
    fail(operation);
  });
}

void HintDelivery::look_at_pace(NodeId owner, Walk& walk) {
  const auto& owners = context_.hints.owners();
  const auto found = owners.find(owner);
  if (found == owners.end()) return;
  const std::uint64_t backlog = BackgroundBudget::cost(found->second.keys, found->second.bytes);
  walk.pace.look(backlog, context_.background.hints_per_second(), context_.now());
}

bool HintDelivery::may_send(const Walk& walk) const {
  return context_.now() >= walk.not_before && walk.pace.may_send();
}

// What is read, sent and deleted here is work of this node, too.
void HintDelivery::pay(Walk& walk, std::uint64_t cost) {
  walk.pace.on_sent(cost);
  context_.background.note(cost);
}

void HintDelivery::advance(NodeId owner, Walk& walk) {
  look_at_pace(owner, walk);
  const bool tiny = context_.env.buggified("hint: one at a time");
  if (tiny) STATOR_PROBE("hint: one at a time");
  const std::size_t window = tiny ? 1 : kWindow;
  for (int begun = 0; begun < kBeginMax; ++begun) {
    if (walk.in_flight >= window || walk.bytes_in_flight >= kWindowBytes) return;
    if (!may_send(walk)) return;
    if (walk.queue.empty() && !refill(owner, walk)) return;
    if (walk.queue.empty()) return;  // the rest of the range another time
    std::string key = std::move(walk.queue.front());
    walk.queue.pop_front();
    deliver(owner, walk, std::move(key));
  }
}

// False: nothing can be added now.
bool HintDelivery::refill(NodeId owner, Walk& walk) {
  for (int scans = 0; scans < kScansMax && walk.queue.empty(); ++scans) {
    if (!walk.under_way || walk.range_done) {
      // What is under way belongs to the range that was walked: it is looked at anew afterwards.
      if (walk.in_flight > 0) return false;
      if (walk.under_way) end_range(owner, walk);
      if (!next_range(owner, walk)) return false;
    }
    Collector collector(owner, walk.queue);
    const auto next =
        context_.records->engine().scan(hint_partition(walk.range), walk.after, kBudget, collector);
    walk.seen += walk.queue.size();
    if (!next) {
      STATOR_PROBE("hint: a range cannot be walked to its end");
      ++context_.metrics.scans_failed_total;
      // What was met goes out. The rest is looked for the next time around: it holds up no other
      // range, and is not taken for gone.
      walk.range_failed = true;
      walk.range_done = true;
      walk.not_before = std::max(walk.not_before, context_.now() + kAfterFailure);
      return !walk.queue.empty();
    }
    walk.after = *next;
    walk.range_done = next->empty();
  }
  return true;
}

bool HintDelivery::next_range(NodeId owner, Walk& walk) {
  const auto& owners = context_.hints.owners();
  const auto found = owners.find(owner);
  if (found == owners.end() || found->second.ranges.empty()) {
    walk.under_way = false;
    return false;
  }
  const auto& ranges = found->second.ranges;
  auto at = walk.under_way ? ranges.upper_bound(walk.range) : ranges.begin();
  if (at == ranges.end()) {
    // Once around. What is left has come meanwhile, or could not be delivered.
    walk.under_way = false;
    walk.pace.on_walked(walk.left_out);
    const Duration pause = walk.delivered > 0 ? kBetweenWalks : kAfterNothing;
    walk.not_before = std::max(walk.not_before, context_.now() + pause);
    walk.delivered = 0;
    return false;
  }
  if (!walk.under_way) walk.left_out = false;
  walk.under_way = true;
  walk.range = at->first;
  walk.range_done = false;
  walk.range_failed = false;
  walk.seen = 0;
  walk.batch = context_.records->over(at->second.batch) ? at->second.batch : kNotOver;
  walk.after.clear();
  if (context_.records->engine().capabilities().ordered_scan) {
    append_hint_key(owner, {}, walk.after);  // stands before all of its hints
  }
  return true;
}

void HintDelivery::end_range(NodeId owner, Walk& walk) {
  if (walk.seen > 0 || walk.range_failed || walk.batch == kNotOver) return;
  const auto& ranges = context_.hints.owners().at(owner).ranges;
  const auto at = ranges.find(walk.range);
  if (at != ranges.end() && at->second.batch == walk.batch) {
    STATOR_PROBE("hint: counted, and not there");
    context_.hints.correct(walk.range, owner);
  }
}

void HintDelivery::deliver(NodeId owner, Walk& walk, std::string key) {
  Operation* operation = operations_.acquire(OperationTable<Operation>::kSlotsMax);
  if (operation == nullptr) {
    walk.left_out = true;
    return;
  }
  operation->owner = owner;
  operation->range = walk.range;
  operation->key = std::move(key);
  operation->bytes = 0;
  operation->sent = false;
  ++walk.in_flight;
  pay(walk, BackgroundBudget::cost(1, 0));
  load(*operation, &HintDelivery::send);
}

void HintDelivery::load(const Operation& operation,
                        void (HintDelivery::*use)(Operation&, const RecordStore::Loaded&)) {
  context_.records->load(hint_partition(operation.range), operation.key,
                         [this, use, slot = operation.slot,
                          generation = operation.generation](const RecordStore::Loaded& loaded) {
                           Operation* waiting = operations_.find(slot, generation);
                           if (waiting != nullptr && !stopped_) (this->*use)(*waiting, loaded);
                         });
}

void HintDelivery::send(Operation& operation, const RecordStore::Loaded& loaded) {
  Object object;
  const auto place = parse_hint_key(operation.key);
  const auto key = storage::parse_storage_key(place->storage_key);
  if (loaded.status != RecordStore::Status::kFound || !key ||
      !decode_object(loaded.payload, object)) {
    STATOR_PROBE("hint: gone or damaged before it is sent");
    // Delivered meanwhile; or damaged, and kept: it is never taken for delivered (D30). No failure:
    // nothing is gained by hurrying it.
    return release(operation);
  }
  operation.digest = digest(object);
  operation.bytes = loaded.payload.size();
  Walk& walk = walks_[operation.owner];
  walk.bytes_in_flight += operation.bytes;
  pay(walk, BackgroundBudget::cost(0, operation.bytes));
  operation.sent_at = context_.now();
  const bool hasty = context_.env.buggified("hint: given up early");
  if (hasty) STATOR_PROBE("hint: given up early");
  operation.deadline = operation.sent_at + (hasty ? kPatienceRarely : kPatience);
  const RequestId id{
      .kind = RequestKind::kHint, .slot = operation.slot, .generation = operation.generation};
  wire::ReplicaPut message;
  message.bucket = key->bucket;
  message.key = key->key;
  message.object = loaded.payload;
  message.durability = wire::Durability::kDurable;
  message.repair = true;
  message.pace = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      walk.pace.least_per_second(), std::numeric_limits<std::uint32_t>::max()));
  operation.sent = context_.peers->send(operation.owner, context_.request_id(id),
                                        operation.deadline, operation.range, message);
  if (!operation.sent) fail(operation);
}

// The owner has what was sent: is that still all that is kept for it?
void HintDelivery::check(Operation& operation, const RecordStore::Loaded& loaded) {
  Object object;
  if (loaded.status != RecordStore::Status::kFound || !decode_object(loaded.payload, object)) {
    return release(operation);
  }
  if (digest(object) != operation.digest) {
    STATOR_PROBE("hint: changed while it was delivered");
    return send_again(operation);
  }
  erase(operation, object, loaded.payload.size());
  ++context_.metrics.hints_delivered_total;
  ++walks_[operation.owner].delivered;
  release(operation);
}

void HintDelivery::erase(const Operation& operation, const Object& object, std::size_t bytes) {
  if (Observer* const observer = context_.options.observer; observer != nullptr) {
    const auto hint = parse_hint_key(operation.key);
    const auto key = storage::parse_storage_key(hint->storage_key);
    observer->on_hint_gone(context_.self(), operation.owner, key->bucket, key->key, object);
  }
  const PartitionId place = hint_partition(operation.range);
  const auto size = static_cast<std::uint32_t>(bytes);
  context_.records->erase(
      place, operation.key,
      [&context = context_, place, size, key = operation.key](const Result<void>& erased) {
        // Still there, as far as is known: it is delivered once more.
        if (erased) return;
        context.hints.stored(place, key, 0, size, {.wall = context.guarded_now()});
      });
  context_.hints.delivered(operation.range, operation.owner, bytes, context_.now());
}

void HintDelivery::send_again(Operation& operation) {
  const NodeId owner = operation.owner;
  Walk& walk = walks_[owner];
  std::string key = operation.key;
  const bool walking = walk.under_way && walk.range == operation.range;
  release(operation);
  if (!walking) return;  // the next walk meets it
  if (may_send(walk)) {
    deliver(owner, walk, std::move(key));
  } else {
    walk.queue.push_front(std::move(key));
  }
}

void HintDelivery::release(Operation& operation) {
  Walk& walk = walks_[operation.owner];
  STATOR_ASSERT(walk.in_flight > 0);
  --walk.in_flight;
  walk.bytes_in_flight -= operation.bytes;
  operation.sent = false;
  recycle(operation.key);
  operations_.release(operation);
}

void HintDelivery::fail(Operation& operation) {
  Walk& walk = walks_[operation.owner];
  walk.left_out = true;
  walk.not_before = std::max(walk.not_before, context_.now() + kAfterFailure);
  release(operation);
}

HintDelivery::Operation* HintDelivery::find(const wire::FrameHeader& header) {
  const RequestId id = RequestId::unpack(header.request_id);
  Operation* operation = operations_.find(id.slot, id.generation);
  const bool waits = operation != nullptr && !stopped_ && operation->sent;
  return waits && operation->owner == header.sender ? operation : nullptr;
}

void HintDelivery::on_reply(const wire::FrameHeader& header, const wire::ReplicaPutReply& reply) {
  Operation* operation = find(header);
  if (operation == nullptr) return;
  const NodeId owner = operation->owner;
  context_.peers->on_answer(owner, AnswerKind::kWrite, context_.now() - operation->sent_at);
  // Asked for a synced merge, it says yes when it is as durable as its engine can make it.
  if (reply.status == wire::ReplyStatus::kFailed) {
    STATOR_PROBE("hint: its owner cannot take it");
    context_.peers->on_refused(owner, reply.code);
    fail(*operation);
    return;
  }
  Walk& walk = walks_[owner];
  walk.not_before = std::max(walk.not_before, context_.now() + microseconds(reply.pause_us));
  operation->sent = false;  // an answer that comes twice finds nobody waiting
  load(*operation, &HintDelivery::check);
  advance(owner, walk);
}

void HintDelivery::on_refusal(const wire::FrameHeader& header, ErrorCode code) {
  Operation* operation = find(header);
  if (operation == nullptr) return;
  context_.peers->on_refused(header.sender, code);
  fail(*operation);
}

void HintDelivery::on_peer_down(NodeId peer) {
  operations_.for_each([&](Operation& operation) {
    if (!operation.sent || operation.owner != peer) return;
    STATOR_PROBE("hint: the link breaks while it is delivered");
    release(operation);
  });
  const auto walk = walks_.find(peer);
  if (walk == walks_.end()) return;
  walk->second.queue.clear();
  walk->second.under_way = false;
}

}  // namespace stator::node
