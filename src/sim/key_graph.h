#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "sim/operation_log.h"

namespace stator::sim {

/// All writes of one key and which of them covers which: what the checker walks.
class KeyGraph {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  struct Node {
    WriteId id{};
    bool asked = false;     // some call named it, or it could be traced to one without an id
    bool nameless = false;  // the latter: which of them it was is not known
    bool plain = false;
    bool tombstone = false;
    bool acknowledged = false;
    bool maybe_applied = false;  // some call ended unknown, or never
    bool minted = false;
    bool guessed = false;  // a plain write of which nobody saw the mint
    std::uint64_t value_hash = 0;
    MonoTime asked_at{INT64_MAX};
    MonoTime born_at{INT64_MAX};        // first mint
    MonoTime sees_until{};              // nothing that was born later lies below it
    MonoTime acked_at{INT64_MAX};       // first acknowledgement
    MonoTime asked_last{};              // begin of the latest call
    MonoTime may_cover_until{};         // guessed: all that was asked before may lie below it
    std::uint8_t acked_by = 0;          // owners that stood behind it
    std::vector<Index> covers{};        // all that it may cover; what reaches furthest comes first
    std::vector<Index> covers_first{};  // of a plain write: what its first mint covered

    [[nodiscard]] bool not_applied() const { return asked && !acknowledged && !maybe_applied; }
    /// What this write covers wherever it stands.
    [[nodiscard]] const std::vector<Index>& covers_surely() const {
      return plain && (guessed || !acknowledged) ? covers_first : covers;
    }
  };

  /// `mints_known`: see CheckerOptions.
  explicit KeyGraph(const KeyLog& log, bool mints_known = true);

  [[nodiscard]] std::span<const Node> nodes() const { return nodes_; }
  [[nodiscard]] Index find(const WriteId& id) const;
  /// Whether `low` is one of `tops` or below one of them.
  [[nodiscard]] bool reaches(std::span<const Index> tops, Index low);
  /// Marks (per node) what is in `tops` or below, along all edges, or along sure ones only.
  [[nodiscard]] std::vector<bool> closure(std::span<const Index> tops, bool surely = false) const;
  /// Whether `low` is below `top`, another write, wherever that stands.
  [[nodiscard]] bool surely_below(Index top, Index low) { return search({&top, 1}, low, true); }

 private:
  Index node_for(const WriteId& id);
  void add_calls(const KeyLog& log);
  void add_mints(const KeyLog& log);
  void trace_unanswered(const KeyLog& log);
  void guess_mints();
  void find_horizons();
  void sort_covers();
  bool search(std::span<const Index> tops, Index low, bool surely);

  std::vector<Node> nodes_;
  std::map<WriteId, Index> index_;
  std::vector<std::uint32_t> visited_;  // round in which a node was last visited
  std::uint32_t round_ = 0;
  std::vector<Index> stack_;
};

}  // namespace stator::sim
