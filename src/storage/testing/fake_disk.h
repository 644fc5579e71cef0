#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "env/disk.h"

namespace stator::storage::testing {

/// A disk in memory whose syncs complete when the test says so, and whose calls fail when it says
/// so. Loses content that is not synced in crash(); names are durable at once (the simulator's disk
/// knows about names too).
class FakeDisk final : public env::Disk {
 public:
  struct Content {
    std::string bytes;
    std::string durable;
    std::deque<std::pair<std::string, Callback<void(Result<void>)>>> syncs;  // under way
    bool sync_failed = false;
  };

  // What goes wrong.
  std::optional<ErrorCode> reads_fail;
  std::optional<ErrorCode> writes_fail;
  int writes_spared = 0;  // so many succeed before
  std::optional<ErrorCode> syncs_fail;
  std::optional<ErrorCode> directory_syncs_fail;
  std::optional<ErrorCode> renames_fail;
  std::optional<ErrorCode> removes_fail;
  bool hold_syncs = false;  // sync() completes only in complete_syncs(); otherwise inside the call
  int syncs = 0;            // calls of sync(), not of sync_now()

  void complete_syncs();
  /// Power is lost: what was not synced goes; open files and locks are forgotten.
  void crash();
  /// The process is killed: open files and locks are forgotten.
  void kill();

  [[nodiscard]] std::map<std::string, std::shared_ptr<Content>>& files() { return files_; }
  /// That a program holds open.
  [[nodiscard]] std::size_t open_files() const { return *open_files_; }

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
  std::map<std::string, std::shared_ptr<Content>> files_;
  std::vector<std::shared_ptr<Content>> removed_;  // with syncs under way
  std::set<std::string> directories_;
  std::shared_ptr<std::size_t> open_files_ = std::make_shared<std::size_t>(0);
  std::shared_ptr<std::set<std::string>> locks_ = std::make_shared<std::set<std::string>>();
};

}  // namespace stator::storage::testing
