#pragma once

#include <map>
#include <memory>
#include <string>

#include "env_real/runtime.h"
#include "storage/data_directory.h"
#include "storage/engine.h"
#include "storage/testing/temporary_folder.h"

// A node's files without a node: its data directory, its history and its engine, on real files,
// with calls that wait for their answers.

namespace stator::crash {

using storage::testing::TemporaryFolder;

class Machine {
 public:
  Machine(env::Runtime& runtime, std::string directory, std::string engine)
      : runtime_(runtime), directory_(std::move(directory)), engine_name_(std::move(engine)) {}
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// As a node does at its start.
  [[nodiscard]] Result<void> open_directory();
  [[nodiscard]] Result<void> open_engine();
  Result<void> close_engine();
  [[nodiscard]] bool directory_existed() const { return data_->existed(); }

  [[nodiscard]] env::Disk& disk() { return runtime_.shard_env(0).disk; }
  [[nodiscard]] storage::Engine& engine() { return *engine_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

  Result<void> submit(const storage::WriteBatch& batch, bool sync);
  Result<void> drop(PartitionId partition);
  Result<void> sync();
  struct Answer {
    storage::GetStatus status = storage::GetStatus::kPending;
    std::string value;
  };
  Answer get(PartitionId partition, const std::string& key);
  /// All of some partitions; the first error ends it.
  [[nodiscard]] Result<std::map<std::string, std::string>> scan(std::uint32_t partitions);

 private:
  void wait_for(const bool& done);

  env::Runtime& runtime_;
  const std::string directory_;
  const std::string engine_name_;
  std::unique_ptr<storage::DataDirectory> data_;
  std::unique_ptr<storage::EngineHome> home_;
  std::unique_ptr<storage::Engine> engine_;
};

}  // namespace stator::crash
