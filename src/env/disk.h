#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/error.h"

// Files of our own (membership, identity, journals). What was written is volatile until it is
// synced, and a name is volatile until its directory is synced (D31): the simulator loses exactly
// that in a crash. A failed sync kills the file: no later sync of it succeeds, never retry (D31).
// Whoever opens it anew may sync it, which says nothing of what the failed sync covered: that is
// durable when it was written again.
// Calls happen on the shard's loop and may block for a short write or read; sync() does not block.

namespace stator::env {

class File {
 public:
  virtual ~File() = default;
  [[nodiscard]] virtual Result<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;
  /// Appends up to `size` bytes at `offset` to `out`; fewer at the end of the file.
  [[nodiscard]] virtual Result<void> read_at(std::uint64_t offset, std::size_t size,
                                             std::string& out) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
  [[nodiscard]] virtual Result<void> truncate(std::uint64_t size) = 0;
  /// All written before this call is durable when `done` runs without an error. Completions keep
  /// the order of the calls, and come also when the file is closed meanwhile.
  virtual void sync(Callback<void(Result<void>)> done) = 0;
  /// Blocks. For start-up and rare small files.
  [[nodiscard]] virtual Result<void> sync_now() = 0;
};

/// Held while it lives: a second process on one directory is refused.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

class Disk {
 public:
  virtual ~Disk() = default;
  /// kExisting: kIo when it is not there. kCreate: made if it is not there, else kept as it is.
  /// kCreateNew: kConflict when it is there.
  enum class Open : std::uint8_t { kExisting, kCreate, kCreateNew };
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, Open mode) = 0;
  [[nodiscard]] virtual Result<bool> exists(const std::string& path) = 0;
  /// With all that lead to it; those that exist are left alone.
  [[nodiscard]] virtual Result<void> create_directories(const std::string& path) = 0;
  /// Names (not paths) in a directory, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  /// Replaces what is at `to`.
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// A file, or an empty directory; kIo when it is not there.
  [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> sync_directory(const std::string& path) = 0;
  /// kConflict when another process holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<DirectoryLock>> lock(
      const std::string& directory) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

/// Writes `bytes` to `path` so that after a crash the old or the new content is there, whole: a
/// temporary file, sync, rename, directory sync.
[[nodiscard]] Result<void> write_whole_file(Disk& disk, const std::string& path,
                                            std::string_view bytes);
/// kTooLarge when it has more than `size_max` bytes.
[[nodiscard]] Result<std::string> read_whole_file(Disk& disk, const std::string& path,
                                                  std::size_t size_max);

}  // namespace stator::env
