#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <unordered_set>

#include "base/callback.h"
#include "base/ids.h"
#include "base/time.h"

namespace stator::node {

/// How many hints were delivered per second, over the last few seconds.
class DrainRate {
 public:
  void note(MonoTime now);
  [[nodiscard]] double per_second(MonoTime now) const;
  /// Of the last four whole seconds the later two had about as many as the earlier two: what is
  /// left may be reckoned with per_second(). Delivery begins slowly, and gets faster as its owner
  /// allows.
  [[nodiscard]] bool settled(MonoTime now) const;

 private:
  static constexpr std::int64_t kSeconds = 5;
  std::array<std::uint32_t, kSeconds + 1> counts_{};  // by second, the present one included
  std::array<std::int64_t, kSeconds + 1> seconds_{};  // which second that was
};

/// The hints that one shard keeps, counted per owner and range: what `stator hints` shows, and
/// where delivery looks. An account of what stands in the engine, kept in memory: begun by a walk
/// over the hints at the start of the process (HintRecount), then told of each record that comes
/// and goes. It may count a record too many (its batch failed, or it went before it was counted),
/// never one too few. Pure; one per shard.
class HintBacklog {
 public:
  struct Range {
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;
    WallTime oldest{};        // at least as old as the oldest hint
    std::uint64_t batch = 0;  // with which the last hint came (RecordStore::staging)
  };
  struct Owner {
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;
    std::uint64_t delivered = 0;        // since the backlog was last empty
    std::uint64_t delivered_total = 0;  // since the start of the process
    DrainRate rate;
    std::map<PartitionId, Range> ranges;  // by range of the ring; those with hints
    [[nodiscard]] WallTime oldest() const;
  };
  struct Moment {
    WallTime wall{};
    std::uint64_t batch = 0;  // with which the record goes to the engine; 0: it may be there
  };

  /// A record of `bytes` was stored at a hint's place, where one of `before` bytes stood (0: none).
  void stored(PartitionId hint_partition, std::string_view hint_key, std::size_t before,
              std::size_t bytes, Moment at);
  /// A record of `bytes` was delivered and deleted.
  void delivered(PartitionId range, NodeId owner, std::size_t bytes, MonoTime now);
  /// The walk at the start has met a record, once. Ignored when it came after the walk had begun.
  void found(PartitionId hint_partition, std::string_view hint_key, std::size_t bytes,
             WallTime since);
  /// The walk at the start has been everywhere; of the ranges `unread` not all could be read, so
  /// that there may be more. Said again when these change.
  void end_count(std::set<PartitionId> unread = {});
  /// A walk that began when all batches with hints of this owner and range were over has met none.
  void correct(PartitionId range, NodeId owner);

  /// False: there may be hints that are not counted yet.
  [[nodiscard]] bool counted() const { return walked_ && unread_.empty(); }
  /// All that can be read is counted.
  [[nodiscard]] bool walked() const { return walked_; }
  [[nodiscard]] const std::map<NodeId, Owner>& owners() const { return owners_; }
  [[nodiscard]] std::uint64_t keys() const { return keys_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Hints are being delivered to this owner: it lacks some of what others have, and gets it.
  [[nodiscard]] bool catches_up(NodeId owner, MonoTime now) const;
  /// Certainly nothing is kept for anybody in this range.
  [[nodiscard]] bool none_in(PartitionId range) const {
    return counted_in(range) && keys_in_.find(range) == keys_in_.end();
  }
  /// Called when the first hint comes.
  void on_first(Callback<void()> wake) { wake_ = std::move(wake); }

 private:
  [[nodiscard]] bool counted_in(PartitionId range) const {
    return walked_ && (unread_.empty() || !unread_.contains(range));
  }
  Range& add(PartitionId range, NodeId owner, std::size_t bytes, WallTime since);
  void remove(PartitionId range, NodeId owner, std::uint64_t keys, std::uint64_t bytes);

  std::map<NodeId, Owner> owners_;  // those that have, or have had, a backlog
  std::map<PartitionId, std::uint64_t> keys_in_;
  std::uint64_t keys_ = 0;
  std::uint64_t bytes_ = 0;
  bool walked_ = false;
  std::set<PartitionId> unread_;                      // ranges, after the walk
  std::unordered_set<std::uint64_t> came_meanwhile_;  // hashes of keys; while counting
  Callback<void()> wake_;
};

}  // namespace stator::node
