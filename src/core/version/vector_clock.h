#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

// The paper's own versions, to be compared with (paper 4.4, V4; failure modes D4, D5): a plain
// vector clock per version, truncated at a number of entries. Tests and the simulator show what it
// loses; the product never uses it.

namespace stator::paper {

inline constexpr std::size_t kTruncateAt = 10;  // "say 10"
inline constexpr std::size_t kNeverTruncate = SIZE_MAX;

class VectorClock {
 public:
  struct Entry {
    NodeId node{};
    std::uint64_t counter = 0;
    WallTime updated{};  // when the node last updated the data item; decides truncation only
  };

  /// A coordinator's step.
  void advance(NodeId node, std::uint64_t counter, WallTime now);
  /// Removes the entries with the oldest times beyond `size_max`.
  void truncate(std::size_t size_max);
  void merge(const VectorClock& other);
  [[nodiscard]] std::uint64_t counter_of(NodeId node) const;
  /// All counters of this clock are at most those of `other`: an ancestor, or the same.
  [[nodiscard]] bool descends_to(const VectorClock& other) const;
  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

 private:
  Entry& entry_of(NodeId node);

  std::vector<Entry> entries_;  // sorted by node
};

/// One key on one node in the paper's mode: the causally unrelated versions.
class Store {
 public:
  struct Version {
    VectorClock clock;
    std::uint64_t value = 0;
  };

  /// put(): the context is the merge of the clocks that the writer read.
  const Version& put(NodeId self, const VectorClock& context, std::uint64_t value, WallTime now,
                     std::size_t truncate_at);
  /// Syntactic reconciliation with a version of another replica.
  void receive(const Version& version);
  [[nodiscard]] std::span<const Version> versions() const { return versions_; }
  [[nodiscard]] VectorClock context() const;

 private:
  std::vector<Version> versions_;
};

}  // namespace stator::paper
