#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/disk/disk_watch.h"
#include "env/disk.h"

namespace stator::node {

struct DiskOptions {
  WaterMarks marks;
  std::uint64_t reserve_bytes = 0;  // of the file `reserve` in the data directory
};

/// Looks after the space under a node's data directory (D29), and keeps a file there that holds
/// some of it back: when others have filled the disk it goes, so that the engine can still finish
/// what it began, and the history can still be written. It comes back once there is room. What it
/// holds does not count as free for writes, whether it stands or not. On shard 0 only; its calls
/// may block for a write of 1 MiB.
class DiskKeeper {
 public:
  /// `directory` is there. Without marks and reserve the disk is never asked.
  DiskKeeper(env::Disk& disk, const DiskOptions& options, std::string directory);

  /// Before the engine is opened, which needs some space: lets the reserve go on a full disk.
  void prepare();
  /// Twice a second. `failure`: how the engine failed its last write, nullopt when it did not.
  void look(std::optional<ErrorCode> failure);

  [[nodiscard]] DiskState state() const { return watch_.state(); }
  /// What writes may use, as of the last look; nullopt: not asked, or the disk does not say.
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const { return free_; }

 private:
  void measure();
  void release_reserve();
  void grow_reserve();
  [[nodiscard]] std::string path() const { return directory_ + "/reserve"; }

  env::Disk& disk_;
  const DiskOptions options_;
  const std::string directory_;
  DiskWatch watch_;
  std::unique_ptr<env::File> reserve_;
  std::uint64_t held_ = 0;  // bytes of the reserve
  std::optional<std::uint64_t> free_;
};

}  // namespace stator::node
