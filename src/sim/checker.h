#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/operation_log.h"

// The judge of a run: history in, verdict out. Pure, so that it is itself tested with histories
// that were tampered with. Linear per key, since ids are unique and contexts are recorded; no
// search through orders is needed (docs/rules.md, I1 to I3).
//
// For each key let A be the acknowledged writes, U those of unknown outcome, F those that were
// answered `not applied`, S the versions left at the end. A write covers the writes that its
// context saw or, a plain one, those that it dropped at its minting node; "below" is the transitive
// closure.
//
//   I1   each a in A is in S or below it.
//   I2   S and every read return only writes of that key that somebody asked for, with their bytes,
//        none of F and none before it was asked for; nothing of F was ever minted.
//   I3   no s in S is below another write of A, or of those U that S proves to have been applied:
//        no false siblings. With I1 that makes S the maximal elements. Also, a mint never drops a
//        version that its context did not see.
//   I9   no dot names two writes; no version carries a dot that nobody minted.
//   I12  a read of owners whose quorum meets that of a write acknowledged before it began returns
//        that write or something above it. This is more than read-your-writes, which asks it of one
//        session only; and it holds through crashes, since an acknowledged write is durable.
//        Monotonic reads follow from it for acknowledged versions. Quorums are those that were
//        promised, not those that the answers say were counted. Of a key of which a copy rotted it
//        is asked for writes that W owners had acknowledged by then, or that were begun later: what
//        restores the copy is certain to know those (core/repair).
//   P1   what was counted toward an acknowledgement stays: in the end each of those owners holds
//        the write, or something above it, before a read has repaired anything. And whoever lets
//        go of what it keeps for an owner does so when that owner holds it (D14). I1 asks it of
//        all copies together only, and one that is lost is lost behind the others.
//   P7   no answer counts fewer nodes than it promises, nor fewer owners.
//
// That a write is not refused without need (P5) is judged when it is answered (refusals.h), since
// that depends on the faults of that moment.

namespace stator::sim {

struct Violation {
  std::string invariant;  // "I1"
  std::uint32_t key = 0;  // index in the log
  std::string what;       // one sentence
};

struct CheckerOptions {
  std::uint8_t n = 3;
  std::uint8_t w = 2;               // of the cluster; a write may have asked for more
  std::uint32_t partitions = 1024;  // dots are unique within a partition, not only within a key
  /// False for a history that clients wrote down (client_history.h): nobody saw the nodes mint. A
  /// plain write may then have dropped all that was asked for before its own answer, and proves no
  /// sibling false; dots are known from where they were seen.
  bool mints_known = true;
  /// When a node lost its disk, or what it had written last, and came back under its name. From
  /// then on it knows less than it has acknowledged, so that I12 is asked for no longer.
  MonoTime disk_lost_at{INT64_MAX};
};

struct Verdict {
  std::vector<Violation> violations;
  std::uint64_t acknowledged = 0;
  std::uint64_t unknown = 0;
  std::uint64_t not_applied = 0;
  std::uint64_t reads_checked = 0;         // I2
  std::uint64_t quorum_reads_checked = 0;  // I12, with something acknowledged before
  std::uint64_t evidence_checked = 0;      // P7: of answers
  std::uint64_t copies_checked = 0;        // P1: of acknowledged writes, at owners that counted
  std::uint64_t hints_checked = 0;         // P1: that were let go of
  std::uint64_t siblings_max = 0;          // in any final state
};

[[nodiscard]] Verdict check(const OperationLog& log, const CheckerOptions& options);

}  // namespace stator::sim
