#include "node/scanner.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "base/probe.h"
#include "core/version/object_codec.h"
#include "node/frame_check.h"

namespace stator::node {
namespace {

constexpr std::size_t kLocalWalksMax = 64;
constexpr std::size_t kWalksMax = 256;
constexpr std::uint32_t kPartitionsPerCall = 256;
constexpr std::size_t kKeysPerAnswerMin = 100;
constexpr std::size_t kKeysPerAnswerMax = 10'000;
constexpr storage::ScanBudget kStep{.keys_max = 512, .bytes_max = 1 << 20};

/// Calls `visit` with each readable record of a step, and counts the others, which are then
/// restored.
template <typename Visit>
class RecordVisitor final : public storage::ScanVisitor {
 public:
  RecordVisitor(ShardContext& context, PartitionId partition, Visit visit)
      : context_(context), partition_(partition), visit_(std::move(visit)) {}
  void visit(std::string_view storage_key, std::string_view record) override {
    const auto key = storage::parse_storage_key(storage_key);
    storage::RecordHeader header;
    std::string_view payload;
    if (key && storage::open_record(partition_, storage_key, record, header, payload) &&
        decode_object(payload, object_)) {
      visit_(*key, object_);
      return;
    }
    STATOR_PROBE("scan: a record cannot be read");
    ++unreadable_;
    ++context_.metrics.records_unreadable_total;
    if (key) context_.restore(partition_, storage_key);
  }
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

 private:
  ShardContext& context_;
  PartitionId partition_;
  Visit visit_;
  Object object_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace

// The own engine.

void Scanner::walk_local(PartitionId partition, std::uint64_t from, std::size_t keys_max,
                         Callback<void(LocalWalk&)> done) {
  LocalWalk* walk = closed_ ? nullptr : local_walks_.acquire(kLocalWalksMax);
  if (walk == nullptr) {
    LocalWalk refused;
    refused.cut = true;
    refused.keys_max = 0;
    done(refused);
    return;
  }
  walk->partition = partition;
  walk->from = from;
  walk->keys_max = keys_max;
  if (context_.env.buggified("scan: one key at a time")) {
    STATOR_PROBE("scan: one key at a time");
    walk->keys_max = 1;
  }
  walk->after.clear();
  walk->found.clear();
  walk->cut = false;
  walk->why = ErrorCode::kOverloaded;
  walk->done = std::move(done);
  step_local(walk->slot, walk->generation);
}

void Scanner::step_local(std::uint32_t slot, std::uint32_t generation) {
  LocalWalk* walk = local_walks_.find(slot, generation);
  if (walk == nullptr) return;
  const auto take_in = [&](const storage::StorageKey& key, const Object& object) {
    const std::uint64_t place = place_of(key.bucket, key.key);
    const Version* latest = object.latest();
    if (place < walk->from || latest == nullptr) return;
    walk->found.push_back({place, std::string(key.bucket), std::string(key.key), latest->time,
                           latest->event(), latest->expires_at, latest->tombstone});
  };
  RecordVisitor visitor(context_, walk->partition, take_in);
  auto next = context_.records->engine().scan(walk->partition, walk->after, kStep, visitor);
  const auto by_place = [](const Found& a, const Found& b) { return a.place < b.place; };
  // What cannot be read is not "not there" (D30): another owner has to say.
  const bool failed = !next || visitor.unreadable() > 0;
  const bool end = failed || !next || next->empty();
  if (end || walk->found.size() > 2 * walk->keys_max + kStep.keys_max) {
    std::sort(walk->found.begin(), walk->found.end(), by_place);
    if (walk->found.size() > walk->keys_max) {
      // Keys of one place stay together.
      std::size_t keep = walk->keys_max;
      while (keep < walk->found.size() && walk->found[keep].place == walk->found[keep - 1].place)
        ++keep;
      if (keep < walk->found.size()) walk->cut = true;
      walk->found.resize(keep);
    }
  }
  if (!end) {
    walk->after = std::move(*next);
    context_.env.executor.post([this, slot, generation] { step_local(slot, generation); });
    return;
  }
  if (failed) refuse_local(*walk, next);
  auto done = std::exchange(walk->done, nullptr);
  done(*walk);
  walk->found.clear();
  local_walks_.release(*walk);
}

void Scanner::refuse_local(LocalWalk& walk, const Result<std::string>& next) {
  walk.keys_max = 0;
  walk.why = next ? ErrorCode::kUnreadable : next.error().code;
  if (next) return;
  STATOR_PROBE("scan: the engine cannot go on");
  ++context_.metrics.scans_failed_total;
}

void Scanner::on_scan(const wire::FrameHeader& header, const wire::Scan& message) {
  const std::size_t keys_max =
      std::clamp<std::size_t>(message.keys_max, kKeysPerAnswerMin, kKeysPerAnswerMax);
  walk_local(PartitionId{message.partition}, message.from, keys_max,
             [this, to = header.sender, id = header.request_id](LocalWalk& walk) {
               if (walk.keys_max == 0) {
                 wire::Refusal refusal;
                 refusal.code = closed_ ? ErrorCode::kClosed : walk.why;
                 context_.peers->send(to, id, {}, walk.partition, refusal);
                 return;
               }
               wire::ScanReply reply;
               for (const Found& found : walk.found) {
                 reply.keys.push_back({found.bucket, found.key, found.time, found.event,
                                       found.expires_at, found.tombstone});
               }
               reply.done = !walk.cut;
               context_.peers->send(to, id, {}, walk.partition, reply);
             });
}

// The walk over the cluster.

void Scanner::scan(const ScanRequest& request, ScanDone done) {
  const auto refuse = [&](ErrorCode code, std::string detail) {
    done(std::unexpected(Error{.code = code, .detail = std::move(detail)}));
  };
  if (closed_) return refuse(ErrorCode::kClosed, {});
  if (!context_.topology->member) return refuse(ErrorCode::kNotMember, {});
  if (request.cursor >> kPlaceBits != 0) return refuse(ErrorCode::kBadRequest, "invalid cursor");
  Walk* walk = walks_.acquire(kWalksMax);
  if (walk == nullptr) return refuse(ErrorCode::kOverloaded, {});
  walk->cursor = request.cursor;
  walk->count = std::max<std::uint32_t>(request.count, 1);
  walk->partitions_left = kPartitionsPerCall;
  walk->deadline = deadline_of(context_, {});
  walk->result.clear();
  walk->done = std::move(done);
  begin_partition(*walk);
}

void Scanner::begin_partition(Walk& walk) {
  const int bits = std::countr_zero(context_.topology->ring->partitions());
  walk.partition = {static_cast<std::uint32_t>(walk.cursor >> (kPlaceBits - bits))};
  owners_as_candidates(context_, walk.partition, walk.candidates);
  walk.asked = 0;
  walk.needed = std::min<std::uint8_t>(context_.topology->history.founding().r,
                                       static_cast<std::uint8_t>(walk.candidates.list.size()));
  walk.waiting.clear();
  walk.answers = 0;
  walk.bound = UINT64_MAX;
  walk.all_done = true;
  walk.found.clear();
  ask_more(walk);
}

void Scanner::ask_more(Walk& walk) {
  const std::uint32_t slot = walk.slot;
  const std::uint32_t generation = walk.generation;
  const std::size_t keys_max =
      std::clamp<std::size_t>(walk.count, kKeysPerAnswerMin, kKeysPerAnswerMax);
  while (walk.answers + walk.waiting.size() < walk.needed) {
    if (walk.asked == walk.candidates.list.size()) {
      STATOR_PROBE("scan: no owner is left to ask");
      if (walk.waiting.empty()) fail(walk, ErrorCode::kTooFewNodes);
      return;
    }
    const NodeId node = walk.candidates.list[walk.asked++].node;
    if (node != context_.self()) {
      wire::Scan message;
      message.partition = walk.partition.value;
      message.from = walk.cursor;
      message.keys_max = static_cast<std::uint32_t>(keys_max);
      const RequestId id{.kind = RequestKind::kScan, .slot = slot, .generation = generation};
      if (context_.peers->send(node, context_.request_id(id), walk.deadline, walk.partition,
                               message)) {
        walk.waiting.push_back(node);
      }
      continue;
    }
    walk.waiting.push_back(node);
    walk_own(walk, keys_max);
    if (walks_.find(slot, generation) == nullptr) return;
  }
}

bool Scanner::mine(PartitionId partition) const {
  return partition.value % context_.env.executor.shard_count() == context_.env.executor.shard();
}

void Scanner::walk_own(Walk& walk, std::size_t keys_max) {
  const std::uint32_t slot = walk.slot;
  const std::uint32_t generation = walk.generation;
  const PartitionId partition = walk.partition;
  if (mine(partition)) {
    walk_local(partition, walk.cursor, keys_max, [this, slot, generation](LocalWalk& local) {
      on_own(slot, generation, local.partition, local.keys_max == 0, std::move(local.found),
             !local.cut);
    });
    return;
  }
  struct Errand {
    Scanner& home;
    std::uint32_t slot;
    std::uint32_t generation;
    std::uint64_t from;
    std::size_t keys_max;
    bool refused = false;
    bool done = false;
    std::vector<Found> found;
  };
  auto errand = std::make_unique<Errand>(*this, slot, generation, walk.cursor, keys_max);
  const unsigned there = partition.value % context_.env.executor.shard_count();
  context_.env.executor.post_to(
      there, [&other = sibling_(there), partition, errand = std::move(errand)]() mutable {
        const std::uint64_t from = errand->from;
        const std::size_t keys = errand->keys_max;
        other.walk_local(
            partition, from, keys, [&other, errand = std::move(errand)](LocalWalk& local) mutable {
              errand->refused = local.keys_max == 0;
              errand->done = !local.cut;
              errand->found = std::move(local.found);
              const unsigned home = errand->home.context_.env.executor.shard();
              other.context_.env.executor.post_to(
                  home, [partition = local.partition, errand = std::move(errand)] {
                    errand->home.on_own(errand->slot, errand->generation, partition,
                                        errand->refused, std::move(errand->found), errand->done);
                  });
            });
      });
}

void Scanner::on_own(std::uint32_t slot, std::uint32_t generation, PartitionId partition,
                     bool refused, std::vector<Found>&& found, bool done) {
  Walk* walk = walks_.find(slot, generation);
  if (walk == nullptr || walk->partition != partition) return;
  if (std::erase(walk->waiting, context_.self()) == 0) return;
  if (refused) {
    ask_more(*walk);
  } else {
    take(*walk, std::move(found), done);
  }
}

void Scanner::take(Walk& walk, std::vector<Found>&& found, bool done) {
  ++walk.answers;
  if (!done && !found.empty()) {
    STATOR_PROBE("scan: an owner has more of the partition");
    walk.all_done = false;
    walk.bound = std::min(walk.bound, found.back().place);
  }
  std::move(found.begin(), found.end(), std::back_inserter(walk.found));
  if (walk.answers >= walk.needed) end_partition(walk);
}

void Scanner::end_partition(Walk& walk) {
  std::erase_if(walk.found, [&](const Found& f) { return f.place > walk.bound; });
  // Of one key the latest first, by what Object::latest() goes by.
  std::sort(walk.found.begin(), walk.found.end(), [](const Found& a, const Found& b) {
    return std::tie(a.place, a.bucket, a.key, b.time, b.event) <
           std::tie(b.place, b.bucket, b.key, a.time, a.event);
  });
  const WallTime now = context_.guarded_now();
  const Found* newest = nullptr;
  for (const Found& found : walk.found) {
    if (newest != nullptr && newest->bucket == found.bucket && newest->key == found.key) {
      if (newest->tombstone && !found.tombstone) STATOR_PROBE("scan: an owner missed the delete");
      continue;
    }
    newest = &found;
    if (!found.dead(now)) walk.result.push_back(found);
  }
  const std::uint32_t q = context_.topology->ring->partitions();
  if (!walk.all_done) {
    walk.cursor = walk.bound + 1;
  } else if (walk.partition.value + 1 == q) {
    walk.cursor = 0;
  } else {
    walk.cursor = first_place(context_, {walk.partition.value + 1});
  }
  --walk.partitions_left;
  if (walk.cursor == 0 || walk.partitions_left == 0 || walk.result.size() >= walk.count) {
    complete(walk);
    return;
  }
  // From the loop, so that a walk over many empty partitions neither recurses nor holds up
  // requests.
  context_.env.executor.post([this, slot = walk.slot, generation = walk.generation] {
    Walk* going_on = walks_.find(slot, generation);
    if (going_on != nullptr) begin_partition(*going_on);
  });
}

void Scanner::complete(Walk& walk) {
  ScanResult result;
  result.next = walk.cursor;
  for (Found& found : walk.result)
    result.keys.push_back({std::move(found.bucket), std::move(found.key)});
  walk.result.clear();
  walk.found.clear();
  ScanDone done = std::exchange(walk.done, nullptr);
  walks_.release(walk);
  done(Result<ScanResult>(std::move(result)));
}

void Scanner::fail(Walk& walk, ErrorCode code) {
  ScanDone done = std::exchange(walk.done, nullptr);
  walks_.release(walk);
  done(std::unexpected(Error{.code = code}));
}

void Scanner::on_reply(const wire::FrameHeader& header, const wire::ScanReply& reply) {
  const RequestId id = RequestId::unpack(header.request_id);
  Walk* walk = walks_.find(id.slot, id.generation);
  // A late answer may be of an earlier partition of the same walk.
  if (walk == nullptr || header.partition != walk->partition.value) {
    STATOR_PROBE("scan: an answer about a partition before");
    return;
  }
  if (std::erase(walk->waiting, header.sender) == 0) return;
  const bool backwards = !reply.keys.empty() &&
                         place_of(reply.keys.front().bucket, reply.keys.front().key) < walk->cursor;
  if (backwards || !is_sound(context_, header, reply)) {
    ++context_.metrics.frames_bad_total;
    ask_more(*walk);
    return;
  }
  std::vector<Found> found;
  for (const wire::ScannedKey& key : reply.keys) {
    found.push_back({place_of(key.bucket, key.key), std::string(key.bucket), std::string(key.key),
                     key.time, key.event, key.expires_at, key.tombstone});
  }
  take(*walk, std::move(found), reply.done);
}

void Scanner::on_refusal(const wire::FrameHeader& header) {
  const RequestId id = RequestId::unpack(header.request_id);
  Walk* walk = walks_.find(id.slot, id.generation);
  if (walk == nullptr || std::erase(walk->waiting, header.sender) == 0) return;
  STATOR_PROBE("scan: an owner refuses");
  ask_more(*walk);
}

void Scanner::on_peer_down(NodeId peer) {
  walks_.for_each([&](Walk& walk) {
    if (std::erase(walk.waiting, peer) == 0) return;
    STATOR_PROBE("scan: a link breaks before the answer");
    ask_more(walk);
  });
}

void Scanner::tick() {
  walks_.for_each([&](Walk& walk) {
    if (context_.now() < walk.deadline) return;
    STATOR_PROBE("scan: its time is over");
    fail(walk, ErrorCode::kTimeout);
  });
}

void Scanner::close() {
  closed_ = true;
  // First those of clients: a local walk that ends would otherwise have them ask somebody else.
  walks_.for_each([&](Walk& walk) {
    STATOR_PROBE("scan: the node ends during a walk");
    fail(walk, ErrorCode::kClosed);
  });
  counts_.for_each([&](Count& count) { fail_count(count, ErrorCode::kClosed); });
  local_walks_.for_each([&](LocalWalk& walk) {
    walk.keys_max = 0;
    walk.found.clear();
    auto done = std::exchange(walk.done, nullptr);
    done(walk);
    local_walks_.release(walk);
  });
}

// Counting.

void Scanner::count(std::vector<PartitionId> partitions, CountDone done) {
  struct Sum {
    unsigned home;
    unsigned waiting;
    Result<std::uint64_t> living{0};
    CountDone done;
  };
  const unsigned shards = context_.env.executor.shard_count();
  auto sum = std::make_shared<Sum>(context_.env.executor.shard(), shards, Result<std::uint64_t>(0),
                                   std::move(done));
  for (unsigned shard = 0; shard < shards; ++shard) {
    auto part = std::make_unique<std::vector<PartitionId>>();
    for (const PartitionId partition : partitions) {
      if (partition.value % shards == shard) part->push_back(partition);
    }
    context_.env.executor.post_to(shard, [&other = sibling_(shard), sum,
                                          part = std::move(part)]() mutable {
      other.count_here(std::move(*part), [&other, sum = std::move(sum)](
                                             const Result<std::uint64_t>& living) mutable {
        const unsigned home = sum->home;
        const ErrorCode code = living ? ErrorCode{} : living.error().code;
        other.context_.env.executor.post_to(
            home, [sum = std::move(sum), ok = living.has_value(), code, more = living.value_or(0)] {
              if (!ok) {
                sum->living = std::unexpected(Error{.code = code});
              } else if (sum->living) {
                *sum->living += more;
              }
              if (--sum->waiting == 0) sum->done(sum->living);
            });
      });
    });
  }
}

void Scanner::count_here(std::vector<PartitionId> partitions, CountDone done) {
  if (partitions.empty()) {
    done(0);
    return;
  }
  Count* count = closed_ ? nullptr : counts_.acquire(kWalksMax);
  if (count == nullptr) {
    done(std::unexpected(Error{.code = closed_ ? ErrorCode::kClosed : ErrorCode::kOverloaded}));
    return;
  }
  count->partitions = std::move(partitions);
  count->after.clear();
  count->living = 0;
  count->done = std::move(done);
  step_count(count->slot, count->generation);
}

void Scanner::step_count(std::uint32_t slot, std::uint32_t generation) {
  Count* count = counts_.find(slot, generation);
  if (count == nullptr) return;
  const WallTime now = context_.guarded_now();
  std::size_t visited = 0;
  while (!count->partitions.empty() && visited < kStep.keys_max) {
    const PartitionId partition = count->partitions.back();
    const auto count_in = [&](const storage::StorageKey&, const Object& object) {
      ++visited;
      const Version* latest = object.latest();
      if (latest != nullptr && !latest->dead(now)) ++count->living;
    };
    RecordVisitor visitor(context_, partition, count_in);
    auto next = context_.records->engine().scan(partition, count->after, kStep, visitor);
    if (!next) {
      ++context_.metrics.scans_failed_total;
      return fail_count(*count, next.error().code);
    }
    ++visited;
    count->living += visitor.unreadable();  // there, and perhaps alive
    count->after = std::move(*next);
    if (count->after.empty()) count->partitions.pop_back();
  }
  if (!count->partitions.empty()) {
    context_.env.executor.post([this, slot, generation] { step_count(slot, generation); });
    return;
  }
  const std::uint64_t living = count->living;
  auto done = std::exchange(count->done, nullptr);
  counts_.release(*count);
  done(living);
}

void Scanner::fail_count(Count& count, ErrorCode code) {
  CountDone done = std::exchange(count.done, nullptr);
  counts_.release(count);
  done(std::unexpected(Error{.code = code}));
}

}  // namespace stator::node
