#include "sim/checker.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/ring/position.h"
#include "sim/key_graph.h"
#include "sim/naming.h"

namespace stator::sim {
namespace {

// Enough to understand a failure; the first is what matters.
constexpr std::size_t kViolationsPerKey = 8;

// Dots are counted per partition, so that is where they must be unique.
using DotName = std::tuple<std::uint32_t, Incarnation, std::uint64_t>;
struct DotUse {
  WriteId id{};
  std::uint32_t key = 0;
};
using DotTable = std::map<DotName, DotUse>;

class KeyCheck {
 public:
  KeyCheck(const KeyLog& log, std::uint32_t index, const CheckerOptions& options, DotTable& dots,
           Verdict& verdict)
      : log_(log),
        index_(index),
        options_(options),
        dots_(dots),
        verdict_(verdict),
        graph_(log, options.mints_known) {}

  void run() {
    partition_ = partition_of(position_of(log_.bucket, log_.key), options_.partitions).value;
    count();
    check_forged();
    check_evidence();
    check_mints();
    for (const ReadCall& read : log_.reads) check_read(read);
    // What follows walks the graph for each write. Nothing that it finds would be told any more,
    // and where ids are not what they should be the walks find no end that stops them early.
    if (reported_ >= kViolationsPerKey) return;
    check_read_quorums();
    if (log_.final_known) check_final();
    // Behind I1 and I3, which say what the loss of single copies came to.
    check_copies();
    check_hints();
  }

 private:
  using Index = KeyGraph::Index;
  using Node = KeyGraph::Node;

  void report(const char* invariant, std::string what) {
    if (reported_++ < kViolationsPerKey) {
      verdict_.violations.push_back({invariant, index_, std::move(what)});
    }
  }
  void count();
  void check_mints();
  void check_forged();
  void check_evidence();
  void check_unseen_drops(const MintEvent& mint);
  void check_read(const ReadCall& read);
  Index check_version(const VersionSeen& version, MonoTime latest, const char* where);
  [[nodiscard]] bool somebody_wrote(const VersionSeen& version) const;
  void check_read_quorums();
  void acknowledge(Index index);
  void check_quorum(const ReadCall& read);
  [[nodiscard]] bool may_lack_a_copy(const Node& write, const ReadCall& read) const;
  void check_copies();
  void check_hints();
  void take_tops(const SeenIds& versions);
  void check_final();
  void check_lost(const std::vector<Index>& finals);
  void check_false_siblings(const std::vector<Index>& finals);
  [[nodiscard]] const Node& node(Index index) const { return graph_.nodes()[index]; }

  const KeyLog& log_;
  std::uint32_t index_;
  const CheckerOptions& options_;
  DotTable& dots_;
  Verdict& verdict_;
  KeyGraph graph_;
  std::uint32_t partition_ = 0;
  std::size_t reported_ = 0;
  std::vector<Index> frontier_;  // acknowledged, and below no other acknowledged write
  std::vector<Index> tops_;      // scratch
};

void KeyCheck::count() {
  for (const Node& each : graph_.nodes()) {
    if (each.acknowledged) ++verdict_.acknowledged;
    if (each.not_applied()) ++verdict_.not_applied;
    if (each.asked && !each.acknowledged && each.maybe_applied) ++verdict_.unknown;
  }
}

// P7: the evidence in an answer is what the answer promises.
void KeyCheck::check_evidence() {
  const auto shortfall = [this](const QuorumEvidence& told, std::uint8_t quorum,
                                std::uint8_t owners) -> std::string {
    ++verdict_.evidence_checked;
    const bool few = told.nodes < quorum;
    if (!few && told.primaries >= owners) return {};
    return " by " + std::to_string(few ? told.nodes : told.primaries) +
           (few ? " nodes where " : " owners where ") + std::to_string(few ? quorum : owners) +
           " were asked for";
  };
  for (const WriteCall& call : log_.writes) {
    if (call.outcome != Outcome::kOk) continue;
    const std::string less = shortfall(call.evidence, call.quorum, call.owners);
    if (!less.empty()) report("P7", "write " + name_of(call.id) + " was acknowledged" + less);
  }
  for (const ReadCall& read : log_.reads) {
    const std::string less = shortfall(read.evidence, read.quorum, read.owners);
    if (!less.empty()) report("P7", "a read was answered" + less);
  }
}

// Contexts are sealed, so that one which nobody gave out cannot be accepted (design 4.2).
void KeyCheck::check_forged() {
  for (const WriteCall& call : log_.writes) {
    if (call.forged && call.outcome != Outcome::kNotApplied) {
      report("I2",
             "write " + name_of(call.id) + " was accepted with a context that nobody gave out");
    }
  }
}

void KeyCheck::check_mints() {
  for (const MintEvent& mint : log_.mints) {
    const DotName name{partition_, mint.dot.actor.incarnation, mint.dot.counter};
    const auto [at, fresh] = dots_.emplace(name, DotUse{mint.id, index_});
    if (!fresh && (at->second.id != mint.id || at->second.key != index_)) {
      report("I9",
             "one dot was minted for " + name_of(at->second.id) + " and for " + name_of(mint.id));
    }
    const Node& minted = node(graph_.find(mint.id));
    if (!minted.asked) {
      report("I2", "write " + name_of(mint.id) + " was minted, and nobody asked for it");
    } else if (minted.not_applied()) {
      report("I2", "write " + name_of(mint.id) + " was answered `not applied` and was minted");
    }
    if (!minted.plain) check_unseen_drops(mint);
  }
}

// A put with a context may drop only what that context saw, or what lies below it.
void KeyCheck::check_unseen_drops(const MintEvent& mint) {
  const Index self = graph_.find(mint.id);
  for (const WriteId& dropped : mint.superseded) {
    const Index low = graph_.find(dropped);
    if (low != self && !graph_.reaches({&self, 1}, low)) {
      report("I3", "the mint of " + name_of(mint.id) + " dropped " + name_of(dropped) +
                       ", which its context had not seen");
    }
  }
}

void KeyCheck::check_read(const ReadCall& read) {
  ++verdict_.reads_checked;
  for (const VersionSeen& version : read.versions) check_version(version, read.end, "a read");
}

// Returns the write, or kNone when there is none.
KeyCheck::Index KeyCheck::check_version(const VersionSeen& version, MonoTime latest,
                                        const char* where) {
  const Index found = graph_.find(version.id);
  if (found == KeyGraph::kNone || !node(found).asked) {
    report("I2", std::string(where) + " returned write " + name_of(version.id) +
                     ", which nobody asked for");
    return KeyGraph::kNone;
  }
  const Node& write = node(found);
  if (write.not_applied()) {
    report("I2", std::string(where) + " at " + at_time(latest) + " returned write " +
                     name_of(version.id) + ", which was answered `not applied`");
  }
  if (write.asked_at > latest) {
    report("I2", std::string(where) + " returned write " + name_of(version.id) +
                     " before it was asked for");
  }
  const bool same = write.nameless ? somebody_wrote(version)
                                   : write.value_hash == version.value_hash &&
                                         write.tombstone == version.tombstone;
  if (!same) {
    report("I2", std::string(where) + " returned other bytes for write " + name_of(version.id));
  }
  const DotName name{partition_, version.dot.actor.incarnation, version.dot.counter};
  if (!options_.mints_known) dots_.try_emplace(name, DotUse{version.id, index_});
  const auto dot = dots_.find(name);
  if (dot == dots_.end()) {
    report("I9", std::string(where) + " showed a dot that was never minted, on write " +
                     name_of(version.id));
  } else if (dot->second.id != version.id || dot->second.key != index_) {
    report("I9", std::string(where) + " showed the dot of " + name_of(dot->second.id) +
                     " on write " + name_of(version.id));
  }
  return found;
}

bool KeyCheck::somebody_wrote(const VersionSeen& version) const {
  return std::ranges::any_of(log_.writes, [&](const WriteCall& call) {
    return !call.id && call.value_hash == version.value_hash && call.tombstone == version.tombstone;
  });
}

// Walks acknowledgements and reads in the order of time.
void KeyCheck::check_read_quorums() {
  std::vector<Index> acks;
  for (Index i = 0; i < graph_.nodes().size(); ++i) {
    if (node(i).acknowledged) acks.push_back(i);
  }
  std::ranges::sort(acks, {}, [this](Index i) { return std::pair(node(i).acked_at, i); });
  std::vector<std::size_t> reads(log_.reads.size());
  std::iota(reads.begin(), reads.end(), 0U);
  std::ranges::sort(reads, {}, [this](std::size_t i) { return std::pair(log_.reads[i].begin, i); });
  auto ack = acks.begin();
  for (const std::size_t i : reads) {
    const ReadCall& read = log_.reads[i];
    for (; ack != acks.end() && node(*ack).acked_at < read.begin; ++ack) acknowledge(*ack);
    if (read.end >= options_.disk_lost_at) continue;
    check_quorum(read);
  }
}

void KeyCheck::acknowledge(Index index) {
  if (graph_.reaches(frontier_, index)) return;
  std::erase_if(frontier_, [&](Index older) { return graph_.reaches({&index, 1}, older); });
  frontier_.push_back(index);
}

void KeyCheck::check_quorum(const ReadCall& read) {
  if (frontier_.empty()) return;
  tops_.clear();
  for (const VersionSeen& version : read.versions) {
    if (const Index top = graph_.find(version.id); top != KeyGraph::kNone) tops_.push_back(top);
  }
  bool counted = false;
  std::erase_if(frontier_, [&](Index acked) {
    const int owners =
        owners_behind(read.evidence, read.quorum, read.owners) + node(acked).acked_by;
    if (owners <= options_.n || may_lack_a_copy(node(acked), read)) return false;
    counted = true;
    if (graph_.reaches(tops_, acked)) return false;
    report("I12", "a read from " + at_time(read.begin) + " to " + at_time(read.end) +
                      " missed write " + name_of(node(acked).id) + ", acknowledged at " +
                      at_time(node(acked).acked_at));
    return true;  // once is enough
  });
  if (counted) ++verdict_.quorum_reads_checked;
}

// The copy that rotted may have been one of those behind the write, and what restored it may not
// know of that: W owners did not have it yet.
bool KeyCheck::may_lack_a_copy(const Node& write, const ReadCall& read) const {
  if (read.end < log_.rotten_at) return false;
  const bool under_way = write.asked_at < log_.rotten_at && write.acked_at >= log_.rotten_at;
  return under_way || write.acked_by < options_.w;
}

void KeyCheck::take_tops(const SeenIds& versions) {
  tops_.clear();
  for (const WriteId& id : versions) {
    if (const Index top = graph_.find(id); top != KeyGraph::kNone) tops_.push_back(top);
  }
}

void KeyCheck::check_copies() {
  for (const CopyHeld& copy : log_.copies) {
    take_tops(copy.versions);
    const std::vector<bool> held = graph_.closure(tops_);
    for (const Promise& promise : log_.promises) {
      if (std::ranges::find(promise.owners, copy.owner) == promise.owners.end()) continue;
      ++verdict_.copies_checked;
      const Index write = graph_.find(promise.id);
      if (write != KeyGraph::kNone && held[write]) continue;
      report("P1", "write " + name_of(promise.id) + " was acknowledged with a copy of n" +
                       std::to_string(copy.owner) +
                       ", which in the end holds neither it nor what is above it");
    }
  }
}

void KeyCheck::check_hints() {
  for (const HintGone& hint : log_.hints_gone) {
    if (!hint.held_known) continue;
    ++verdict_.hints_checked;
    take_tops(hint.held);
    for (const WriteId& id : hint.kept) {
      const Index write = graph_.find(id);
      if (write != KeyGraph::kNone && graph_.reaches(tops_, write)) continue;
      report("P1", "write " + name_of(id) + ", which n" + std::to_string(hint.keeper) +
                       " kept for n" + std::to_string(hint.owner) + ", was let go of at " +
                       at_time(hint.when) + ", though that owner does not hold it (D14)");
    }
  }
}

void KeyCheck::check_final() {
  std::vector<Index> finals;
  for (const VersionSeen& version : log_.final_versions) {
    const Index found = check_version(version, {INT64_MAX}, "the final state");
    if (found != KeyGraph::kNone) finals.push_back(found);
  }
  verdict_.siblings_max = std::max<std::uint64_t>(verdict_.siblings_max, finals.size());
  auto sorted = finals;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) {
    report("I3", "one write stands twice in the final state");
  }
  check_lost(finals);
  check_false_siblings(finals);
}

void KeyCheck::check_lost(const std::vector<Index>& finals) {
  const std::vector<bool> kept = graph_.closure(finals);
  for (Index i = 0; i < graph_.nodes().size(); ++i) {
    if (!node(i).acknowledged || kept[i]) continue;
    report("I1", "write " + name_of(node(i).id) + ", acknowledged at " + at_time(node(i).acked_at) +
                     ", is neither there nor below what is there");
  }
}

void KeyCheck::check_false_siblings(const std::vector<Index>& finals) {
  if (finals.empty()) return;
  // What a plain write may have met is no proof that it was there.
  const std::vector<bool> proven = graph_.closure(finals, !options_.mints_known);
  for (Index i = 0; i < graph_.nodes().size(); ++i) {
    if (!node(i).acknowledged && !proven[i]) continue;
    for (const Index sibling : finals) {
      if (sibling == i || !graph_.surely_below(i, sibling)) continue;
      report("I3", "write " + name_of(node(sibling).id) + " is still there although " +
                       name_of(node(i).id) + " has seen it");
    }
  }
}

}  // namespace

Verdict check(const OperationLog& log, const CheckerOptions& options) {
  Verdict verdict;
  DotTable dots;
  std::uint32_t index = 0;
  for (const KeyLog& key : log.keys()) KeyCheck(key, index++, options, dots, verdict).run();
  return verdict;
}

}  // namespace stator::sim
