#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/disk.h"
#include "env_sim/disk_image.h"

namespace stator::sim {

class ShardLoop;

/// One shard's way to its host's disk (env/disk.h): counts what calls cost, draws what fails, and
/// stops working when the process is dead, so that a destructor cannot write after a crash. May be
/// used by the other shards too, as a journal that all write does: a call then costs its caller,
/// and syncs complete on this shard.
class ShardDisk final : public env::Disk {
 public:
  ShardDisk(DiskImage& image, ShardLoop& loop) : image_(image), loop_(loop) {}

  [[nodiscard]] Result<std::unique_ptr<env::File>> open(const std::string& path,
                                                        Open mode) override;
  [[nodiscard]] Result<bool> exists(const std::string& path) override;
  [[nodiscard]] Result<void> create_directories(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> remove(const std::string& path) override;
  [[nodiscard]] Result<void> sync_directory(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<env::DirectoryLock>> lock(
      const std::string& directory) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes(const std::string& path) override;

 private:
  [[nodiscard]] Result<void> begin_call();
  [[nodiscard]] Result<void> begin_change();

  DiskImage& image_;
  ShardLoop& loop_;
};

}  // namespace stator::sim
