#include <gtest/gtest.h>

#include <random>

#include "core/quorum/read_round.h"
#include "core/quorum/round_model.h"

// Every order of replies, failures, ticks, and of nodes that are heard again, against an oracle
// that recounts everything from the messages alone.

namespace stator {
namespace {

using model::Mask;
using model::require;
using Kind = ReadWish::Kind;

struct Case {
  ReadOptions options;
  std::vector<Candidate> list;
  ReplicaIndex local = kNoReplica;
  std::vector<Mask> knows;      // by replica
  std::vector<Candidate> more;  // whom the answer to kMore names
};

constexpr MonoTime kDeadline{1'000};

// The round, and the world around it as the coordinator sees it.
struct World {
  ReadRound round;
  std::vector<Candidate> list;
  bool more_wished = false;
  MonoTime now{};
  ReplicaSet asked_digest, asked_value, pending, pending_value, silent, replied, failed, valued;
  ReplicaSet heard, anew;  // since the round began; of them those that had failed
  bool trusted = true;     // stand-ins count
  std::vector<Mask> told;  // the mask that the replica's last reply stood for
  Mask merged = 0;
  std::vector<Mask> merged_before;
  bool decided = false, failed_round = false, finished = false;
  int hedges = 0, failures = 0, turns = 0;
  std::string trace;
};

class Explorer {
 public:
  /// `turns_max`: how often in a run a node is heard again, or stand-ins begin or cease to count.
  Explorer(const Case& setup, int failures_max, int hedges_max, int turns_max = 0)
      : s_(setup), failures_max_(failures_max), hedges_max_(hedges_max), turns_max_(turns_max) {}

  std::uint64_t explore() {
    World w = begin();
    descend(w);
    return runs_;
  }

  World begin() {
    World w;
    w.list = s_.list;
    w.told.assign(s_.knows.size(), 0);
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
  void hear(World& w, ReplicaIndex i) {
    w.trace += " hear" + std::to_string(i);
    ++w.turns;
    w.heard.add(i);
    w.silent.remove(i);
    if (w.failed.contains(i) && !w.anew.contains(i)) {
      w.anew.add(i);
      w.failed.remove(i);
      w.replied.remove(i);
      w.asked_digest.remove(i);
      w.asked_value.remove(i);
    }
    w.round.on_heard(i, w.now);
    drain(w);
  }
  void trust(World& w, bool trusted) {
    w.trace += trusted ? " trust" : " distrust";
    ++w.turns;
    w.trusted = trusted;
    w.round.trust_stand_ins(trusted, w.now);
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
    w.silent = w.pending;
    w.round.on_tick(w.now);
    drain(w);
    require(w.finished, "finished at the deadline", w.trace);
  }
  void after_the_end(World& w) {
    ++runs_;
    const ReplicaSet counted = w.round.counted();
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
      w.round.on_digest(i, 77, w.now);
      w.round.on_value(i, 77, 77, w.now);
      w.round.on_failure(i, ErrorCode::kIo, w.now);
    }
    w.round.on_tick(kDeadline + seconds(1));
    require(!w.round.next(), "no wish after kFinished", w.trace);
    require(w.round.counted() == counted, "the answer stands", w.trace);
    if (!w.decided || w.failed_round) return;
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
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
    require(!w.pending.empty() || !w.trusted, "somebody is asked while the round goes on", w.trace);
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
    if (w.turns < turns_max_ && !w.decided) turn(w);
    World next = w;
    deadline(next);
    descend(next);
  }

  void turn(const World& w) {
    for (const ReplicaIndex i : (w.failed | w.silent) - w.heard) {
      World next = w;
      hear(next, i);
      descend(next);
    }
    World next = w;
    trust(next, !w.trusted);
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
        case Kind::kMore: name_more(w); break;
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
      require(!model::satisfies(counting(w, understood(w)), w.list, s_.options.r, s_.options.pr),
              "answered as soon as possible", w.trace);
      require(may_still_answer(w), "refused as soon as nobody is left who could be counted on",
              w.trace);
      check_replacement(w);
      require(w.round.wake_at() <= kDeadline, "wakes up by the deadline", w.trace);
    }
  }

  // While somebody is left who could help, somebody who is not known to be slow is asked.
  void check_replacement(const World& w) const {
    const ReplicaSet live = counting(w, understood(w) | (w.pending - w.silent));
    const QuorumEvidence have = model::count_evidence(live, w.list);
    const QuorumEvidence idle =
        model::count_evidence(may_be_asked(w) - w.asked_digest - w.asked_value, w.list);
    const bool helps = (have.nodes < s_.options.r && misses_owners(w) && may_name_more(w)) ||
                       (have.primaries < s_.options.pr && idle.primaries > 0) ||
                       (have.nodes < s_.options.r && idle.nodes > 0);
    require(!helps || !(w.pending - w.silent).empty(), "the silent are replaced", w.trace);
  }

  void name_more(World& w) {
    w.trace += " MORE";
    require(may_name_more(w), "asks once for more, and only where there are more", w.trace);
    require(misses_owners(w), "asks for more only where owners are missed", w.trace);
    w.more_wished = true;
    w.list.insert(w.list.end(), s_.more.begin(), s_.more.end());
    if (w.list.size() > kCandidatesMax) w.list.resize(kCandidatesMax);
    w.round.add_candidates(s_.more, w.now);
  }

  void on_ask(World& w, const ReadWish& wish) {
    const bool value = wish.kind == Kind::kAskValue;
    const ReplicaIndex i = wish.replica;
    w.trace += (value ? " (v" : " (d") + std::to_string(i) + ")";
    ReplicaSet& asked = value ? w.asked_value : w.asked_digest;
    require(i < w.list.size(), "asks a candidate", w.trace);
    require(!asked.contains(i), "nothing is asked twice of one replica", w.trace);
    require(!w.pending.contains(i), "one request per replica at a time", w.trace);
    require(!w.failed.contains(i), "who failed is not asked again", w.trace);
    require(w.now < kDeadline, "nothing is asked after the deadline", w.trace);
    require(w.list[i].owner || value || may_be_asked(w).contains(i),
            "stand-ins are asked only where owners are missed", w.trace);
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
    require(model::satisfies(counted, w.list, s_.options.r, s_.options.pr),
            "R distinct replicas, PR of them owners", w.trace);
    require((counted - w.replied).empty(), "only who replied counts", w.trace);
    require(counting(w, counted) == counted, "stand-ins only count when trusted", w.trace);
    require((counted & w.failed).empty(), "who failed does not count", w.trace);
    for (const ReplicaIndex i : counted) {
      require((w.told[i] & ~w.merged) == 0, "the answer holds all that the counted know", w.trace);
    }
    require(w.round.evidence() == model::count_evidence(counted, w.list), "evidence", w.trace);
    require(w.round.answered(), "answered()", w.trace);
  }

  void on_fail(World& w, const ReadWish& wish) {
    w.trace += " FAIL";
    require(!w.decided, "one decision", w.trace);
    w.decided = w.failed_round = true;
    const bool possible = may_still_answer(w);
    require(possible == (w.now >= kDeadline) || !possible, "fails only when nothing else is left",
            w.trace);
    require(!possible || wish.code == ErrorCode::kTimeout, "too late is kTimeout", w.trace);
    require(possible || wish.code == ErrorCode::kTooFewNodes, "too few is kTooFewNodes", w.trace);
    require(wish.got < wish.needed, "says what is missing", w.trace);
    require(!w.round.answered(), "not answered()", w.trace);
  }

  static ReplicaSet counting(const World& w, ReplicaSet set) {
    if (w.trusted) return set;
    ReplicaSet owners;
    for (const ReplicaIndex i : set) {
      if (w.list[i].owner) owners.add(i);
    }
    return owners;
  }
  static ReplicaSet all(const World& w) {
    return ReplicaSet(static_cast<std::uint16_t>((1U << w.list.size()) - 1));
  }
  bool may_name_more(const World& w) const { return s_.options.more && !w.more_wished; }
  // Too few owners are left that could be counted on.
  bool misses_owners(const World& w) const {
    unsigned left = 0;
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
      left += w.list[i].owner && !gone(w, i) && !w.failed.contains(i);
    }
    return left < s_.options.r;
  }
  static bool gone(const World& w, ReplicaIndex i) {
    return !w.list[i].usable && !w.heard.contains(i) && w.silent.contains(i);
  }
  // With those who are left and may be expected to.
  bool may_still_answer(const World& w) const {
    ReplicaSet left = all(w) - w.failed;
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
      if (w.trusted && gone(w, i)) left.remove(i);
    }
    const unsigned owners = model::count_evidence(left, w.list).primaries;
    if (may_name_more(w)) return owners >= s_.options.pr;
    return model::satisfies(left, w.list, s_.options.r, s_.options.pr);
  }
  ReplicaSet may_be_asked(const World& w) const {
    // Of those that do not count yet, R are enough.
    const ReplicaSet asked = w.asked_digest | w.asked_value;
    const ReplicaSet stand_ins = asked - counting(w, asked);
    if (misses_owners(w) && stand_ins.size() < s_.options.r) return all(w);
    ReplicaSet owners;
    for (ReplicaIndex i = 0; i < w.list.size(); ++i) {
      if (w.list[i].owner) owners.add(i);
    }
    return owners;
  }

  const Case& s_;
  int failures_max_, hedges_max_, turns_max_;
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

/// Three owners, and others that are named when they are asked for.
Case make_with_others(unsigned r, unsigned pr, std::uint16_t usable, std::size_t others) {
  Case s = make(3, 3, r, pr);
  s.options.more = true;
  const auto list = model::candidates(3 + others, 3, usable);
  s.list.assign(list.begin(), list.begin() + 3);
  s.more.assign(list.begin() + 3, list.end());
  s.local = static_cast<ReplicaIndex>(usable == 0b11000 ? kNoReplica : 0);
  s.knows = {1, 3, 0, 2, 1};
  s.knows.resize(list.size());
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
  EXPECT_GT(runs, 50'000U);
}

// The owners alone at first; the others are named when too few owners are left.
TEST(ReadRoundExhaustive, StandInsThatAreNamedLaterKeepAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned r = 1; r <= 3; ++r) {
    for (unsigned pr = 0; pr <= 1; ++pr) {
      for (const std::uint16_t usable : {0b11111, 0b11101, 0b11001, 0b11000}) {
        for (const std::size_t others : {0U, 1U, 2U}) {
          const Case s = make_with_others(r, pr, usable, others);
          runs += Explorer(s, r == 3 ? 2 : 3, 1).explore();
        }
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 50'000U);
}

// A node that comes back, and hears the others one by one.
TEST(ReadRoundExhaustive, WhoIsHeardAgainKeepsAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned r = 1; r <= 2; ++r) {
    for (const std::uint16_t usable : {0b11111, 0b11001, 0b11000}) {
      for (const std::size_t others : {0U, 1U}) {
        const Case s = make_with_others(r, 0, usable, others);
        runs += Explorer(s, r == 1 ? 2 : 1, 1, 2).explore();
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 50'000U);
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
    if (random() % 2 == 0) {
      s.options.more = true;
      s.more.assign(s.list.begin() + static_cast<std::ptrdiff_t>(owners), s.list.end());
      s.list.resize(owners);
      if (s.local != kNoReplica && s.local >= owners) s.local = kNoReplica;
    }
    Explorer explorer(s, 0, 0);
    World w = explorer.begin();
    while (!w.finished) {
      const std::uint64_t dice = random() % 16;
      if (dice == 0) s.knows[random() % count] |= random() % 8;
      if (dice == 1 && w.now < MonoTime{900}) {
        explorer.hedge(w);
      } else if (dice == 2 && random() % 4 == 0) {
        explorer.deadline(w);
      } else if (dice == 3 && !w.decided) {
        explorer.trust(w, !w.trusted);
      } else if (dice == 4 && !w.decided) {
        explorer.hear(w, static_cast<ReplicaIndex>(random() % w.list.size()));
      } else if (w.pending.empty()) {
        ASSERT_FALSE(w.trusted) << w.trace;
        explorer.trust(w, true);
      } else {
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
