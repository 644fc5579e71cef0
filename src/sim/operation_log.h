#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/small_vector.h"
#include "base/time.h"
#include "core/quorum/candidates.h"
#include "core/version/context.h"
#include "core/version/object.h"

// What happened in one run, key by key, as the checker needs it (docs/rules.md): every call
// that a front door made of the store and how it was answered, every version that a node minted,
// and what was left when all was quiet. Written by the harness while the run goes, read by the
// checker at its end. All times are virtual, and the same clock for everybody.

namespace stator::sim {

/// A version as somebody saw it: at a read, or in the end.
struct VersionSeen {
  Dot dot{};
  WriteId id{};
  std::uint64_t value_hash = 0;  // of the value; of nothing for a tombstone
  bool tombstone = false;
};
[[nodiscard]] std::uint64_t hash_of_value(std::string_view value, bool tombstone);

/// Owners that stand behind an answer: those that it promises, unless it admits stand-ins among
/// them; `owners` of them in any case. Not those that it counted: a store that counts wrong is what
/// the checker looks for.
[[nodiscard]] inline std::uint8_t owners_behind(const QuorumEvidence& evidence, std::uint8_t quorum,
                                                std::uint8_t owners) {
  const std::uint8_t told = std::max(evidence.primaries, owners);
  return evidence.fallbacks == 0 ? std::max(told, quorum) : told;
}

/// One call of a write. A retry is a further call with the same id.
struct WriteCall {
  WriteId id{};        // 0: made by the node, and not known since no answer came
  bool plain = false;  // supersedes what its minting node holds; else what its context saw
  bool tombstone = false;
  std::uint64_t value_hash = 0;
  SmallVector<WriteId, 2> seen;  // the versions that its context saw
  bool forged = false;           // its context was accepted, and nobody had given it out
  MonoTime begin{};
  MonoTime end{INT64_MAX};              // of the answer, if any
  Outcome outcome = Outcome::kUnknown;  // until answered, and for ever if the node dies
  QuorumEvidence evidence{};
  std::uint8_t quorum = 0;  // replicas that `ok` promises
  std::uint8_t owners = 0;  // owners among them
};

struct ReadCall {
  MonoTime begin{};
  MonoTime end{};
  QuorumEvidence evidence{};
  std::uint8_t quorum = 0;               // replicas that its answer promises
  SmallVector<VersionSeen, 2> versions;  // all that the read merged, tombstones too
  std::uint8_t owners = 0;               // owners among those that its answer promises
};

/// A node minted this dot for this write, or covered the write again under it.
struct MintEvent {
  MonoTime when{};
  WriteId id{};
  Dot dot{};
  SmallVector<WriteId, 2> superseded;  // what it dropped from the object of that node
};

/// The versions behind a context, or of a copy.
using SeenIds = SmallVector<WriteId, 2>;
/// A node by its number: 3 is n3.
using NodeNumber = std::uint32_t;

/// A write was acknowledged, and these owners were counted: each had a copy, or somebody kept one
/// for it.
struct Promise {
  MonoTime when{};
  WriteId id{};
  SmallVector<NodeNumber, 3> owners{};  // each once
};

/// A node deleted the copy that it kept of the key for an owner.
struct HintGone {
  MonoTime when{};
  NodeNumber keeper = 0;
  NodeNumber owner = 0;
  SeenIds kept{};           // the versions that it had
  SeenIds held{};           // those of the owner's own copy at that moment
  bool held_known = false;  // else the owner's process was not there to be looked into
};

/// What an owner holds itself, when no hints are left and nobody has read yet to repair anything.
struct CopyHeld {
  NodeNumber owner = 0;
  SeenIds versions{};
};

/// All of one key.
struct KeyLog {
  std::string bucket;
  std::string key;
  std::vector<WriteCall> writes{};
  std::vector<ReadCall> reads{};  // answered ones
  std::vector<MintEvent> mints{};
  std::vector<Promise> promises{};
  std::vector<HintGone> hints_gone{};
  std::vector<CopyHeld> copies{};  // those that could be looked at
  /// Live versions of the merged object when faults were healed and nothing was under way.
  std::vector<VersionSeen> final_versions{};
  bool final_known = false;       // somebody asked for it
  MonoTime rotten_at{INT64_MAX};  // when a stored copy of it rotted
};

class OperationLog {
 public:
  /// The same index for the same key; keys are numbered in the order in which they are first named.
  std::uint32_t key_index(std::string_view bucket, std::string_view key);
  [[nodiscard]] KeyLog& key(std::uint32_t index) { return keys_.at(index); }
  [[nodiscard]] const std::vector<KeyLog>& keys() const { return keys_; }

  /// A front door has handed out this context for what `seen` names. A context itself tells in
  /// clocks what it covers, and those are what is to be judged: so it is remembered what was really
  /// behind it. Equal contexts of one key have equal meanings.
  void context_given(std::uint32_t key, const Context& context, const SeenIds& seen);
  /// Its versions, or nullptr if nobody was ever given such a context.
  [[nodiscard]] const SeenIds* find_context(std::uint32_t key, const Context& context) const;

 private:
  static std::uint64_t fingerprint(std::uint32_t key, const Context& context);

  std::map<std::string, std::uint32_t, std::less<>> index_;
  std::string scratch_;
  std::unordered_map<std::uint64_t, SeenIds> contexts_;  // looked up only, never walked
  std::vector<KeyLog> keys_;
};

}  // namespace stator::sim
