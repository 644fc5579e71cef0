#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "env/disk.h"
#include "env_real/loop.h"

namespace stator::env {

/// env::Disk on the file system. Stateless but for the loop that completions return to.
class RealDisk final : public Disk {
 public:
  explicit RealDisk(Loop& loop) : loop_(loop) {}

  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override;
  [[nodiscard]] Result<bool> exists(const std::string& path) override;
  [[nodiscard]] Result<void> create_directories(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> remove(const std::string& path) override;
  [[nodiscard]] Result<void> sync_directory(const std::string& path) override;
  /// Locks the file LOCK in it, which holds the number of the process.
  [[nodiscard]] Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes(const std::string& path) override;

 private:
  Loop& loop_;
};

/// The process that has this directory locked (RealDisk::lock); 0: none has, or it does not say.
[[nodiscard]] pid_t lock_holder(const std::string& directory);

}  // namespace stator::env
