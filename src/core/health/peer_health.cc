#include "core/health/peer_health.h"

#include <algorithm>

#include "base/probe.h"
#include "base/small_vector.h"

namespace stator {
namespace {

constexpr std::array kAllKinds = {AnswerKind::kRead, AnswerKind::kWrite, AnswerKind::kPing};
// In how many windows running something must be bad.
constexpr int kBadWindows = 2;
// From how many answers on a 95th percentile says something.
constexpr std::uint32_t kPercentileMin = 40;

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy: return "healthy";
    case Verdict::kSlow: return "slow";
    case Verdict::kSuspected: return "suspected";
    case Verdict::kDown: return "down";
  }
  return "down";
}

void PeerHealth::on_round_trip(Duration took) {
  on_answer(AnswerKind::kPing, took);
  if (best_round_trip_.ns == 0 || took < best_round_trip_) best_round_trip_ = took;
}

void PeerHealth::on_link(bool up) {
  linked_ = up;
  heard_ = false;
  slow_ = false;
  unanswered_since_ = {};
  backlog_since_ = {};
  overloaded_ = overload_windows_ = 0;
  kinds_ = {};
}

void PeerHealth::on_witness(Duration heard_ago, MonoTime now) {
  witnessed_at_ = std::max(witnessed_at_, now - heard_ago);
}

void PeerHealth::on_backlog(std::size_t bytes, MonoTime now) {
  if (bytes < kBacklogMax) {
    backlog_since_ = {};
  } else if (backlog_since_.ns == 0) {
    backlog_since_ = now;
  }
}

Duration PeerHealth::silent_for(MonoTime now) const {
  return unanswered_since_.ns == 0 ? Duration{} : now - unanswered_since_;
}

bool PeerHealth::worth_asking_about(const Surroundings& here, MonoTime now) const {
  return linked_ && silent_for(now) > here.silence_max * here.stretch / 2;
}

// Beyond which a median is bad: what is usual here, by a wide margin.
Duration PeerHealth::limit(AnswerKind kind, const Surroundings& here,
                           std::span<const PeerHealth* const> all) const {
  SmallVector<Duration, 16> medians;
  for (const PeerHealth* other : all) {
    if (other == this || !other->answers()) continue;
    if (const Duration median = other->median(kind); median.ns != 0) medians.push_back(median);
  }
  Duration usual = best_round_trip_;
  if (!medians.empty()) {
    std::sort(medians.begin(), medians.end());
    // Of an even number the greater middle one: in doubt nobody is accused.
    usual = std::max(usual, medians[medians.size() / 2]);
  }
  return std::max(usual * kSlowFactor, kSlowMin) * here.stretch;
}

void PeerHealth::judge_window(AnswerKind kind, const Surroundings& here,
                              std::span<const PeerHealth* const> all, MonoTime now) {
  Kind& k = of(kind);
  if (k.window.count() >= (kind == AnswerKind::kPing ? kPingsMin : kSamplesMin)) {
    k.median = k.window.quantile(500);
    k.bad_windows = k.median > limit(kind, here, all) ? k.bad_windows + 1 : 0;
    k.judged_at = now;
  } else if (now - k.window_began < kWindowMax) {
    return;
  }
  if (now - k.judged_at >= kForgetAfter) {
    if (k.bad_windows >= kBadWindows)
      STATOR_PROBE("peer: nobody asks any more what it was slow at");
    k.median = {};
    k.bad_windows = 0;
  }
  k.memory.age_and_add(k.window);
  k.p95 = k.memory.count() < kPercentileMin ? Duration{} : k.memory.quantile(950);
  k.window.clear();
  k.window_began = now;
}

bool PeerHealth::overloaded(std::uint32_t answers, MonoTime now) {
  if (answers + overloaded_ < kSamplesMin) {
    // Nothing is asked of it any more, so nothing is refused either.
    if (now - bad_at_ >= kWellAfter) overload_windows_ = 0;
  } else {
    overload_windows_ = overloaded_ > answers ? overload_windows_ + 1 : 0;
  }
  overloaded_ = 0;
  return overload_windows_ >= kBadWindows;
}

void PeerHealth::judge_pace(const Surroundings& here, std::span<const PeerHealth* const> all,
                            MonoTime now) {
  const std::uint32_t answers =
      of(AnswerKind::kRead).window.count() + of(AnswerKind::kWrite).window.count();
  bool bad = overloaded(answers, now);
  if (bad) STATOR_PROBE("peer: refuses most of what it is asked");
  if (backlog_since_.ns != 0 && now - backlog_since_ >= kBacklogFor) {
    STATOR_PROBE("peer: what it is sent piles up");
    bad = true;
  }
  for (const AnswerKind kind : kAllKinds) {
    judge_window(kind, here, all, now);
    if (of(kind).bad_windows < kBadWindows) continue;
    STATOR_PROBE("peer: answers later than others do");
    bad = true;
  }
  if (bad) {
    slow_ = true;
    bad_at_ = now;
  } else if (slow_ && now - bad_at_ >= kWellAfter) {
    STATOR_PROBE("peer: slow no longer");
    slow_ = false;
  }
}

Verdict PeerHealth::look(const Surroundings& here, std::span<const PeerHealth* const> all,
                         MonoTime now) {
  judge_pace(here, all, now);
  return judge(here, now);
}

Verdict PeerHealth::judge(const Surroundings& here, MonoTime now) {
  if (!linked_ || !heard_ || !understood_) {
    verdict_ = Verdict::kDown;
  } else if (silent_for(now) > here.silence_max * here.stretch) {
    const bool witnessed = witnessed_at_.ns != 0 && now - witnessed_at_ < kWitnessLife;
    if (witnessed) STATOR_PROBE("peer: silent to us, and others hear it");
    verdict_ = witnessed ? Verdict::kSuspected : Verdict::kDown;
  } else {
    verdict_ = Verdict::kHealthy;
  }
  note_presence(answers() && !worth_asking_about(here, now), now);
  if (verdict_ != Verdict::kHealthy) return verdict_;
  const bool comes_and_goes = on_probation(now);
  if (comes_and_goes) STATOR_PROBE("peer: comes and goes");
  if (slow_ || comes_and_goes) verdict_ = Verdict::kSlow;
  return verdict_;
}

// Half a silence counts: a link that flaps is up again before a whole one is over.
void PeerHealth::note_presence(bool present, MonoTime now) {
  if (present == present_) return;
  present_ = present;
  if (present) {
    present_since_ = now;
    return;
  }
  falls_ = fell_at_.ns == 0 || now - fell_at_ > kFallsMemory ? 1 : falls_ + 1;
  fell_at_ = now;
}

bool PeerHealth::on_probation(MonoTime now) const {
  if (falls_ < 2 || now - fell_at_ > kFallsMemory) return false;
  const Duration probation = seconds(std::int64_t{1} << std::min(falls_ - 2, 10));
  return now - present_since_ < std::min(probation, kProbationMax);
}

bool PeerHealth::try_it(MonoTime now) {
  if (verdict_ != Verdict::kSlow || now - tried_at_ < kTryEvery) return false;
  STATOR_PROBE("peer: a slow one is tried");
  tried_at_ = now;
  return true;
}

}  // namespace stator
