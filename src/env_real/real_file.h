#pragma once

#include <memory>
#include <string>

#include "env/disk.h"
#include "env_real/descriptor.h"
#include "env_real/loop.h"

namespace stator::env {

/// env::File on a file of the system. Reads and writes on the loop's thread; syncs on the loop's
/// side thread for syncing, all files of a shard in one queue.
class RealFile final : public File {
 public:
  RealFile(Loop& loop, Descriptor descriptor, std::string path);
  ~RealFile() override;

  [[nodiscard]] Result<void> write_at(std::uint64_t offset, std::string_view bytes) override;
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::size_t size,
                                     std::string& out) override;
  [[nodiscard]] Result<std::uint64_t> size() override;
  [[nodiscard]] Result<void> truncate(std::uint64_t size) override;
  void sync(Callback<void(Result<void>)> done) override;
  [[nodiscard]] Result<void> sync_now() override;

 private:
  struct Shared;
  [[nodiscard]] Error failed(const char* what, int error_number) const;

  Loop& loop_;
  // Outlives this object while a sync is under way.
  std::shared_ptr<Shared> shared_;
};

}  // namespace stator::env
