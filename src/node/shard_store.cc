#include "node/shard_store.h"

#include <algorithm>
#include <utility>

#include "core/version/object_codec.h"

namespace stator::node {
namespace {

Error bad_request(std::string detail) {
  return Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)};
}

// Ids are dated by clocks that may be off by as much as a guarded clock may.

}  // namespace

ShardStore::ShardStore(Shard& shard, ShardHost& host, const NodeFacts& facts)
    : shard_(shard), host_(host), facts_(facts) {}

unsigned ShardStore::target_of(std::string_view bucket, std::string_view key,
                               PartitionId& partition) const {
  const ShardContext& context = shard_.context();
  partition = context.topology->ring->partition_of(position_of(bucket, key));
  return Shard::shard_of(partition, context.env.executor.shard_count());
}

// Reading.

struct ShardStore::RemoteRead {
  std::string bucket;
  std::string key;
  ReadQuorum quorum;
  ReadDone done;
  unsigned home = 0;
  Error error;
  bool ok = false;
  ReadResult result;
  std::string bytes;
  Object object;
};

void ShardStore::read(std::string_view bucket, std::string_view key, const ReadQuorum& quorum,
                      ReadDone done) {
  const unsigned here = shard_.context().env.executor.shard();
  PartitionId partition;
  if (!check_key(shard_.context(), bucket, key) || target_of(bucket, key, partition) == here) {
    shard_.reads().read(bucket, key, quorum, std::move(done));
    return;
  }
  auto remote = std::make_unique<RemoteRead>();
  remote->bucket = bucket;
  remote->key = key;
  remote->quorum = quorum;
  remote->done = std::move(done);
  remote->home = here;
  const unsigned target = target_of(bucket, key, partition);
  shard_.context().env.executor.post_to(
      target, [&host = host_, target, remote = std::move(remote)]() mutable {
        Shard& shard = host.shard(target);
        RemoteRead& request = *remote;
        shard.reads().read(
            request.bucket, request.key, request.quorum,
            [&shard, remote = std::move(remote)](const Result<ReadResult>& result) mutable {
              remote->ok = result.has_value();
              if (result) {
                remote->result = *result;
                encode_object(*result->object, remote->bytes);
              } else {
                remote->error = result.error();
              }
              const unsigned home = remote->home;
              shard.context().env.executor.post_to(home, [remote = std::move(remote)]() mutable {
                if (!remote->ok) {
                  remote->done(std::unexpected(remote->error));
                  return;
                }
                const auto decoded = decode_object(remote->bytes, remote->object);
                STATOR_ASSERT(decoded.has_value());
                remote->result.object = &remote->object;
                remote->done(Result<ReadResult>(remote->result));
              });
            });
      });
}

// Writing.

Result<void> ShardStore::check_write(const WriteRequest& request) const {
  const ShardContext& context = shard_.context();
  if (const auto checked = check_key(context, request.bucket, request.key); !checked)
    return checked;
  if (context.peers->refused_by_others()) {
    return std::unexpected(
        Error{.code = ErrorCode::kNotMember,
              .detail = "the other nodes refuse this one, since another process runs under its "
                        "name; ask another node, and see docs/ops/two-processes.md"});
  }
  const Founding& founding = context.topology->history.founding();
  if (request.value.size() > context.options.limits.value_bytes_max) {
    return std::unexpected(Error{
        .code = ErrorCode::kTooLarge,
        .detail = "a value has at most " + std::to_string(context.options.limits.value_bytes_max) +
                  " bytes; this one has " + std::to_string(request.value.size())});
  }
  if (request.content_type.size() > 255) {
    return std::unexpected(
        Error{.code = ErrorCode::kTooLarge, .detail = "a content type has at most 255 bytes"});
  }
  if (std::max({request.quorum.w, request.quorum.pw, request.quorum.dw}) > founding.n) {
    return std::unexpected(
        bad_request("w, pw and dw must be from 1 to N=" + std::to_string(founding.n)));
  }
  if (request.id && request.kind == WriteKind::kOverAll && request.id.retryable()) {
    return std::unexpected(
        bad_request("a write without context supersedes whatever it meets, so that it cannot be "
                    "retried by a write id: "
                    "read first and pass the context"));
  }
  if (request.id) {
    const WallTime now = context.guarded_now();
    const WallTime made{static_cast<std::int64_t>(request.id.time_ms()) * 1000};
    if (made > now + kIdFutureMax) {
      return std::unexpected(
          bad_request("the write id lies in the future: its first 48 bits are its time in "
                      "milliseconds since 1970, as in "
                      "a UUIDv7"));
    }
    if (now - made > kRetryWindow) {
      return std::unexpected(
          Error{.code = ErrorCode::kWriteIdExpired,
                .detail = "the write id is older than 10 minutes, so that nobody remembers whether "
                          "a write under it was applied; this request was not"});
    }
  }
  return {};
}

void ShardStore::write(const WriteRequest& given, WriteDone done) {
  if (const auto checked = check_write(given); !checked) {
    WriteResult result;
    result.bucket = given.bucket;
    result.key = given.key;
    // Of a retry that comes too late, or to a node that is out of use, nobody can say here what
    // became of the write.
    const bool unknown = checked.error().code == ErrorCode::kWriteIdExpired ||
                         (given.id && shard_.peers().refused_by_others());
    result.outcome = unknown ? Outcome::kUnknown : Outcome::kNotApplied;
    result.error = checked.error();
    result.id = given.id;
    done(result);
    return;
  }
  WriteRequest request = given;
  const bool confirm_only = given.id && !given.id.retryable();
  request.may_repeat = static_cast<bool>(given.id);
  if (!request.id) {
    const bool once = request.kind == WriteKind::kOverAll;
    env::Executor& executor = shard_.context().env.executor;
    request.id = WriteId::make(static_cast<std::uint64_t>(guarded_now().ms()),
                               once ? WriteId::kMintedOnce : WriteId::kRetryable, executor.random(),
                               executor.random());
  }
  PartitionId partition;
  const unsigned target = target_of(request.bucket, request.key, partition);
  if (target == shard_.context().env.executor.shard()) {
    coordinate(shard_, request, partition, confirm_only, std::move(done));
  } else {
    write_elsewhere(target, request, partition, confirm_only, std::move(done));
  }
}

void ShardStore::coordinate(Shard& shard, const WriteRequest& request, PartitionId partition,
                            bool confirm_only, WriteDone done) {
  const ShardContext& context = shard.context();
  const bool owner = context.topology->ring->owns(context.self(), partition);
  if (owner && takes_writes(context.disk_state())) {
    shard.writes().write(request, partition, confirm_only, std::move(done));
  } else {
    shard.forwarder().forward(request, partition, confirm_only, std::move(done));
  }
}

struct ShardStore::RemoteWrite {
  WriteRequest request;
  std::string bucket;
  std::string key;
  std::string value;
  std::string content_type;
  Context context;
  PartitionId partition{};
  bool confirm_only = false;
  WriteDone done;
  unsigned home = 0;
  WriteResult result;
};

void ShardStore::write_elsewhere(unsigned target, const WriteRequest& request,
                                 PartitionId partition, bool confirm_only, WriteDone done) {
  auto remote = std::make_unique<RemoteWrite>();
  remote->request = request;
  remote->request.bucket = remote->bucket = request.bucket;
  remote->request.key = remote->key = request.key;
  remote->request.value = remote->value = request.value;
  remote->request.content_type = remote->content_type = request.content_type;
  if (request.context != nullptr) {
    remote->context = *request.context;
    remote->request.context = &remote->context;
  }
  remote->partition = partition;
  remote->confirm_only = confirm_only;
  remote->done = std::move(done);
  remote->home = shard_.context().env.executor.shard();
  shard_.context().env.executor.post_to(target, [&host = host_, target,
                                                 remote = std::move(remote)]() mutable {
    Shard& shard = host.shard(target);
    RemoteWrite& write = *remote;
    coordinate(shard, write.request, write.partition, write.confirm_only,
               [&shard, remote = std::move(remote)](const WriteResult& result) mutable {
                 remote->result = result;
                 if (result.context != nullptr) {
                   remote->context = *result.context;
                   remote->result.context = &remote->context;
                 }
                 remote->result.bucket = remote->bucket;
                 remote->result.key = remote->key;
                 const unsigned home = remote->home;
                 shard.context().env.executor.post_to(home, [remote = std::move(remote)]() mutable {
                   remote->done(remote->result);
                 });
               });
  });
}

// The rest.

void ShardStore::explain(std::string_view bucket, std::string_view key, ExplainDone done) {
  PartitionId partition;
  const unsigned here = shard_.context().env.executor.shard();
  if (!check_key(shard_.context(), bucket, key) || target_of(bucket, key, partition) == here) {
    shard_.explainer().explain(bucket, key, std::move(done));
    return;
  }
  struct Remote {
    std::string bucket;
    std::string key;
    ExplainDone done;
    unsigned home;
    Result<Explanation> result{Explanation{}};
  };
  auto remote =
      std::make_unique<Remote>(std::string(bucket), std::string(key), std::move(done), here);
  const unsigned target = target_of(bucket, key, partition);
  shard_.context().env.executor.post_to(
      target, [&host = host_, target, remote = std::move(remote)]() mutable {
        Shard& shard = host.shard(target);
        Remote& request = *remote;
        shard.explainer().explain(
            request.bucket, request.key,
            [&shard, remote = std::move(remote)](const Result<Explanation>& result) mutable {
              remote->result = result;
              const unsigned home = remote->home;
              shard.context().env.executor.post_to(
                  home, [remote = std::move(remote)]() mutable { remote->done(remote->result); });
            });
      });
}

void ShardStore::scan(const ScanRequest& request, ScanDone done) {
  // Partitions of other shards of this node are asked like those of other nodes: every engine
  // handle sees the whole store of its node when it scans.
  shard_.scanner().scan(request, std::move(done));
}

void ShardStore::count_published_keys(CountDone done) {
  const ClusterView& view = cluster();
  std::vector<PartitionId> mine;
  for (std::uint32_t p = 0; p < view.first_healthy.size(); ++p) {
    if (view.members[view.first_healthy[p]].self) mine.push_back({p});
  }
  shard_.scanner().count(std::move(mine), std::move(done));
}

Room ShardStore::room() const {
  return shard_.context().admission.room();
}

const ClusterView& ShardStore::cluster() const {
  refresh_view();
  return view_;
}

// What a client that knows the table is best sent to. Of nodes that are fit one that takes no
// writes comes last: it would hand each of them on (D29). Where nobody is fit, the first that
// answers, and else the first.
static void choose_first_healthy(const Topology& topology, ClusterView& view) {
  view.first_healthy.assign(view.q, 0);
  const auto fitness = [](const MemberView& member) {
    if (!member.healthy) return 0;
    if (member.slow || member.leaving) return 1;
    return member.no_write ? 2 : 3;
  };
  for (std::uint32_t p = 0; p < view.q; ++p) {
    int best = 0;
    for (const NodeId node : topology.ring->preference_list({p})) {
      const int index = topology.index_of(node);
      const int fit = fitness(view.members[static_cast<std::size_t>(index)]);
      if (fit <= best) continue;
      view.first_healthy[p] = static_cast<std::uint16_t>(index);
      best = fit;
    }
  }
}

void ShardStore::refresh_view() const {
  const ShardContext& context = shard_.context();
  const Topology& topology = *context.topology;
  const Peers& peers = shard_.peers();
  const bool no_write = !takes_writes(context.disk_state());
  const bool changed = view_of_peers_ != peers.version() || view_.history != topology.version() ||
                       view_no_write_ != no_write;
  if (changed) {
    view_of_peers_ = peers.version();
    view_no_write_ = no_write;
    ++view_.version;
    const Founding& founding = topology.history.founding();
    view_.cluster_id = founding.cluster_id;
    view_.member = topology.member;
    view_.self = topology.self;
    view_.self_name = context.options.name;
    view_.n = founding.n;
    view_.r = founding.r;
    view_.w = founding.w;
    view_.q = topology.ring ? topology.ring->partitions() : 0;
    view_.history = topology.version();
    view_.members.clear();
    for (const Member& member : topology.members) {
      MemberView seen;
      seen.id = member.id;
      seen.name = member.name;
      seen.zone = member.zone;
      seen.weight = member.weight;
      seen.peer_address = member.peer_address;
      seen.self = member.id == topology.self;
      view_.members.push_back(std::move(seen));
    }
  }
  for (MemberView& member : view_.members) {
    if (member.self) {
      member.healthy = true;
      member.no_write = no_write;
      member.last_heard_ms = 0;
      member.incarnation = context.mint->incarnation().value;
      member.redis_address = env::to_string(context.options.redis_announced);
      member.http_address = env::to_string(context.options.http_announced);
      continue;
    }
    const Peers::View seen = peers.view(member.id);
    member.healthy = seen.verdict <= Verdict::kSlow;
    member.slow = seen.verdict == Verdict::kSlow;
    member.leaving = seen.leaving;
    member.no_write = seen.no_write;
    member.other_history = seen.other_history;
    member.fenced = seen.fenced;
    member.copy_refused = seen.copy_refused;
    member.last_heard_ms = seen.last_heard_ms;
    member.clock_offset_ms = seen.clock_offset.ms();
    member.incarnation = seen.incarnation.value;
    member.redis_address = seen.redis_address;
    member.http_address = seen.http_address;
  }
  if (!changed) return;
  choose_first_healthy(topology, view_);
  view_.owners.clear();
  for (std::uint32_t p = 0; p < view_.q; ++p) {
    const auto owners = topology.ring->owners({p});
    view_.owner_count = static_cast<std::uint32_t>(owners.size());
    for (const NodeId owner : owners)
      view_.owners.push_back(static_cast<std::uint16_t>(topology.index_of(owner)));
  }
}

}  // namespace stator::node
