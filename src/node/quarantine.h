#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "env/disk.h"

namespace stator::node {

/// Keeps records that could not be read, before good ones take their place, as files for whoever
/// wants to know what happened to them (D30, docs/format/data-directory.md). Nothing reads them
/// again, so they are not synced; a failure to keep one hinders nothing. One per shard, on its loop
/// only; blocks for a short write.
class Quarantine {
 public:
  static constexpr std::size_t kFilesMax = 1000;

  /// Made with the first record.
  Quarantine(env::Disk& disk, std::string directory)
      : disk_(disk), directory_(std::move(directory)) {}

  /// Nothing where there are no bytes, as of a block that the engine cannot read.
  void keep(PartitionId partition, std::string_view storage_key, std::string_view bytes);

 private:
  env::Disk& disk_;
  const std::string directory_;
};

}  // namespace stator::node
