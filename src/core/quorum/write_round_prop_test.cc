#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/quorum/write_round_model.h"

// Every order of acknowledgements, failures and ticks, against an oracle that recounts everything
// from the messages alone.

namespace stator {
namespace {

using model::Case;
using model::Explorer;
using model::make;
using model::Mask;
using model::World;

TEST(WriteRoundExhaustive, OwnersAloneKeepAllPromises) {
  std::uint64_t runs = 0;
  for (std::size_t count = 1; count <= 4; ++count) {
    for (unsigned w = 1; w <= count + 1; ++w) {
      for (unsigned dw = 0; dw <= 2; ++dw) {
        for (const std::uint16_t durable : {0xFFFF, 0b0110, 0b0000}) {
          Case c = make(count, count, w);
          c.options.dw = static_cast<std::uint8_t>(dw);
          c.durable = ReplicaSet(durable);
          c.local = static_cast<ReplicaIndex>(count / 2);
          runs += Explorer(c, 4, 1).explore();
        }
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 100'000U);
}

TEST(WriteRoundExhaustive, FivePlacesKeepAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned w = 1; w <= 5; ++w) {
    Case c = make(5, 5, w);
    runs += Explorer(c, w == 1 ? 2 : 5, 1).explore();
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 50'000U);
}

TEST(WriteRoundExhaustive, StandInsAndPrimariesKeepAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned w = 1; w <= 3; ++w) {
    for (unsigned pw = 0; pw <= 3; ++pw) {
      for (const std::uint16_t usable : {0b11111, 0b11101, 0b11001, 0b00111, 0b00000}) {
        for (const ReplicaIndex local : {0, 4}) {
          Case c = make(5, 3, w);
          c.options.pw = static_cast<std::uint8_t>(pw);
          c.list = model::candidates(5, 3, usable);
          c.local = local;
          runs += Explorer(c, 2, 1).explore();
        }
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 100'000U);
}

TEST(WriteRoundExhaustive, CoveringKeepsAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned w = 1; w <= 3; ++w) {
    for (unsigned code = 0; code < 8; ++code) {
      Case c = make(3, 3, w);
      c.options.cover = true;
      for (std::size_t i = 0; i < 3; ++i) c.holds[i] = ((code >> i) & 1U) != 0 ? 2U << i : 0U;
      runs += Explorer(c, 2, 1).explore();
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 100'000U);
}

// Paper 6.1: one copy is asked to be durable, and nobody waits for it.
TEST(WriteRoundExhaustive, OneDurableCopyKeepsAllPromises) {
  std::uint64_t runs = 0;
  for (std::size_t count = 1; count <= 3; ++count) {
    for (unsigned w = 1; w <= count; ++w) {
      for (const std::uint16_t durable : {0b000, 0b100}) {  // one is durable whoever asks
        for (const bool cover : {false, true}) {
          Case c = make(count, count, w);
          c.options.durable_one = true;
          c.options.cover = cover;
          if (cover) c.holds[0] = 2;
          c.durable = ReplicaSet(durable);
          c.local = static_cast<ReplicaIndex>(count / 2);
          runs += Explorer(c, cover ? 2 : 3, cover ? 1 : 2).explore();
        }
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 10'000U);
}

TEST(WriteRoundExhaustive, OneDurableCopyMayBeThatOfAStandIn) {
  std::uint64_t runs = 0;
  for (unsigned w = 1; w <= 2; ++w) {
    for (const std::uint16_t usable : {0b1111, 0b1101, 0b1001}) {
      Case c = make(3, 3, w);
      c.options.durable_one = true;
      c.options.more = true;
      const auto list = model::candidates(4, 3, usable);
      c.list.assign(list.begin(), list.begin() + 3);
      c.more.assign(list.begin() + 3, list.end());
      c.holds.assign(list.size(), 0);
      c.durable = ReplicaSet();
      runs += Explorer(c, 1, 1).explore();
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 1'000U);
}

// The owners alone at first; the others are named when one is missed.
TEST(WriteRoundExhaustive, StandInsThatAreNamedLaterKeepAllPromises) {
  std::uint64_t runs = 0;
  for (unsigned w = 1; w <= 3; ++w) {
    for (unsigned pw = 0; pw <= 2; ++pw) {
      for (const std::uint16_t usable : {0b11111, 0b11101, 0b11001, 0b00001}) {
        for (const std::size_t others : {0U, 1U, 2U}) {
          Case c = make(3, 3, w);
          c.options.pw = static_cast<std::uint8_t>(pw);
          c.options.more = true;
          const auto list = model::candidates(3 + others, 3, usable);
          c.list.assign(list.begin(), list.begin() + 3);
          c.more.assign(list.begin() + 3, list.end());
          std::erase_if(c.more, [](const Candidate& each) { return !each.usable; });
          c.holds.assign(list.size(), 0);
          runs += Explorer(c, 2, 1).explore();
        }
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 50'000U);
}

// Owners that answer when others stand for them already, where no further node is left: W nodes are
// W places all the same (P5, D9).
TEST(WriteRoundExhaustive, OwnersThatAnswerLateKeepAllPromises) {
  std::uint64_t runs = 0;
  std::uint64_t renames = 0;
  for (unsigned w = 2; w <= 3; ++w) {
    for (unsigned dw = 0; dw <= w; ++dw) {
      for (const std::uint16_t usable : {0b1111, 0b1101, 0b1001, 0b1000}) {
        for (const std::uint16_t durable : {0xFFFF, 0b0111}) {
          for (const ReplicaIndex local : {0, 3}) {
            Case c = make(4, 3, w);
            c.options.dw = static_cast<std::uint8_t>(dw);
            c.list = model::candidates(4, 3, usable);
            c.durable = ReplicaSet(durable);
            c.local = local;
            Explorer explorer(c, 2, 1);
            runs += explorer.explore();
            renames += explorer.renames();
          }
        }
      }
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 10'000U);
  EXPECT_GT(renames, 100U);
}

TEST(WriteRoundExhaustive, OwnersThatAnswerLateAndAreCoveredKeepAllPromises) {
  std::uint64_t runs = 0;
  std::uint64_t renames = 0;
  for (const ReplicaIndex local : {0, 3}) {
    Case c = make(4, 3, 3);
    c.options.cover = true;
    c.list = model::candidates(4, 3, 0b1101);
    c.holds = {0, 2, 0, 0};
    c.local = local;
    Explorer explorer(c, 1, 1);
    runs += explorer.explore();
    renames += explorer.renames();
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 10'000U);
  EXPECT_GT(renames, 10U);
}

// Whoever keeps another copy is asked for that one anew, and what it has made durable stays so.
TEST(WriteRoundExhaustive, OneDurableCopyMayBeThatOfAStandInWithAnotherName) {
  std::uint64_t runs = 0;
  std::uint64_t renames = 0;
  for (const std::uint16_t durable : {0b0000, 0b1000}) {
    for (const ReplicaIndex local : {0, 3}) {
      Case c = make(4, 3, 3);
      c.options.durable_one = true;
      c.list = model::candidates(4, 3, 0b1101);
      c.durable = ReplicaSet(durable);
      c.local = local;
      Explorer explorer(c, 1, 1);
      runs += explorer.explore();
      renames += explorer.renames();
    }
  }
  RecordProperty("runs", std::to_string(runs));
  EXPECT_GT(runs, 1'000U);
  EXPECT_GT(renames, 10U);
}

// What an exhaustive search cannot reach: long lists and everything at once.
TEST(WriteRoundRandom, LongListsKeepAllPromises) {
  std::mt19937_64 random(20071014);
  for (int run = 0; run < 60'000; ++run) {
    const std::size_t count = 1 + random() % kCandidatesMax;
    const std::size_t owners = 1 + random() % std::min<std::size_t>(count, 7);
    Case c = make(count, owners, 1 + static_cast<unsigned>(random() % owners));
    if (random() % 2 == 0) c.options.straggler_window = nanoseconds(5'000);
    c.options.pw = static_cast<std::uint8_t>(random() % (c.options.w + 1U));
    c.options.dw = static_cast<std::uint8_t>(random() % (c.options.w + 1U));
    c.options.cover = random() % 2 == 0;
    c.list = model::candidates(count, owners, static_cast<std::uint16_t>(random() | random()));
    c.local = static_cast<ReplicaIndex>(random() % count);
    if (random() % 2 == 0 && c.local < owners) {
      c.options.more = true;
      c.more.assign(c.list.begin() + static_cast<std::ptrdiff_t>(owners), c.list.end());
      c.list.resize(owners);
    }
    c.durable = ReplicaSet(static_cast<std::uint16_t>(random() | random() | random()));
    if (random() % 4 == 0) {
      c.options.durable_one = true;
      c.options.dw = 0;
      c.options.spread = random();
      c.durable = ReplicaSet(static_cast<std::uint16_t>(random() & random() & random()));
    }
    for (Mask& held : c.holds) held = random() % 4 == 0 ? random() % 32 : 0;
    Explorer explorer(c, 0, 0);
    World w = explorer.begin();
    while (!w.finished) {
      const std::uint64_t dice = random() % 16;
      if (!w.minted) {
        dice == 0 ? explorer.refuse(w) : dice == 1 ? explorer.deadline(w) : explorer.mint(w);
      } else if (w.covering && dice < 8) {
        explorer.cover(w, dice < 7);
      } else if (w.owes && dice < 2) {
        explorer.sync(w, dice == 0);
      } else if (dice == 1 && w.now < MonoTime{900} && !w.covering) {
        explorer.hedge(w);
      } else if (dice == 2 && random() % 4 == 0) {
        explorer.deadline(w);
      } else {
        const auto attempt = static_cast<std::uint8_t>(random() % (w.attempt() + 1U));
        const ReplicaSet pending = w.attempts[attempt].pending;
        const ReplicaSet reporting = w.covering ? ReplicaSet() : Explorer::reporting(w);
        ASSERT_TRUE(w.covering || w.owes || !w.present().pending.empty() || !reporting.empty())
            << w.trace;
        if (!reporting.empty() && (pending.empty() || dice >= 13)) {
          explorer.report(w, dice % 2 == 0 ? reporting.first() : reporting.last(), dice != 15);
          continue;
        }
        if (pending.empty()) continue;
        auto skip = random() % pending.size();
        ReplicaIndex i = kNoReplica;
        for (const ReplicaIndex p : pending) {
          if (skip-- == 0) {
            i = p;
            break;
          }
        }
        dice < 6 ? explorer.fail(w, attempt, i) : explorer.ack(w, attempt, i);
      }
    }
    explorer.after_the_end(w);
  }
}

}  // namespace
}  // namespace stator
