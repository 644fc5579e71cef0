#include <gtest/gtest.h>

#include <random>

#include "core/quorum/read_round.h"
#include "core/quorum/round_model.h"

// Every order of replies, failures and ticks, against an oracle that recounts everything from the
// messages alone.

namespace stator {
namespace {

using model::Mask;
using model::require;
using Kind = ReadWish::Kind;

struct Case {
  ReadOptions options;
  std::vector<Candidate> list;
  ReplicaIndex local = kNoReplica;
  std::vector<Mask> knows;  // by replica
};

constexpr MonoTime kDeadline{1'000};

// The round, and the world around it as the coordinator sees it.
struct World {
  ReadRound round;
  MonoTime now{};
  ReplicaSet asked_digest, asked_value, pending, pending_value, silent, replied, failed, valued;
  std::vector<Mask> told;  // the mask that the replica's last reply stood for
  Mask merged = 0;
  std::vector<Mask> merged_before;
  bool decided = false, failed_round = false, finished = false;
  int hedges = 0, failures = 0;
  std::string trace;
};

class Explorer {
 public:
  Explorer(const Case& setup, int failures_max, int hedges_max)
      : s_(setup), failures_max_(failures_max), hedges_max_(hedges_max) {}

  std::uint64_t explore() {
    World w = begin();
    descend(w);
    return runs_;
  }

  World begin() {
    World w;
    w.told.assign(s_.list.size(), 0);
    w.round.start(s_.options, s_.list, s_.local, w.now);
    drain(w);
    return w;
  }

  void reply(World& w, ReplicaIndex i) {
    const bool value = w.pending_value.contains(i);
    w.trace += (value ? " value" : " digest") + std::to_string(i);
    w.pending.remove(i);
    w.pending_value.remove(i);
    w.silent.remove(i);
    w.replied.add(i);
    w.told[i] = s_.knows[i];
    if (value) {
      w.valued.add(i);
      w.merged |= s_.knows[i];
      w.merged_before.push_back(w.merged);
      w.round.on_value(i, s_.knows[i], w.merged, w.now);
    } else {
      w.round.on_digest(i, s_.knows[i], w.now);
    }
    drain(w);
  }
  void fail(World& w, ReplicaIndex i) {
    w.trace += " fail" + std::to_string(i);
    w.pending.remove(i);
    w.pending_value.remove(i);
    w.silent.remove(i);
    w.failed.add(i);
    ++w.failures;
    w.round.on_failure(i, ErrorCode::kClosed, w.now);
    drain(w);
  }
  void hedge(World& w) {
    w.trace += " hedge";
    w.now = w.now + s_.options.hedge_after;
    w.silent = w.pending;
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
    const ReplicaSet counted = w.round.counted();
    for (ReplicaIndex i = 0; i < s_.list.size(); ++i) {
      w.round.on_digest(i, 77, w.now);
      w.round.on_value(i, 77, 77, w.now);
      w.round.on_failure(i, ErrorCode::kIo, w.now);
    }
    w.round.on_tick(kDeadline + seconds(1));
    require(!w.round.next(), "no wish after kFinished", w.trace);
    require(w.round.counted() == counted, "the answer stands", w.trace);
    if (!w.decided || w.failed_round) return;
    for (ReplicaIndex i = 0; i < s_.list.size(); ++i) {
      const bool differs = w.replied.contains(i) && w.told[i] != w.merged;
      require(w.round.stale().contains(i) == differs, "stale: replied with another digest",
              w.trace);
    }
  }

 private:
  void descend(const World& w) {
    if (w.finished) {
      World end = w;
      after_the_end(end);
      return;
    }
    require(!w.pending.empty(), "somebody is asked while the round goes on", w.trace);
    for (const ReplicaIndex i : w.pending) {
      World next = w;
      reply(next, i);
      descend(next);
      if (w.failures < failures_max_) {
        next = w;
        fail(next, i);
        descend(next);
      }
    }
    if (w.hedges < hedges_max_ && w.silent != w.pending) {
      World next = w;
      hedge(next);
      descend(next);
    }
    World next = w;
    deadline(next);
    descend(next);
  }

  // Replicas whose every word is in the merged object, as far as anybody can tell from digests.
  ReplicaSet understood(const World& w) const {
    ReplicaSet set;
    for (const ReplicaIndex i : w.replied - w.failed) {
      bool known = w.told[i] == 0 || w.valued.contains(i);
      for (const Mask m : w.merged_before) known |= m == w.told[i];
      for (const ReplicaIndex j : w.valued) known |= w.told[j] == w.told[i];
      if (known) set.add(i);
    }
    return set;
  }

  void drain(World& w) {
    while (const auto wish = w.round.next()) {
      require(!w.finished, "no wish after kFinished", w.trace);
      switch (wish->kind) {
        case Kind::kAskDigest:
        case Kind::kAskValue: on_ask(w, *wish); break;
        case Kind::kAnswer: on_answer(w); break;
        case Kind::kFail: on_fail(w, *wish); break;
        case Kind::kFinished:
          require(w.decided, "kFinished follows kAnswer or kFail", w.trace);
          w.finished = true;
          break;
      }
    }
    require(w.finished == w.round.finished(), "finished() says what the wishes say", w.trace);
    if (!w.decided) {
      require(!model::satisfies(understood(w), s_.list, s_.options.r, s_.options.pr),
              "answered as soon as possible", w.trace);
      check_replacement(w);
      require(w.round.wake_at() <= kDeadline, "wakes up by the deadline", w.trace);
    }
  }

  // While somebody is left who could help, somebody who is not known to be slow is asked.
  void check_replacement(const World& w) const {
    const ReplicaSet live = understood(w) | (w.pending - w.silent);
    const QuorumEvidence have = model::count_evidence(live, s_.list);
    const QuorumEvidence idle =
        model::count_evidence(all() - w.asked_digest - w.asked_value, s_.list);
    const bool helps = (have.primaries < s_.options.pr && idle.primaries > 0) ||
                       (have.nodes < s_.options.r && idle.nodes > 0);
    require(!helps || !(w.pending - w.silent).empty(), "the silent are replaced", w.trace);
  }

  void on_ask(World& w, const ReadWish& wish) {
    const bool value = wish.kind == Kind::kAskValue;
    const ReplicaIndex i = wish.replica;
    w.trace += (value ? " (v" : " (d") + std::to_string(i) + ")";
    ReplicaSet& asked = value ? w.asked_value : w.asked_digest;
    require(i < s_.list.size(), "asks a candidate", w.trace);
    require(!asked.contains(i), "nothing is asked twice of one replica", w.trace);
    require(!w.pending.contains(i), "one request per replica at a time", w.trace);
    require(!w.failed.contains(i), "who failed is not asked again", w.trace);
    require(w.now < kDeadline, "nothing is asked after the deadline", w.trace);
    require(!w.decided || value, "after the answer only differing replicas are asked", w.trace);
    require(value || s_.options.allow_digest, "digests only when allowed", w.trace);
    asked.add(i);
    w.pending.add(i);
    if (value) w.pending_value.add(i);
  }

  void on_answer(World& w) {
    w.trace += " ANSWER";
    require(!w.decided, "one decision", w.trace);
    w.decided = true;
    const ReplicaSet counted = w.round.counted();
    require(model::satisfies(counted, s_.list, s_.options.r, s_.options.pr),
            "R distinct replicas, PR of them owners", w.trace);
    require((counted - w.replied).empty(), "only who replied counts", w.trace);
    require((counted & w.failed).empty(), "who failed does not count", w.trace);
    for (const ReplicaIndex i : counted) {
      require((w.told[i] & ~w.merged) == 0, "the answer holds all that the counted know", w.trace);
    }
    require(w.round.evidence() == model::count_evidence(counted, s_.list), "evidence", w.trace);
    require(w.round.answered(), "answered()", w.trace);
  }

  void on_fail(World& w, const ReadWish& wish) {
    w.trace += " FAIL";
    require(!w.decided, "one decision", w.trace);
    w.decided = w.failed_round = true;
    const bool possible = model::satisfies(all() - w.failed, s_.list, s_.options.r, s_.options.pr);
    require(possible == (w.now >= kDeadline) || !possible, "fails only when nothing else is left",
            w.trace);
    require(!possible || wish.code == ErrorCode::kTimeout, "too late is kTimeout", w.trace);
    require(possible || wish.code == ErrorCode::kTooFewNodes, "too few is kTooFewNodes", w.trace);
    require(wish.got < wish.needed, "says what is missing", w.trace);
    require(!w.round.answered(), "not answered()", w.trace);
  }

  ReplicaSet all() const {
    return ReplicaSet(static_cast<std::uint16_t>((1U << s_.list.size()) - 1));
  }

  const Case& s_;
  int failures_max_, hedges_max_;
  std::uint64_t runs_ = 0;
};

Case make(std::size_t count, std::size_t owners, unsigned r, unsigned pr) {
  Case s;
  s.options.r = static_cast<std::uint8_t>(r);
  s.options.pr = static_cast<std::uint8_t>(pr);
  s.options.deadline = kDeadline;
  s.options.hedge_after = nanoseconds(10);
  s.options.straggler_window = nanoseconds(500);
  s.list = model::candidates(count, owners);
  s.local = 0;
  return s;
}

std::vector<Mask> knowledge(std::size_t count, unsigned code) {
  std::vector<Mask> knows;
  for (std::size_t i = 0; i < count; ++i, code /= 4) knows.push_back(code % 4);
  return knows;
}

TEST(ReadRoundExhaustive, ThreeOwnersWithEveryKnowledgeKeepAllPromises) {
  std::uint64_t runs = 0;
  for (std::size_t count = 1; count <= 3; ++count) {
    for (unsigned r = 1; r <= count + 1; ++r) {
      for (unsigned code = 0; code < (1U << (2 * count)); ++code) {
        for (const bool digests : {true, false}) {
          Case s = make(count, count, r, 0);
          s.options.allow_digest = digests;
          s.knows = knowledge(count, code);
          s.local = code % 2 == 0 ? 0 : kNoReplica;
          runs += Explorer(s, 3, 2).explore();
        }
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 100'000U);
}

TEST(ReadRoundExhaustive, FourOwnersWithEveryKnowledgeKeepAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned r = 2; r <= 3; ++r) {
    for (unsigned code = 0; code < 256; ++code) {
      Case s = make(4, 4, r, 0);
      s.knows = knowledge(4, code);
      runs += Explorer(s, 2, 1).explore();
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 500'000U);
}

TEST(ReadRoundExhaustive, FiveCandidatesKeepAllPromises) {
  const std::vector<std::vector<Mask>> patterns = {
      {1, 1, 1, 1, 1}, {0, 0, 0, 0, 0}, {3, 1, 2, 0, 3}, {1, 2, 1, 2, 3}, {0, 3, 3, 1, 1}};
  std::uint64_t runs = 0;
  for (unsigned r = 1; r <= 5; ++r) {
    for (const auto& knows : patterns) {
      Case s = make(5, 5, r, 0);
      s.knows = knows;
      runs += Explorer(s, r == 4 ? 2 : 5, r <= 2 ? 2 : 1).explore();
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 100'000U);
}

TEST(ReadRoundExhaustive, StandInsAndPrimariesKeepAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned r = 1; r <= 3; ++r) {
    for (unsigned pr = 0; pr <= 3; ++pr) {
      for (const std::uint16_t usable : {0b11111, 0b11110, 0b11001, 0b00110, 0b00000}) {
        Case s = make(5, 3, r, pr);
        s.list = model::candidates(5, 3, usable);
        s.local = static_cast<ReplicaIndex>(usable == 0b11110 ? 4 : 1);
        s.knows = {1, 3, 0, 2, 1};
        runs += Explorer(s, 2, r == 3 ? 0 : 1).explore();
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 100'000U);
}

// What an exhaustive search cannot reach: long lists, and replicas that learn between two replies.
TEST(ReadRoundRandom, LongListsAndChangingKnowledgeKeepAllPromises) {
  std::mt19937_64 random(20071014);
  for (int run = 0; run < 60'000; ++run) {
    const std::size_t count = 1 + random() % kCandidatesMax;
    const std::size_t owners = 1 + random() % std::min<std::size_t>(count, 7);
    Case s = make(count, owners, 1 + static_cast<unsigned>(random() % owners), 0);
    if (random() % 2 == 0) s.options.straggler_window = nanoseconds(5'000);
    s.options.pr = static_cast<std::uint8_t>(random() % (s.options.r + 1U));
    s.options.allow_digest = random() % 8 != 0;
    s.list = model::candidates(count, owners, static_cast<std::uint16_t>(random() | random()));
    s.local = random() % 2 == 0 ? kNoReplica : static_cast<ReplicaIndex>(random() % count);
    for (std::size_t i = 0; i < count; ++i) s.knows.push_back(random() % 3 == 0 ? random() % 8 : 7);
    Explorer explorer(s, 0, 0);
    World w = explorer.begin();
    while (!w.finished) {
      const std::uint64_t dice = random() % 16;
      if (dice == 0) s.knows[random() % count] |= random() % 8;
      if (dice == 1 && w.now < MonoTime{900}) {
        explorer.hedge(w);
      } else if (dice == 2 && random() % 4 == 0) {
        explorer.deadline(w);
      } else {
        ASSERT_FALSE(w.pending.empty()) << w.trace;
        auto skip = random() % w.pending.size();
        ReplicaIndex i = kNoReplica;
        for (const ReplicaIndex p : w.pending) {
          if (skip-- == 0) {
            i = p;
            break;
          }
        }
        dice < 6 ? explorer.fail(w, i) : explorer.reply(w, i);
      }
    }
    explorer.after_the_end(w);
  }
}

}  // namespace
}  // namespace stator
