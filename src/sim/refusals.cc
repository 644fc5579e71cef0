#include "sim/refusals.h"

#include <algorithm>
#include <string>

#include "sim/naming.h"

namespace stator::sim {
namespace {

constexpr std::size_t kRefusalsTold = 8;

// Whoever reaches enough nodes may refuse a write for it.
bool may_refuse_for(const AnsweredWrite& write) {
  switch (write.code) {
    // The request itself, and what of it is limited.
    case ErrorCode::kBadRequest:
    case ErrorCode::kBadContext:
    case ErrorCode::kTooLarge:
    case ErrorCode::kTooManySiblings:
    case ErrorCode::kWriteIdExpired:
    case ErrorCode::kOverloaded:
    // Not P5's.
    case ErrorCode::kUnreadable: return true;
    case ErrorCode::kTimeout: return write.end - write.begin < Refusals::kTimeEnough;
    // There were enough of them, with disks that are well, all members of one history, and none
    // about to end.
    case ErrorCode::kTooFewNodes:
    case ErrorCode::kHistoryMismatch:
    case ErrorCode::kNotMember:
    case ErrorCode::kDiskFull:
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kNotSupported:
    case ErrorCode::kClosed:
    case ErrorCode::kConflict: return false;
  }
  return false;
}

}  // namespace

void Refusals::judge(const AnsweredWrite& write, const Reach& reach) {
  ++answered_;
  const std::size_t asked = std::max(write.quorum, write.durable);
  const std::size_t needed = write.owners > 0 ? reach.nodes() : asked;
  if (!reach.plainly_reaches(write.node, needed + spare_, write.begin)) return;
  ++owed_;
  const std::size_t there = reach.reached(write.node, write.begin);
  if (there < reach.nodes()) ++owed_by_few_;
  if (write.outcome != Outcome::kNotApplied || may_refuse_for(write)) return;
  if (violations_.size() >= kRefusalsTold) return;
  violations_.push_back({"P5", write.key,
                         "write " + name_of(write.id) + " was refused by n" +
                             std::to_string(write.node + 1) + " at " + at_time(write.end) + " as " +
                             to_string(write.code) + ", with " + std::to_string(write.got) +
                             " nodes, where " + std::to_string(needed) +
                             " are enough, and it reached " + std::to_string(there) +
                             " from before it was asked at " + at_time(write.begin) + " on"});
}

}  // namespace stator::sim
