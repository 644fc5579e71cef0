#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "env/disk.h"

namespace stator::storage {

/// Whose directory it is (docs/format/data-directory.md). Written once, when the directory is made.
struct NodeIdentity {
  std::string cluster_id;  // empty: the node waits to be joined
  NodeId node_id{};
  std::string name;
  std::string engine;
  bool operator==(const NodeIdentity&) const = default;
};

/// What the process that opens it wants of the directory.
struct DirectoryWish {
  std::string path;
  /// What is not empty here must agree with what an existing directory holds: another cluster, node
  /// id, name or engine are each refused with what to do. A directory that has no cluster id yet
  /// takes this one, and its node id with it (a node that waited is founded).
  NodeIdentity identity;
  /// For a new directory, where `identity` leaves them empty.
  NodeId new_node_id{};
  std::string new_engine;
};

/// An open data directory: locked against a second process while it lives.
class DataDirectory {
 public:
  virtual ~DataDirectory() = default;
  [[nodiscard]] virtual const NodeIdentity& identity() const = 0;
  /// False when this call made it.
  [[nodiscard]] virtual bool existed() const = 0;
  /// True when this call wrote one copy of the identity anew from the other.
  [[nodiscard]] virtual bool mended() const = 0;
};

/// The files that hold the identity; each alone is enough.
inline constexpr const char* kIdentityCopies[] = {"identity", "identity.copy"};

/// Opens the directory, or makes it where it is missing or empty. The identity stands in two
/// checksummed copies (D24): a damaged one is mended from the other. kConflict: in use, not empty
/// and not ours (then nothing is left in it), or of another cluster, name or engine. kCorrupt: both
/// copies are damaged. kNotSupported: of a newer format. kDiskFull, kIo: the disk fails, and nobody
/// knows what is on it. Every detail is one sentence that names the path and ends with what to do.
[[nodiscard]] Result<std::unique_ptr<DataDirectory>> open_data_directory(env::Disk& disk,
                                                                         const DirectoryWish& wish);

}  // namespace stator::storage
