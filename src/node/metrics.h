#pragma once

#include <algorithm>
#include <cstdint>

namespace stator::node {

/// Plain integers per shard, summed and written out as Prometheus text at the scrape (design 5).
/// One line per metric: STATOR_METRICS(X) lists name, type and help, so that the text is made from
/// the same table.
#define STATOR_METRICS(X)                                                                          \
  X(reads_total, counter, "reads coordinated here")                                                \
  X(reads_failed_total, counter, "reads that did not reach R replicas in time")                    \
  X(writes_total, counter, "writes coordinated here")                                              \
  X(writes_unknown_total, counter, "writes that ended with an unknown outcome")                    \
  X(writes_not_applied_total, counter, "writes refused before anything was stored or sent")        \
  X(writes_forwarded_total, counter, "writes forwarded to an owner (paper 4.5)")                   \
  X(forwards_received_total, counter, "writes coordinated for another node")                       \
  X(writes_stood_in_total, counter, "writes coordinated here in the name of an owner")             \
  X(writes_covered_again_total, counter, "plain writes stamped again over what a replica showed")  \
  X(durable_copies_total, counter, "copies synced here as the one durable copy of a write")        \
  X(durable_asked_again_total, counter,                                                            \
    "times that another node was asked for a write's one durable copy")                            \
  X(durable_unconfirmed_total, counter,                                                            \
    "acknowledged writes whose one durable copy nobody has confirmed")                             \
  X(siblings_seen_total, counter, "reads that returned more than one living version")              \
  X(hedges_total, counter, "reads that asked one more replica since an answer was overdue")        \
  X(requests_overload_total, counter, "requests of clients refused as overload")                   \
  X(background_left_out_total, counter, "repairs left to a later read, for lack of budget")        \
  X(read_repairs_total, counter, "stale replicas brought up to date after a read")                 \
  X(late_digests_total, counter, "owners asked for a digest after the answer")                     \
  X(replica_writes_total, counter, "writes applied for a coordinator")                             \
  X(replica_writes_equal_total, counter, "replica writes that changed nothing")                    \
  X(replica_reads_total, counter, "reads served to a coordinator")                                 \
  X(hints_kept_total, counter, "copies stored here for an owner that was away")                    \
  X(hints_left_out_total, counter, "hints beyond W that were not stored: over their cap")          \
  X(hints_delivered_total, counter, "hints delivered to their owner and deleted")                  \
  X(hints_pending, gauge, "hints that wait for their owner")                                       \
  X(hints_pending_bytes, gauge, "bytes of these")                                                  \
  X(frames_in_total, counter, "peer frames received")                                              \
  X(frames_out_total, counter, "peer frames sent")                                                 \
  X(frames_bad_total, counter, "peer frames refused: checksum, version, cluster, format or key")   \
  X(history_refusals_total, counter, "peer requests refused for their history version")            \
  X(frames_fenced_total, counter,                                                                  \
    "peer frames refused since two processes run under their sender's name (D2)")                  \
  X(peers_fenced_total, counter, "processes of peers that were refused for that reason")           \
  X(peers_slow_total, counter, "times that a peer was found slow, and avoided for new work")       \
  X(peers_silent_total, counter,                                                                   \
    "times that a peer that had answered was found silent or cut off")                             \
  X(requests_late_total, counter, "peer requests whose time was over before they were served")     \
  X(records_unreadable_total, counter, "stored records that failed their checksum")                \
  X(records_restored_total, counter, "unreadable records replaced by what the other owners hold")  \
  X(scans_failed_total, counter, "walks over stored records that the engine could not go on with") \
  X(contexts_refused_total, counter, "contexts of another key or cluster, cut or random")          \
  X(storage_batches_total, counter, "write batches handed to the engine")                          \
  X(storage_errors_total, counter, "write batches, and syncs behind them, that the engine failed") \
  X(operations_open, gauge, "requests in the table of operations")                                 \
  X(turns_total, counter, "turns of the loop")                                                     \
  X(turns_us_total, counter, "microseconds that these took")                                       \
  X(turn_us_longest, gauge, "the longest of the last half minute to minute, in microseconds")      \
  X(clients_connected, gauge, "open client connections")                                           \
  X(clients_total, counter, "client connections accepted")                                         \
  X(keys_found_total, counter, "keys that commands of Redis clients read and found")               \
  X(keys_missing_total, counter, "keys that commands of Redis clients read and did not find")      \
  X(client_bytes_in_total, counter, "bytes received from clients")                                 \
  X(commands_total, counter, "client commands and requests")                                       \
  X(commands_refused_total, counter, "client commands answered with an error")

struct Metrics {
#define STATOR_METRIC_FIELD(name, type, help) std::uint64_t name = 0;
  STATOR_METRICS(STATOR_METRIC_FIELD)
#undef STATOR_METRIC_FIELD

  void add(const Metrics& other) {
    const std::uint64_t longest = std::max(turn_us_longest, other.turn_us_longest);
#define STATOR_METRIC_ADD(name, type, help) name += other.name;
    STATOR_METRICS(STATOR_METRIC_ADD)
#undef STATOR_METRIC_ADD
    turn_us_longest = longest;  // of any shard: such a time is no sum
  }
};

}  // namespace stator::node
