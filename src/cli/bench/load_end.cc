#include <algorithm>

#include "cli/bench/load.h"
#include "cli/bench/reply.h"

// How operations end: an answer, an error, or nothing at all.

namespace stator::bench {

namespace {

bool is_read(OpKind kind) {
  return kind == OpKind::kGet || kind == OpKind::kStGet;
}

WriteEnd write_end_of(Failure why) {
  // Whoever says -TRYAGAIN promises that nothing was applied; other errors are not taken for that.
  return why == Failure::kTryAgain ? WriteEnd::kNotApplied : WriteEnd::kUnknown;
}

}  // namespace

void Load::on_input(Lane&) {
  now_ = clock_.now();
}

void Load::on_input_end(Lane&) {
  if (open_loop()) pump();
}

void Load::on_reply(Lane& lane, const Operation& operation, std::string_view reply) {
  fleet_.changed(lane);
  --under_way_;
  if (phase_ == Phase::kDone) return;
  ReplyReader reader(reply);
  Reply first = reader.next();
  if (first.is(ReplyType::kError)) {
    fail(operation, failure_of(first.text), first.text);
    return end(operation);
  }
  const bool with_context = operation.kind == OpKind::kStGet ||
                            (operation.kind == OpKind::kStUpdate && !operation.answered);
  if (with_context && first.is(ReplyType::kArray)) {
    const Reply context = reader.next();
    if (operation.kind == OpKind::kStUpdate) {
      Operation write = operation;
      write.answered = true;
      write.sent = now_;
      ++under_way_;
      // The place that the first half had on this connection is free.
      return requests_.append(lane.begin(write), write, context.text);
    }
    const Reply siblings = reader.next();
    if (siblings.integer == 0) first = {};  // read, and nothing there
  }
  succeed(operation, first);
  end(operation);
}

void Load::on_lost(Lane& lane, const Operation& operation, Failure why) {
  fleet_.changed(lane);
  --under_way_;
  if (phase_ == Phase::kDone) return;
  now_ = clock_.now();
  fail(operation, why, {});
  end(operation);
}

void Load::succeed(const Operation& operation, const Reply& reply) {
  const Duration latency = now_ - operation.begun;
  const bool nothing = is_read(operation.kind) && reply.is(ReplyType::kNull);
  second_.record(static_cast<std::uint64_t>(std::max<std::int64_t>(latency.ns, 0)));
  if (phase_ == Phase::kFilling) ++result_.filled;
  if (operation.counted) result_.tally.succeeded(operation.kind, latency, nothing);
  if (!check_) return;
  if (operation.kind == OpKind::kGet) judge(operation, reply);
  if (operation.kind == OpKind::kSet) {
    check_->end_write(operation.key, {operation.write, operation.floor}, WriteEnd::kAcknowledged);
  }
}

void Load::judge(const Operation& operation, const Reply& reply) {
  std::optional<std::uint64_t> found;
  if (!reply.is(ReplyType::kNull)) found = requests_.write_of(reply.text);
  const Verdict verdict = check_->judge(operation.floor, found);
  if (operation.counted) ++result_.tally.verdicts[static_cast<std::size_t>(verdict)];
}

void Load::fail(const Operation& operation, Failure why, std::string_view error) {
  ++second_failed_;
  if (phase_ == Phase::kFilling) ++result_.fill_failed;
  if (operation.counted) {
    result_.tally.failed(operation.kind, why, error, now_ - operation.sent);
  }
  if (check_ && operation.kind == OpKind::kSet) {
    check_->end_write(operation.key, {operation.write, operation.floor}, write_end_of(why));
  }
}

void Load::end(const Operation& operation) {
  if (operation.counted) last_ended_ = now_;
  if (!open_loop()) issue(operation.client);
  advance();
}

}  // namespace stator::bench
