#include "node/hint_recount.h"

#include <set>
#include <utility>

#include "base/probe.h"
#include "core/version/object_codec.h"
#include "node/hint_place.h"
#include "node/shard_context.h"

namespace stator::node {
namespace {

// Of one step: ranges are mostly empty, and records are read from the disk.
constexpr int kRangesMax = 32;
constexpr storage::ScanBudget kBudget{.keys_max = 128, .bytes_max = 1 << 20};
constexpr Duration kPause = milliseconds(1);
constexpr Duration kNoRing = seconds(1);
constexpr Duration kUnreadAgain = seconds(10);

class Counter final : public storage::ScanVisitor {
 public:
  Counter(ShardContext& context, PartitionId partition)
      : context_(context), partition_(partition) {}

  void visit(std::string_view key, std::string_view value) override {
    STATOR_PROBE("hint: found again after a start");
    last_.assign(key);
    ++seen_;
    context_.hints.found(partition_, key, value.size(), written_at(key, value));
  }
  [[nodiscard]] std::size_t seen() const { return seen_; }
  /// The key of the last one; empty: none was met.
  [[nodiscard]] const std::string& last() const { return last_; }

 private:
  // When the latest of its versions was written; now, if that cannot be read.
  [[nodiscard]] WallTime written_at(std::string_view key, std::string_view record) const {
    storage::RecordHeader header;
    std::string_view payload;
    Object object;
    if (storage::open_record(partition_, key, record, header, payload) &&
        decode_object(payload, object) && object.latest() != nullptr) {
      return object.latest()->time.wall();
    }
    return context_.guarded_now();
  }

  ShardContext& context_;
  PartitionId partition_;
  std::size_t seen_ = 0;
  std::string last_;
};

}  // namespace

void HintRecount::start(Callback<void()> on_counted) {
  on_counted_ = std::move(on_counted);
  range_ = context_.env.executor.shard();
  step_after(kPause);
}

void HintRecount::stop() {
  context_.env.executor.cancel(timer_);
  timer_ = {};
}

void HintRecount::step_after(Duration pause) {
  timer_ = context_.env.executor.after(pause, [this] { step(); });
}

void HintRecount::step() {
  timer_ = {};
  const auto& topology = context_.topology;
  if (topology == nullptr || topology->ring == nullptr) return step_after(kNoRing);
  const std::uint32_t ranges = topology->ring->partitions();
  Duration pause = kUnreadAgain;
  if (range_ < ranges) {
    count_some(ranges);
    if (range_ < ranges) {
      const bool waits = context_.env.buggified("hint: the count waits");
      if (waits) STATOR_PROBE("hint: the count waits");
      return step_after(waits ? kNoRing : kPause);
    }
  } else if (!unread_.empty() && count_again()) {
    pause = kPause;
  }
  std::set<PartitionId> unread;
  for (const Rest& rest : unread_) unread.insert(PartitionId{rest.range});
  context_.hints.end_count(std::move(unread));
  if (!unread_.empty()) step_after(pause);
  on_counted_();
}

void HintRecount::count_some(std::uint32_t ranges) {
  const bool single = context_.env.buggified("hint: counts one range at a time");
  if (single) STATOR_PROBE("hint: counts one range at a time");
  const int most = single ? 1 : kRangesMax;
  for (int i = 0; i < most && range_ < ranges; ++i) {
    std::size_t seen = 0;
    const bool read = count_in(range_, after_, seen);
    if (!read) unread_.push_back({range_, after_});
    if (!read || after_.empty()) {
      range_ += context_.env.executor.shard_count();
      after_.clear();
    }
    if (seen >= kBudget.keys_max / 2) break;
  }
}

// One of those that could not be read. True: now it can.
bool HintRecount::count_again() {
  Rest rest = std::move(unread_.front());
  unread_.pop_front();
  std::size_t seen = 0;
  const bool read = count_in(rest.range, rest.after, seen);
  if (!read) {
    unread_.push_back(std::move(rest));
  } else if (!rest.after.empty()) {
    unread_.push_front(std::move(rest));
  }
  return read;
}

// From behind `after` on, which becomes where to go on; empty: there is nothing more. False: the
// engine cannot go on from there.
bool HintRecount::count_in(std::uint32_t range, std::string& after, std::size_t& seen) {
  const PartitionId partition = hint_partition({range});
  Counter counter(context_, partition);
  auto next = context_.records->engine().scan(partition, after, kBudget, counter);
  seen = counter.seen();
  if (!next) {
    STATOR_PROBE("hint: a range cannot be counted to its end");
    ++context_.metrics.scans_failed_total;
    // What was met is counted: it is not met again.
    if (!counter.last().empty()) after = counter.last();
    return false;
  }
  after = std::move(*next);
  return true;
}

}  // namespace stator::node
