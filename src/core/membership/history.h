#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "core/ring/placement.h"

// The membership history (paper 4.8.1; design 4.3): an explicit, persistent set of changes, ordered
// by (logical time, issuer) and folded by one pure function into the same ring on every node. Today
// it has one kind of entry, the founding of the cluster; joins, leaves and bucket settings are
// further kinds of the same encoding, and unknown kinds are kept and passed on.

namespace stator {

/// A member as the history names it. Its client addresses are not here: it announces them itself.
struct Member {
  NodeId id{};
  std::string name{};
  std::string peer_address{};  // "host:port"
  std::string zone{};
  double weight = 1;
  bool operator==(const Member&) const = default;
};

/// What is fixed when the cluster is created (design 2.2), the same on every founder.
struct Founding {
  std::string cluster_id;
  std::uint32_t q = 1024;
  std::uint8_t n = 3;
  std::uint8_t r = 2;  // default of buckets
  std::uint8_t w = 2;
  std::vector<Member> founders;  // sorted by id
  bool operator==(const Founding&) const = default;
};

/// The id of a founder: a hash of cluster id and name, so that all founders compute the same ring
/// without having met. Names are unique within a founding.
[[nodiscard]] NodeId founder_id(std::string_view cluster_id, std::string_view name);

/// Fills the ids, sorts, and checks: names unique and not empty, addresses unique, Q a power of two
/// from 16 to 16384, N from 1 to 7, R and W from 1 to N, weights from 0.001 to 1000. kBadRequest
/// with a sentence.
[[nodiscard]] Result<void> complete_founding(Founding& founding);

class History {
 public:
  History() = default;  // knows nothing: waits to be joined
  static History found(const Founding& founding);

  /// Bytes for the disk and for peers (docs/format/history.md); checksummed by the container.
  void encode(std::string& out) const;
  [[nodiscard]] static Result<History> decode(std::string_view bytes);

  /// Digest of all changes: equal for equal histories, 0 for an empty one.
  [[nodiscard]] HistoryVersion version() const { return version_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// The union of both; kConflict when they are of different clusters or foundings.
  [[nodiscard]] Result<bool> merge(const History& other);

  [[nodiscard]] const Founding& founding() const { return founding_; }
  [[nodiscard]] std::uint64_t cluster_tag() const { return cluster_tag_; }
  /// The fold: who is a member now.
  [[nodiscard]] std::vector<Member> members() const { return founding_.founders; }

 private:
  struct Entry {
    std::uint64_t logical_time = 0;
    NodeId issuer{};
    std::uint8_t kind = 0;
    std::string body;
    bool operator==(const Entry&) const = default;
  };
  [[nodiscard]] Result<void> refold();

  std::vector<Entry> entries_;  // sorted by (logical time, issuer, kind, body), unique
  Founding founding_;
  std::uint64_t cluster_tag_ = 0;
  HistoryVersion version_{};
};

/// Marks frames and contexts of one cluster: never 0.
[[nodiscard]] std::uint64_t cluster_tag(std::string_view cluster_id);

}  // namespace stator
