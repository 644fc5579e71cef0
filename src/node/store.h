#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "core/disk/disk_watch.h"
#include "core/load/admission.h"
#include "core/quorum/candidates.h"
#include "core/version/context.h"
#include "core/version/object.h"

// The store as its front doors see it: get and put of paper 4.1, for any key, on any node. Fronts
// translate a protocol to these calls and back, and decide nothing.
//
// All calls and callbacks happen on the shard's loop; `done` is called exactly once, possibly
// inside the call. Views in a request need to live during the call only; what a result points at,
// during the callback.

namespace stator::node {

/// Who answered (D9): distinct nodes and zones; primaries are owners, fallbacks stand-ins.
using Evidence = QuorumEvidence;

/// 0 means the bucket's default (R, W), or none (pr, pw, dw).
struct ReadQuorum {
  std::uint8_t r = 0;
  std::uint8_t pr = 0;
  Duration timeout{};
};
struct WriteQuorum {
  std::uint8_t w = 0;
  std::uint8_t pw = 0;
  std::uint8_t dw = 0;
  Duration timeout{};
};

struct ReadResult {
  const Object* object =
      nullptr;  // the merged knowledge of R replicas; empty() when nobody knows the key
  Evidence evidence{};
  NodeId fastest{};  // the replica that answered first, for the context
  WallTime now{};    // guarded time: judges expiry
};
using ReadDone = Callback<void(const Result<ReadResult>&)>;

enum class WriteKind : std::uint8_t {
  kWithContext,  // the Dynamo put: supersedes what the context saw, keeps the rest as siblings
  kOverAll,  // the plain Redis write, and a delete without context: supersedes all that the minting
             // node holds, stamped later than that and than `floor` (design 2.4)
};

struct WriteRequest {
  std::string_view bucket;
  std::string_view key;
  WriteKind kind = WriteKind::kOverAll;
  /// 0: the node makes one. Of kWithContext it may be retried, through any node, with the same
  /// context; of kOverAll it is minted once, and a client that is told `unknown` can only ask what
  /// became of it.
  WriteId id{};
  /// Set by the store: somebody may have minted this id before, since a client gave it, or another
  /// node was sent it.
  bool may_repeat = false;
  bool tombstone = false;
  std::string_view value{};
  std::string_view content_type{};
  WallTime expires_at{};
  const Context* context = nullptr;  // kWithContext: what the writer saw; nullptr: nothing
  Hlc floor{};                       // the stamp is later than this (one number per connection)
  WriteQuorum quorum{};
};

struct WriteResult {
  std::string_view bucket{};
  std::string_view key{};
  Outcome outcome = Outcome::kOk;
  Error error{};  // why, when the outcome is not ok
  Evidence evidence{};
  WriteId id{};
  const Context* context = nullptr;  // kOk: the writer's own plus this write
  Hlc time{};                        // kOk: the stamp
};
using WriteDone = Callback<void(const WriteResult&)>;

/// What `explain` shows of one member of the preference list.
struct ReplicaView {
  NodeId node{};
  std::string name;
  bool owner = false;
  bool healthy = false;
  bool answered = false;
  std::string error;         // when it did not answer
  std::uint64_t digest = 0;  // 0: it holds nothing
  std::string object_bytes;  // encoded object (object_codec.h), empty when it holds nothing
};
struct Explanation {
  std::uint32_t partition = 0;
  std::uint16_t slot = 0;
  std::vector<ReplicaView> replicas;  // preference order, owners first
  std::string merged_bytes;           // encoded object
  std::string verdict;                // what a read would return and why, one sentence
};
using ExplainDone = Callback<void(const Result<Explanation>&)>;

/// One step of a walk over all living keys of the cluster.
struct ScanRequest {
  std::uint64_t cursor = 0;  // 0 begins
  std::uint32_t count = 10;  // a hint
};
struct ScannedKey {
  std::string bucket;
  std::string key;
};
struct ScanResult {
  std::uint64_t next = 0;  // 0: the walk is over
  std::vector<ScannedKey> keys;
};
using CountDone = Callback<void(const Result<std::uint64_t>&)>;
using ScanDone = Callback<void(const Result<ScanResult>&)>;

/// A member as this node sees it now.
struct MemberView {
  NodeId id{};
  std::string name;
  std::string zone;
  double weight = 1;
  std::string redis_address;  // as announced; empty until heard of
  std::string http_address;
  std::string peer_address;
  bool self = false;
  bool healthy = false;             // it answers
  bool slow = false;                // much later than others: avoided for new work
  bool leaving = false;             // it said that it is about to stop
  bool no_write = false;            // it takes no writes, as it says
  bool other_history = false;       // it goes by another membership history, and refuses requests
  bool fenced = false;              // two processes run under its name, and are refused here
  bool copy_refused = false;        // of the two only the one that does not answer at its address
  std::int64_t last_heard_ms = -1;  // ago; -1: never
  std::int64_t clock_offset_ms = 0;
  std::uint64_t incarnation = 0;
};

/// The cluster as this node sees it. Refreshed in place; read at once, keep nothing.
struct ClusterView {
  std::string cluster_id;
  bool member = false;  // false: waits to be joined, refuses clients
  NodeId self{};
  std::string self_name;
  std::uint32_t q = 0;
  std::uint8_t n = 0;
  std::uint8_t r = 0;
  std::uint8_t w = 0;
  HistoryVersion history{};
  std::uint64_t version = 0;  // rises with every change of members or health
  std::vector<MemberView> members;
  /// For each partition the first node of its preference list that is fit for work, of those that
  /// take writes if any does: index into `members`. Where none is fit, the first that answers, and
  /// else the first.
  std::vector<std::uint16_t> first_healthy;
  /// The owners of partition p in preference order: `owner_count` indices into `members`, from
  /// p * owner_count on.
  std::vector<std::uint16_t> owners;
  std::uint32_t owner_count = 0;  // N, or fewer while the cluster has fewer nodes

  /// Nodes that a plain read and a plain write need: max(R, W).
  [[nodiscard]] std::uint32_t quorum() const { return std::max(r, w); }
  /// Whether so many nodes answer, owners or stand-ins for them.
  [[nodiscard]] bool reaches_quorum() const {
    return std::ranges::count(members, true, &MemberView::healthy) >= quorum();
  }
};

/// What one owner has to come from this node (paper 4.6).
struct HintsView {
  NodeId owner{};
  std::uint64_t pending = 0;
  std::uint64_t bytes = 0;
  std::uint64_t delivered = 0;        // since nothing was pending for it
  std::uint64_t delivered_total = 0;  // since the start of the process
  double per_second = 0;              // delivered, over the last seconds
  bool settled = true;                // that stays about the same; or nothing is pending
  std::int64_t oldest_ms = 0;         // age of the oldest, at most
};

struct NodeStatus {
  std::string engine;
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;
  std::uint64_t syncs = 0;  // of the engine's files
  std::int64_t uptime_ms = 0;
  bool clock_skewed = false;
  bool no_write = false;  // this node takes no writes now
  bool fenced = false;    // peers refuse it, since another process runs under its name
  DiskState disk = DiskState::kRoomy;
  std::optional<std::uint64_t> disk_free{};  // bytes for writes; nullopt: nobody asked the disk
  std::vector<HintsView> hints;              // by owner; those that have, or have had, a backlog
  bool hints_counting = false;               // those of an earlier process are not all counted yet
};

struct Metrics;  // node/metrics.h

class Store {
 public:
  virtual ~Store() = default;
  virtual void read(std::string_view bucket, std::string_view key, const ReadQuorum& quorum,
                    ReadDone done) = 0;
  virtual void write(const WriteRequest& request, WriteDone done) = 0;
  virtual void explain(std::string_view bucket, std::string_view key, ExplainDone done) = 0;
  virtual void scan(const ScanRequest& request, ScanDone done) = 0;
  /// Living keys in the partitions that this node publishes as its own, counted in its own store.
  virtual void count_published_keys(CountDone done) = 0;

  /// What one more request would find. Of the shard that is asked; other shards of the node have
  /// room of their own. Cheap enough to be asked before each request.
  [[nodiscard]] virtual Room room() const = 0;

  [[nodiscard]] virtual const ClusterView& cluster() const = 0;
  [[nodiscard]] virtual NodeStatus status() const = 0;
  /// Sums of all shards, as of their last turn.
  [[nodiscard]] virtual Metrics metrics() const = 0;
  /// Guarded time of this node (design 4.2).
  [[nodiscard]] virtual WallTime guarded_now() const = 0;
  /// Keys the checksums of contexts: a hash of the cluster id.
  [[nodiscard]] virtual std::uint64_t context_secret() const = 0;
};

/// Refused with kTooLarge beyond these, never truncated (design 2.5).
struct Limits {
  std::size_t key_bytes_max = 4096;
  std::size_t bucket_bytes_max = 255;
  std::size_t value_bytes_max = 1 << 20;
  std::size_t siblings_max = 100;  // on client writes, never on repair (D17)
  std::size_t clients_max = 10'000;
};
inline constexpr std::size_t kValueBytesHardMax = 16 << 20;
/// No client's write makes the values of one key larger than this together: what four sides of a
/// cut accepted still fits into one frame.
inline constexpr std::size_t kSiblingBytesMax = 16 << 20;

}  // namespace stator::node
