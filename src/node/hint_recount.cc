#include "node/hint_recount.h"

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
constexpr Duration kAgainAfter = seconds(1);

class Counter final : public storage::ScanVisitor {
 public:
  Counter(ShardContext& context, PartitionId partition)
      : context_(context), partition_(partition) {}

  void visit(std::string_view key, std::string_view value) override {
    STATOR_PROBE("hint: found again after a start");
    ++seen_;
    context_.hints.found(partition_, key, value.size(), written_at(key, value));
  }
  [[nodiscard]] std::size_t seen() const { return seen_; }

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
};

}  // namespace

void HintRecount::start(Callback<void()> done) {
  done_ = std::move(done);
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
  if (topology == nullptr || topology->ring == nullptr) return step_after(kAgainAfter);
  if (!count_some()) return step_after(kAgainAfter);
  if (range_ < topology->ring->partitions()) {
    const bool waits = context_.env.buggified("hint: the count waits");
    if (waits) STATOR_PROBE("hint: the count waits");
    return step_after(waits ? kAgainAfter : kPause);
  }
  context_.hints.end_count();
  done_();
}

bool HintRecount::count_some() {
  const std::uint32_t ranges = context_.topology->ring->partitions();
  const bool single = context_.env.buggified("hint: counts one range at a time");
  if (single) STATOR_PROBE("hint: counts one range at a time");
  const int most = single ? 1 : kRangesMax;
  for (int i = 0; i < most && range_ < ranges; ++i) {
    const PartitionId partition = hint_partition({range_});
    Counter counter(context_, partition);
    auto next = context_.records->engine().scan(partition, after_, kBudget, counter);
    if (!next) return false;
    after_ = std::move(*next);
    if (after_.empty()) range_ += context_.env.executor.shard_count();
    if (counter.seen() >= kBudget.keys_max / 2) break;
  }
  return true;
}

}  // namespace stator::node
