#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/membership/history.h"
#include "env/disk.h"

// The membership history in a node's data directory: two checksummed copies, so that damage to one
// does not make a node forget its cluster (D24; docs/format/history.md).

namespace stator::node {

inline constexpr const char* kHistoryFiles[] = {"history", "history.copy"};

struct StoredHistory {
  History history;    // empty: there is none
  bool mend = false;  // a copy is damaged, missing or older than the other
};

/// Of both copies together. Fails where copies are there and none can be used, or one is of a later
/// format: kCorrupt, kNotSupported, kIo, kConflict (copies of two clusters). The detail names the
/// file and ends with what to do.
[[nodiscard]] Result<StoredHistory> read_history(env::Disk& disk, const std::string& directory);

/// Durable when it returns. The detail of a failure is the disk's own.
[[nodiscard]] Result<void> write_history(env::Disk& disk, const std::string& directory,
                                         const History& history);

/// The content of one copy. kCorrupt, kNotSupported.
[[nodiscard]] Result<History> unseal_history(std::string_view bytes);

}  // namespace stator::node
