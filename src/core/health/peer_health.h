#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"
#include "core/health/answer_times.h"

// What one node thinks of another one, from what it sees itself (paper 4.8.3; D32): its answers,
// its silence and its slowness. An opinion orders whom to ask; it never decides who owns what.

namespace stator {

/// Answers are compared with those of other peers to questions of the same kind: a write waits for
/// a disk, a read mostly for nothing, a ping for the loop alone.
enum class AnswerKind : std::uint8_t { kRead, kWrite, kPing };
inline constexpr std::size_t kAnswerKinds = 3;

enum class Verdict : std::uint8_t {
  kHealthy,
  kSlow,       // it answers, much later than others do: avoided for new work, and tried again
  kSuspected,  // asked and silent, while another node has heard it just now: the path may be broken
  kDown,       // no connection, silent, or not to be understood
};
[[nodiscard]] const char* to_string(Verdict verdict);

/// What is the same for all peers in one look.
struct Surroundings {
  Duration silence_max = milliseconds(600);  // asked, and no answer for so long: silent
  int stretch = 1;                           // SelfDoubt::stretch()
};

/// The record of one peer. The calls of the hot path (on_asked, on_replied, on_answer) cost a few
/// instructions; judging is done some times per second, by look(). Pure, fixed size, one shard.
///
/// Slow is who, in two windows of answers running, took in the median four times as long as the
/// median of the other peers for the same kind of question, four times its own best round trip (a
/// peer in another city is not slow) and kSlowMin; or whose outgoing bytes pile up; or who refuses
/// most of what it is asked as overloaded. It is well again when the kind of answer that was slow
/// has become good, or was not asked for during kForgetAfter, and nothing was bad for kWellAfter.
/// For kDoubtFor after that it is asked behind others that are as fit (doubted): what was slow
/// under load is well again without it, and would be slow again with it, once a second (a thin
/// link). As slow counts, too, who comes and goes: after the second silence within kFallsMemory it
/// must answer for a second before it is trusted, after the third for two, and so on.
class PeerHealth {
 public:
  // What happens.

  /// A question that must be answered leaves.
  void on_asked(MonoTime now) {
    if (unanswered_since_.ns == 0) unanswered_since_ = now;
  }
  /// An answer to any of our questions came: it hears us, and we hear it.
  void on_replied() { unanswered_since_ = {}; }
  /// How long an answer took; or, of one that has not come, how long it was waited for so far.
  void on_answer(AnswerKind kind, Duration took) { of(kind).window.add(took); }
  /// It refused since it has too much to do.
  void on_overloaded() { ++overloaded_; }
  /// Of a ping.
  void on_round_trip(Duration took);
  /// The link began or ended: what was asked on the former one says nothing.
  void on_link(bool up);
  /// Any frame of it came, under the history that we go by (else `understood` is false).
  void on_heard(bool understood) {
    heard_ = true;
    understood_ = understood;
  }
  /// Another node says how long ago it heard this peer.
  void on_witness(Duration heard_ago, MonoTime now);
  /// Before look(): bytes that the link could not hand over yet.
  void on_backlog(std::size_t bytes, MonoTime now);

  // What is thought of it.

  /// Judges its silence, at any time: a word of it may end it.
  Verdict judge(const Surroundings& here, MonoTime now);
  /// Judges its pace too, some times per second. `all` are the peers of this node, this one among
  /// them.
  Verdict look(const Surroundings& here, std::span<const PeerHealth* const> all, MonoTime now);
  [[nodiscard]] Verdict verdict() const { return verdict_; }
  /// It answers, be it slowly: an answer that is waited for may still come.
  [[nodiscard]] bool answers() const { return verdict_ <= Verdict::kSlow; }
  [[nodiscard]] bool healthy() const { return verdict_ == Verdict::kHealthy; }
  /// Healthy, but slow until a moment ago: fit for new work, behind those that were not.
  [[nodiscard]] bool doubted(MonoTime now) const {
    return bad_at_.ns != 0 && now - bad_at_ < kDoubtFor;
  }
  /// Silent for half of the time after which it counts as silent: time to ask others about it.
  [[nodiscard]] bool worth_asking_about(const Surroundings& here, MonoTime now) const;
  /// True now and then for a slow peer: one piece of new work, by which it can prove itself well.
  [[nodiscard]] bool try_it(MonoTime now);

  /// The typical answer of late; zero when too few came to tell.
  [[nodiscard]] Duration median(AnswerKind kind) const { return of(kind).median; }
  /// Within what time 95 of 100 answers came, over the last seconds; `otherwise` when too few came
  /// to tell.
  [[nodiscard]] Duration p95(AnswerKind kind, Duration otherwise) const {
    return of(kind).p95.ns == 0 ? otherwise : of(kind).p95;
  }

  static constexpr Duration kSlowMin = milliseconds(25);
  static constexpr int kSlowFactor = 4;
  static constexpr Duration kWellAfter = seconds(1);
  static constexpr Duration kDoubtFor = seconds(5);
  static constexpr Duration kFallsMemory = seconds(10);
  static constexpr Duration kProbationMax = seconds(3);
  static constexpr Duration kForgetAfter = seconds(3);
  static constexpr Duration kTryEvery = milliseconds(50);
  static constexpr Duration kWitnessLife = milliseconds(600);
  static constexpr std::size_t kBacklogMax = 1 << 20;
  static constexpr Duration kBacklogFor = milliseconds(300);
  /// A window is judged as soon as it has so many answers, and begins anew when it is older than
  /// kWindowMax and has fewer.
  static constexpr std::uint32_t kSamplesMin = 4;
  static constexpr std::uint32_t kPingsMin = 2;
  static constexpr Duration kWindowMax = milliseconds(1200);

 private:
  struct Kind {
    AnswerTimes window;
    AnswerTimes memory;  // of some windows before
    MonoTime window_began{};
    MonoTime judged_at{};
    Duration median{};
    Duration p95{};       // of memory; 0: too few answers to tell
    int bad_windows = 0;  // running
  };

  [[nodiscard]] Kind& of(AnswerKind kind) { return kinds_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Kind& of(AnswerKind kind) const {
    return kinds_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] Duration silent_for(MonoTime now) const;
  [[nodiscard]] Duration limit(AnswerKind kind, const Surroundings& here,
                               std::span<const PeerHealth* const> all) const;
  void judge_window(AnswerKind kind, const Surroundings& here,
                    std::span<const PeerHealth* const> all, MonoTime now);
  [[nodiscard]] bool overloaded(std::uint32_t answers, MonoTime now);
  void judge_pace(const Surroundings& here, std::span<const PeerHealth* const> all, MonoTime now);
  void note_presence(bool present, MonoTime now);
  [[nodiscard]] bool on_probation(MonoTime now) const;

  Verdict verdict_ = Verdict::kDown;
  bool linked_ = false;
  bool heard_ = false;
  bool understood_ = true;
  bool slow_ = false;
  MonoTime unanswered_since_{};
  MonoTime witnessed_at_{};  // when others last heard it
  MonoTime backlog_since_{};
  MonoTime bad_at_{};  // when anything was bad last
  MonoTime tried_at_{};
  bool present_ = false;  // it answers, and is not about to become silent
  MonoTime fell_at_{};    // when it was no more, the last time
  MonoTime present_since_{};
  int falls_ = 0;  // of late
  Duration best_round_trip_{};
  std::uint32_t overloaded_ = 0;
  std::uint32_t overload_windows_ = 0;  // running
  std::array<Kind, kAnswerKinds> kinds_;
};

}  // namespace stator
