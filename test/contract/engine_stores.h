#pragma once

#include <functional>
#include <memory>
#include <string>

#include "storage/engine.h"
#include "storage/testing/fake_disk.h"
#include "storage/testing/loop_executor.h"
#include "storage/testing/temporary_folder.h"

// What the contract test of the engines runs on: each engine with everything under it.

namespace stator::storage::testing {

/// Engines use no network.
class NoNetwork final : public env::Network {
 public:
  [[nodiscard]] Result<std::unique_ptr<env::Listener>> listen_streams(
      const env::Address&, env::StreamAcceptor&) override;
  [[nodiscard]] Result<std::unique_ptr<env::Listener>> listen_frames(const env::Address&,
                                                                     env::FrameSink&) override;
  [[nodiscard]] std::unique_ptr<env::FrameLink> open_link(const env::Address&,
                                                          env::LinkEvents&) override;
  void connect_stream(const env::Address&, env::StreamAcceptor&,
                      Callback<void(const Error&)>) override;
};

/// One engine of one shard, and calls that wait for its answers.
class Store {
 public:
  using Opener =
      std::function<Result<std::unique_ptr<EngineHome>>(const EngineOptions&, const env::Env&)>;

  /// The engine's files, if it writes some of its own, are in `folder`.
  Store(std::string name, bool journal, const TemporaryFolder& folder,
        Opener opener = &open_engine);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] Result<void> try_open();
  void open();
  Result<void> close();
  void reopen();
  /// After the test has closed the engine itself.
  void forget() {
    engine_.reset();
    home_.reset();
  }

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] EngineHome& home() { return *home_; }
  [[nodiscard]] FakeDisk& disk() { return disk_; }
  [[nodiscard]] LoopExecutor& loop() { return loop_; }
  [[nodiscard]] const env::Env& env() const { return env_; }
  [[nodiscard]] EngineOptions& options() { return options_; }

  struct Answer {
    GetStatus status = GetStatus::kPending;
    std::string value;
    bool was_pending = false;
  };
  Answer get(PartitionId partition, std::string_view key);
  Result<void> submit(const WriteBatch& batch, bool sync);
  Result<void> put(PartitionId partition, std::string_view key, std::string_view value,
                   bool sync = false);
  Result<void> drop(PartitionId partition);

 private:
  LoopExecutor loop_;
  FakeDisk disk_;
  NoNetwork network_;
  env::Env env_;
  EngineOptions options_;
  Opener opener_;
  std::unique_ptr<EngineHome> home_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace stator::storage::testing
