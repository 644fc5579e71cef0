#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/quorum/round_model.h"
#include "core/quorum/write_round.h"

// The oracle of WriteRound's exhaustive tests: it takes each step that the world can take, and
// recounts everything from the messages alone. The write is version 1; what a replica holds besides
// are other bits; the restamped write is bit 32.

namespace stator::model {

inline constexpr MonoTime kDeadline{1'000};
inline constexpr Mask kWritten = 1;
inline constexpr Mask kRestamped = 32;

struct Case {
  WriteOptions options;
  std::vector<Candidate> list;
  ReplicaIndex local = 0;
  std::vector<Mask> holds;      // by replica, before the write
  ReplicaSet durable;           // these acknowledge what is on their disk
  std::vector<Candidate> more;  // whom the answer to kMore names
};

// What one attempt has done so far, by the messages alone.
struct Attempt {
  ReplicaSet sent, pending, acked, durable, differing;
  ReplicaSet asked, vain;  // for the one durable copy; and who has said that it cannot
  ReplicaIndex last_asked = kNoReplica;
  MonoTime asked_at{};
  bool found = false;  // somebody has said that its copy is durable
  std::array<ReplicaIndex, kCandidatesMax> stands_for{};  // of those sent to that are no owners
  std::array<std::uint8_t, kCandidatesMax> sent_as{};     // the number of its wish
};

struct World {
  WriteRound round;
  std::vector<Candidate> list;
  bool more_wished = false;
  MonoTime now{};
  Attempt attempts[2];
  ReplicaSet failed;
  ReplicaSet silent;
  ReplicaIndex home = kNoReplica;  // for whom the minted object stands
  Mask object = 0;
  bool store_wished = false, minted = false, cover_wished = false, covering = false;
  bool cover_refused = false;
  bool owes = false;  // the local store is in the engine and not on disk yet
  bool decided = false, failed_round = false, repaired = false, finished = false;
  MonoTime straggler_end{};  // once it is answered
  int hedges = 0, failures = 0;
  std::string trace;

  [[nodiscard]] std::uint8_t attempt() const { return round.attempt(); }
  Attempt& present() { return attempts[attempt()]; }
  [[nodiscard]] const Attempt& present() const { return attempts[attempt()]; }
};

class Explorer {
 public:
  Explorer(const Case& c, int failures_max, int hedges_max)
      : c_(c), failures_max_(failures_max), hedges_max_(hedges_max) {}

  std::uint64_t explore() {
    descend(begin());
    return runs_;
  }
  /// How often a stand-in was given another name.
  [[nodiscard]] std::uint64_t renames() const { return renames_; }

  World begin() {
    World w;
    w.list = c_.list;
    w.list[c_.local].usable = true;
    w.round.start(c_.options, c_.list, c_.local, w.now);
    drain(w);
    return w;
  }
  void mint(World& w) {
    w.trace += " mint";
    w.minted = true;
    w.object = c_.holds[c_.local] | kWritten;
    w.attempts[0].sent.add(c_.local);
    w.attempts[0].pending.add(c_.local);
    note_stand_in(w, w.attempts[0], c_.local);
    w.home = w.attempts[0].stands_for[c_.local];
    w.round.on_minted(w.object, w.now);
    drain(w);
  }
  void refuse(World& w) {
    w.trace += " refuse";
    w.failed.add(c_.local);
    w.round.on_failure(c_.local, 0, ErrorCode::kDiskFull, w.now);
    drain(w);
    require(w.finished && w.failed_round, "a refused store ends the round", w.trace);
  }
  void ack(World& w, std::uint8_t attempt, ReplicaIndex i) {
    w.trace += " ack" + std::to_string(attempt) + std::to_string(i);
    Attempt& a = w.attempts[attempt];
    const Mask sent = attempt == w.attempt() ? w.object : c_.holds[c_.local] | kWritten;
    const Mask after = i == c_.local ? sent : sent | c_.holds[i];
    a.pending.remove(i);
    if (attempt == w.attempt()) {
      a.acked.add(i);
      w.silent.remove(i);
      if (c_.durable.contains(i)) note_durable(a, i);
      if (after != sent) a.differing.add(i);
      if (i == c_.local && !c_.options.durable_one) w.owes = !c_.durable.contains(i);
    }
    w.round.on_ack(i, a.sent_as[i], after, c_.durable.contains(i), w.now);
    drain(w);
  }
  // The local store, acknowledged before it was durable, becomes so; or never will.
  void sync(World& w, bool works) {
    w.trace += works ? " sync" : " lose";
    w.owes = false;
    Attempt& a = w.present();
    if (works) {
      note_durable(a, c_.local);
      w.round.on_ack(c_.local, a.sent_as[c_.local], w.object, true, w.now);
    } else {
      a.acked.remove(c_.local);
      w.failed.add(c_.local);
      ++w.failures;
      w.round.on_failure(c_.local, a.sent_as[c_.local], ErrorCode::kIo, w.now);
    }
    drain(w);
  }
  // Who was asked for the one durable copy, has acknowledged, and has not said how that went.
  [[nodiscard]] static ReplicaSet reporting(const World& w) {
    const Attempt& a = w.present();
    return (a.asked & a.acked) - a.durable - a.vain - w.failed;
  }
  void report(World& w, ReplicaIndex i, bool works) {
    w.trace += (works ? " durable" : " vain") + std::to_string(i);
    Attempt& a = w.present();
    if (works) {
      note_durable(a, i);
      w.round.on_ack(i, a.sent_as[i], w.object | c_.holds[i], true, w.now);
    } else {
      a.vain.add(i);
      ++w.failures;
      w.round.on_failure(i, a.sent_as[i], ErrorCode::kIo, w.now);
    }
    drain(w);
  }
  void fail(World& w, std::uint8_t attempt, ReplicaIndex i) {
    w.trace += " fail" + std::to_string(attempt) + std::to_string(i);
    w.attempts[attempt].pending.remove(i);
    if (attempt == w.attempt()) {
      w.failed.add(i);
      w.silent.remove(i);
    }
    ++w.failures;
    w.round.on_failure(i, w.attempts[attempt].sent_as[i], ErrorCode::kClosed, w.now);
    drain(w);
  }
  void cover(World& w, bool possible) {
    w.trace += possible ? " cover" : " leave";
    w.covering = false;
    if (possible) {
      for (const ReplicaIndex i : w.attempts[0].acked) w.object |= c_.holds[i];
      w.object |= kRestamped;
      w.silent = ReplicaSet();
      w.owes = false;
      // The local store of what was restamped is under way.
      if (!w.failed.contains(c_.local)) {
        w.attempts[1].sent.add(c_.local);
        w.attempts[1].pending.add(c_.local);
        w.attempts[1].sent_as[c_.local] = 1;
      }
      w.round.on_covered(w.object, w.now);
      // What is covered is the object that it minted, for whomever that stood.
      note_stand_in(w, w.attempts[1], c_.local);
      require(c_.list[c_.local].owner || w.attempts[1].stands_for[c_.local] == w.home,
              "covers what it minted", w.trace);
      require(w.attempt() == 1, "covering is attempt 1", w.trace);
    } else {
      w.cover_refused = true;
      w.round.on_cover_refused(w.now);
    }
    drain(w);
  }
  void hedge(World& w) {
    w.trace += " hedge";
    w.now = w.now + c_.options.hedge_after;
    w.silent = w.present().pending;
    ++w.hedges;
    w.round.on_tick(w.now);
    drain(w);
  }
  void deadline(World& w) {
    w.trace += " deadline";
    w.now = kDeadline;
    w.round.on_tick(w.now);
    drain(w);
    require(w.finished, "finished at the deadline", w.trace);
  }
  void after_the_end(World& w) {
    ++runs_;
    const ReplicaSet acked = w.round.acked();
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
      for (const std::uint8_t attempt : {0, 1}) {
        w.round.on_ack(i, attempt, 77, true, w.now);
        w.round.on_failure(i, attempt, ErrorCode::kIo, w.now);
      }
    }
    w.round.on_minted(77, w.now);
    w.round.on_covered(77, w.now);
    w.round.on_tick(kDeadline + seconds(1));
    require(!w.round.next(), "no wish after kFinished", w.trace);
    require(w.round.acked() == acked && acked == w.present().acked, "acked()", w.trace);
    require(w.round.differing() == w.present().differing, "differing()", w.trace);
    require(w.round.not_acked() == w.present().sent - acked, "not_acked()", w.trace);
    const ReplicaSet served = places(w, w.present(), acked);
    require(w.round.places() == served, "places()", w.trace);
    require(w.round.unserved() == owners(w) - served, "unserved()", w.trace);
  }

 private:
  using Kind = WriteWish::Kind;

  static void note_durable(Attempt& a, ReplicaIndex i) {
    a.durable.add(i);
    a.found = true;
  }
  void descend(const World& w) {
    if (w.finished) {
      World end = w;
      after_the_end(end);
      return;
    }
    const auto branch = [&](auto&& step) {
      World next = w;
      step(next);
      descend(next);
    };
    branch([&](World& n) { deadline(n); });
    if (!w.minted) {
      branch([&](World& n) { mint(n); });
      branch([&](World& n) { refuse(n); });
      return;
    }
    if (w.covering) {
      branch([&](World& n) { cover(n, true); });
      branch([&](World& n) { cover(n, false); });
    }
    require(w.covering || w.owes || !w.present().pending.empty() || !reporting(w).empty(),
            "somebody is asked while it goes on", w.trace);
    for (const ReplicaIndex i : w.covering ? ReplicaSet() : reporting(w)) {
      branch([&](World& n) { report(n, i, true); });
      if (w.failures < failures_max_) branch([&](World& n) { report(n, i, false); });
    }
    if (w.owes) {
      branch([&](World& n) { sync(n, true); });
      if (w.failures < failures_max_) branch([&](World& n) { sync(n, false); });
    }
    for (std::uint8_t attempt = 0; attempt <= w.attempt(); ++attempt) {
      for (const ReplicaIndex i : w.attempts[attempt].pending) {
        branch([&](World& n) { ack(n, attempt, i); });
        if (w.failures < failures_max_) branch([&](World& n) { fail(n, attempt, i); });
      }
    }
    if (w.hedges < hedges_max_ && !w.covering &&
        (w.silent != w.present().pending || !reporting(w).empty())) {
      branch([&](World& n) { hedge(n); });
    }
  }

  // An owner and whoever keeps a copy for it are one place.
  static ReplicaSet places(const World& w, const Attempt& a, ReplicaSet copies) {
    ReplicaSet set;
    for (const ReplicaIndex i : copies) set.add(w.list[i].owner ? i : a.stands_for[i]);
    return set;
  }
  // One for each place: its owner, if that is among them.
  static ReplicaSet counted(const World& w, const Attempt& a) {
    ReplicaSet set;
    for (const ReplicaIndex place : places(w, a, a.acked)) {
      ReplicaIndex who = place;
      for (ReplicaIndex i = 0; !a.acked.contains(who); ++i) {
        if (a.acked.contains(i) && !w.list[i].owner && a.stands_for[i] == place) who = i;
      }
      set.add(who);
    }
    return set;
  }
  [[nodiscard]] bool enough(const World& w, const Attempt& a) const {
    return places(w, a, a.acked).size() >= c_.options.w &&
           (a.acked & owners(w)).size() >= c_.options.pw &&
           places(w, a, a.acked & a.durable).size() >= c_.options.dw;
  }
  // Stand-ins without which no place that has acknowledged would be missing.
  static ReplicaSet spare(const World& w, const Attempt& a) {
    ReplicaSet set;
    for (const ReplicaIndex i : a.acked - owners(w)) {
      ReplicaSet others = a.acked;
      others.remove(i);
      if (places(w, a, others).contains(a.stands_for[i])) set.add(i);
    }
    return set;
  }
  // As many nodes are believed to answer as the write needs.
  [[nodiscard]] bool enough_usable(const World& w) const {
    ReplicaSet usable;
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
      if (w.list[i].usable) usable.add(i);
    }
    return satisfies(usable, w.list, std::max(c_.options.w, c_.options.dw), c_.options.pw);
  }
  [[nodiscard]] bool may_name_more(const World& w) const {
    return c_.options.more && !w.more_wished;
  }
  // Owners on whose copy one cannot count.
  [[nodiscard]] ReplicaSet missed(const World& w) const {
    ReplicaSet set = w.failed | w.silent;
    for (const ReplicaIndex i : owners(w)) {
      if (!w.list[i].usable) set.add(i);
    }
    return (set & owners(w)) - w.present().acked;
  }
  static void note_stand_in(World& w, Attempt& a, ReplicaIndex i) {
    a.stands_for[i] = w.round.stands_for(i);
    require(w.list[i].owner == (a.stands_for[i] == kNoReplica), "an owner stands for nobody else",
            w.trace);
    require(w.list[i].owner || w.list[a.stands_for[i]].owner, "a stand-in stands for an owner",
            w.trace);
  }
  // A copy beyond the owners is that of an owner who is missed, and nobody else's.
  void check_stand_in(World& w, Attempt& a, ReplicaIndex i) const {
    note_stand_in(w, a, i);
    if (w.list[i].owner) return;
    const ReplicaIndex owner = a.stands_for[i];
    if (w.attempt() == 1 && w.attempts[0].sent.contains(i) && !a.sent.contains(i)) {
      require(owner == w.attempts[0].stands_for[i], "stands for the same in both attempts",
              w.trace);
      return;
    }
    if (a.acked.contains(owner) && !a.durable.contains(owner)) {
      require(c_.options.dw > 0, "nobody stands for an owner who has it", w.trace);
      return;
    }
    require(missed(w).contains(owner), "a stand-in's owner is not counted on", w.trace);
    const ReplicaSet weak = c_.options.dw > 0 ? a.acked - a.durable : ReplicaSet();
    for (const ReplicaIndex other : a.sent - w.failed - w.silent - weak) {
      require(w.list[other].owner || other == i || a.stands_for[other] != owner,
              "one stand-in is enough for an owner", w.trace);
    }
  }
  // Everybody who has not failed acknowledges, durably unless it has said otherwise, and each
  // stand-in under the name that is needed: as many places as there are nodes, of N at most.
  [[nodiscard]] bool possible(const World& w) const {
    const Attempt& a = w.present();
    const ReplicaSet acked = all(w) - w.failed;
    ReplicaSet weak = a.acked - a.durable;
    weak.remove(c_.local);
    const std::uint8_t most = owners(w).size();
    return std::min(acked.size(), most) >= c_.options.w &&
           (acked & owners(w)).size() >= c_.options.pw &&
           std::min((acked - weak).size(), most) >= c_.options.dw;
  }

  void drain(World& w) {
    while (const auto wish = w.round.next()) {
      require(!w.finished, "no wish after kFinished", w.trace);
      switch (wish->kind) {
        case Kind::kMore: name_more(w); break;
        case Kind::kStore:
          require(enough_usable(w), "stores only what enough nodes may take", w.trace);
          require(!w.store_wished && wish->replica == c_.local, "one local store", w.trace);
          w.store_wished = true;
          break;
        case Kind::kSend: on_send(w, *wish); break;
        case Kind::kSync:
          require(w.present().sent.contains(wish->replica) &&
                      wish->attempt == w.present().sent_as[wish->replica],
                  "asks who has a copy, or is getting one", w.trace);
          on_asked(w, wish->replica);
          break;
        case Kind::kCover:
          require(c_.options.cover && !w.cover_wished && !w.decided, "covers once", w.trace);
          require(!w.attempts[0].differing.empty(), "covers only what was shown", w.trace);
          w.cover_wished = w.covering = true;
          break;
        case Kind::kAnswer: on_answer(w); break;
        case Kind::kFail: on_fail(w, *wish); break;
        case Kind::kRepair:
          require(w.decided && !w.failed_round && !w.repaired, "repairs once, after the answer",
                  w.trace);
          require(has_settled(w), "repairs when all have spoken, or had their time", w.trace);
          require(!has_durable(w), "repairs before the end only where a disk is awaited", w.trace);
          w.repaired = true;
          break;
        case Kind::kFinished:
          require(w.decided, "kFinished follows kAnswer or kFail", w.trace);
          require(w.failed_round || w.now >= kDeadline || has_durable(w) ||
                      (!may_ask(w) && hopes(w).empty()),
                  "ends with a durable copy, or when nobody is left who could make one", w.trace);
          w.finished = true;
          break;
      }
    }
    require(w.finished == w.round.finished(), "finished() says what the wishes say", w.trace);
    if (w.finished) return;
    require(w.round.wake_at() <= kDeadline, "wakes up by the deadline", w.trace);
    if (w.minted && !w.covering && w.now < kDeadline) {
      require(has_durable(w) || !may_ask(w) || !hopes(w).empty(),
              "somebody is asked to be durable while nobody is", w.trace);
    }
    require(!w.decided || w.repaired || !has_settled(w), "what is owed waits for no disk", w.trace);
    if (w.decided || !w.minted || w.covering) return;
    require(!enough(w, w.present()), "answered as soon as possible", w.trace);
    const Attempt& a = w.present();
    const bool idle =
        !(all(w) - a.sent - w.failed).empty() || may_name_more(w) || !spare(w, a).empty();
    require(!idle || places(w, a, a.sent - w.failed - w.silent) == owners(w),
            "the places of the failed and the silent are filled", w.trace);
  }

  [[nodiscard]] bool has_durable(const World& w) const {
    return !c_.options.durable_one || w.present().found;
  }
  // Somebody has a copy, or is getting one, and was not asked for the durable one.
  [[nodiscard]] static bool may_ask(const World& w) {
    return !(w.present().sent - w.present().asked - w.failed).empty();
  }
  // Nobody's acknowledgement is waited for any more.
  [[nodiscard]] static bool has_settled(const World& w) {
    return w.present().pending.empty() || w.now >= w.straggler_end;
  }
  // Who was asked and may still do it.
  [[nodiscard]] static ReplicaSet hopes(const World& w) {
    return w.present().asked - w.present().vain - w.failed;
  }
  void on_asked(World& w, ReplicaIndex i) const {
    w.trace += " [" + std::to_string(i) + "]";
    Attempt& a = w.present();
    require(c_.options.durable_one && !a.found, "asks while nobody is durable", w.trace);
    require(!a.asked.contains(i) && !w.failed.contains(i), "asks each once", w.trace);
    // Who is about to keep another copy instead has not been asked for that one.
    const bool renamed =
        a.last_asked != kNoReplica && w.round.attempt_of(a.last_asked) != a.sent_as[a.last_asked];
    if (a.last_asked != kNoReplica && !renamed && hopes(w).contains(a.last_asked)) {
      const Duration patience =
          a.acked.contains(a.last_asked) ? c_.options.durable_after : c_.options.hedge_after;
      require(w.now >= a.asked_at + patience, "gives everybody its time", w.trace);
    }
    a.last_asked = i;
    a.asked_at = w.now;
    // Those who are named later may come too late for this.
    require(i != c_.local || c_.options.more || !usable_left(w),
            "the coordinator comes after the others", w.trace);
    a.asked.add(i);
  }
  [[nodiscard]] bool usable_left(const World& w) const {
    for (const ReplicaIndex i : w.present().sent - w.present().asked - w.failed - w.silent) {
      if (i != c_.local && w.list[i].usable) return true;
    }
    return false;
  }

  void name_more(World& w) {
    w.trace += " MORE";
    require(may_name_more(w), "asks once for more, and only where there are more", w.trace);
    const bool weak = c_.options.dw > 0 && !(w.present().acked - w.present().durable).empty();
    require(!enough_usable(w) || !missed(w).empty() || weak,
            "asks for more only where one is missed", w.trace);
    w.more_wished = true;
    w.list.insert(w.list.end(), c_.more.begin(), c_.more.end());
    if (w.list.size() > kCandidatesMax) w.list.resize(kCandidatesMax);
    w.round.add_candidates(c_.more, w.now);
  }

  void on_send(World& w, const WriteWish& wish) {
    const ReplicaIndex i = wish.replica;
    w.trace += " (" + std::to_string(wish.attempt) + std::to_string(i) + ")";
    Attempt& a = w.present();
    require(w.minted, "stores before it sends", w.trace);
    require(wish.attempt % 2 == w.attempt(), "sends the present attempt", w.trace);
    require(i < w.list.size(), "sends to a candidate", w.trace);
    require(!w.failed.contains(i), "who failed is sent nothing more", w.trace);
    require(w.now < kDeadline, "nothing is sent after the deadline", w.trace);
    if (a.sent.contains(i)) {
      check_name(w, a, wish);
    } else {
      require(i != c_.local && wish.attempt == w.attempt(), "sends to another candidate", w.trace);
      check_stand_in(w, a, i);
    }
    a.sent.add(i);
    a.pending.add(i);
    a.sent_as[i] = wish.attempt;
    if (wish.durable) on_asked(w, i);
  }

  // A stand-in gets the object again, in the name of an owner for whom nobody else is left.
  void check_name(World& w, Attempt& a, const WriteWish& wish) {
    const ReplicaIndex i = wish.replica;
    require(!w.decided, "W places stand behind the answer: nobody gets another name", w.trace);
    require(!w.list[i].owner, "nothing is sent twice to an owner", w.trace);
    require(spare(w, a).contains(i), "whose copy is needed keeps its name", w.trace);
    require((all(w) - a.sent - w.failed).empty() && !may_name_more(w), "others come first",
            w.trace);
    require(wish.attempt == a.sent_as[i] + 2 && wish.attempt <= 15, "a number of its own", w.trace);
    const std::uint8_t before = a.sent_as[i];
    a.acked.remove(i);
    a.durable.remove(i);
    a.asked.remove(i);
    a.vain.remove(i);
    if (i == c_.local) w.owes = false;
    check_stand_in(w, a, i);
    // Late, or twice: of the copy under its old name.
    w.round.on_ack(i, before, w.object, true, w.now);
    w.round.on_failure(i, before, ErrorCode::kClosed, w.now);
    require(!w.round.acked().contains(i) && w.round.waiting().contains(i),
            "answers to the old name are of nothing", w.trace);
    ++renames_;
  }

  void on_answer(World& w) {
    w.trace += " ANSWER";
    require(!w.decided, "one decision", w.trace);
    w.decided = true;
    w.straggler_end = std::min(w.now + c_.options.straggler_window, kDeadline);
    const Attempt& a = w.present();
    require(enough(w, a), "W places, PW of them owners, DW durable", w.trace);
    require(w.round.evidence() == count_evidence(counted(w, a), w.list), "evidence", w.trace);
    const bool shown = c_.options.cover && !w.attempts[0].differing.empty();
    require(!shown || w.attempt() == 1 || w.cover_refused, "a plain write covers what it was shown",
            w.trace);
    require(w.round.answered(), "answered()", w.trace);
  }

  void on_fail(World& w, const WriteWish& wish) {
    w.trace += " FAIL";
    require(!w.decided, "one decision", w.trace);
    w.decided = w.failed_round = true;
    require(wish.outcome == (w.minted ? Outcome::kUnknown : Outcome::kNotApplied),
            "not_applied is a promise, anything else is unknown", w.trace);
    if (!w.store_wished && w.now < kDeadline) {
      require(wish.code == ErrorCode::kTooFewNodes && !may_name_more(w), "refused for its nodes",
              w.trace);
      require(!enough_usable(w) || !possible(w), "refused only where they are too few", w.trace);
      require(wish.got < wish.needed, "says what is missing", w.trace);
      return;
    }
    const bool refused = !w.minted && w.failed.contains(c_.local);
    require(refused || possible(w) == (wish.code == ErrorCode::kTimeout), "code", w.trace);
    require(refused || !possible(w) || w.now >= kDeadline, "fails only when nothing else is left",
            w.trace);
    require(!refused || wish.code == ErrorCode::kDiskFull, "a refusal is told as it is", w.trace);
    require(wish.got < wish.needed || w.covering, "says what is missing", w.trace);
    require(!w.round.answered(), "not answered()", w.trace);
  }

  [[nodiscard]] static ReplicaSet all(const World& w) {
    return ReplicaSet(static_cast<std::uint16_t>((1U << w.list.size()) - 1));
  }
  [[nodiscard]] static ReplicaSet owners(const World& w) {
    ReplicaSet set;
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
      if (w.list[i].owner) set.add(i);
    }
    return set;
  }

  const Case& c_;
  int failures_max_, hedges_max_;
  std::uint64_t runs_ = 0;
  std::uint64_t renames_ = 0;
};

inline Case make(std::size_t count, std::size_t owners, unsigned w) {
  Case c;
  c.options.n = static_cast<std::uint8_t>(owners);
  c.options.w = static_cast<std::uint8_t>(w);
  c.options.deadline = kDeadline;
  c.options.hedge_after = nanoseconds(10);
  c.options.durable_after = nanoseconds(20);
  c.options.straggler_window = nanoseconds(500);
  c.list = candidates(count, owners);
  c.holds.assign(count, 0);
  c.durable = ReplicaSet(0xFFFF);
  return c;
}

}  // namespace stator::model
