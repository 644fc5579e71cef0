#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "env_sim/random.h"
#include "storage/engine.h"

namespace stator::sim {

/// How a record rots, as RocksDB tells it.
enum class Rot : std::uint8_t {
  kBits,   // the engine reads it, and its checksum says that it is another one
  kBlock,  // the engine cannot read the block in which it stands, nor walk past it
};

/// The records of one node that have rotted, over all of its processes.
struct RottenPlaces {
  /// With the engine's key.
  using Place = std::pair<PartitionId, std::string>;
  /// Those that ever did, with their keys' indices in the log of the run.
  std::map<Place, std::uint32_t> places{};
  std::uint64_t met = 0;  // reads of the present process that found one of them rotten
};

/// In front of the engine of a simulated node, which keeps its records in memory and its files
/// whole, so that of itself it never has one that cannot be read (D30): lets some of them rot where
/// they stand. What has rotted stays so over restarts, and as durable as any write without a sync;
/// what is written over it is whole again. All else is the engine's. On its loop only.
class RottingEngine final : public storage::Engine {
 public:
  /// `known` outlives it.
  RottingEngine(std::unique_ptr<storage::Engine> inner, RottenPlaces& known)
      : inner_(std::move(inner)), known_(known) {}

  /// Lets the record rot, in a turn of its shard. False: there is none, or the disk takes nothing
  /// now. `index` is its key's in the log.
  bool spoil(PartitionId partition, std::string_view key, std::uint32_t index, Rot rot,
             Random& random);
  /// Whether one that has rotted still stands there. A look from outside, which counts for nothing.
  [[nodiscard]] bool rotten(PartitionId partition, std::string_view key);

  [[nodiscard]] const storage::Capabilities& capabilities() const override {
    return inner_->capabilities();
  }
  storage::GetStatus get(PartitionId partition, std::string_view key, std::string& room,
                         std::string_view& value,
                         Callback<void(storage::GetStatus, std::string_view)> done) override;
  void expect(std::span<const storage::Place> places, storage::Ahead when) override {
    inner_->expect(places, when);
  }
  void submit(const storage::WriteBatch& batch, bool sync,
              Callback<void(Result<void>)> done) override {
    inner_->submit(batch, sync, std::move(done));
  }
  void sync(Callback<void(Result<void>)> done) override { inner_->sync(std::move(done)); }
  [[nodiscard]] Result<std::string> scan(PartitionId partition, std::string_view after,
                                         storage::ScanBudget budget,
                                         storage::ScanVisitor& visitor) override;
  void drop(PartitionId partition, Callback<void(Result<void>)> done) override {
    inner_->drop(partition, std::move(done));
  }
  [[nodiscard]] storage::EngineStats stats() const override { return inner_->stats(); }
  void close(Callback<void(Result<void>)> done) override { inner_->close(std::move(done)); }

 private:
  [[nodiscard]] bool is_rotten(PartitionId partition, std::string_view key,
                               std::string_view record) const;

  std::unique_ptr<storage::Engine> inner_;
  RottenPlaces& known_;
};

/// The home of a node that starts: its engines are RottingEngines. `known` outlives it and them.
[[nodiscard]] std::unique_ptr<storage::EngineHome> make_rotting(
    std::unique_ptr<storage::EngineHome> inner, RottenPlaces& known);

}  // namespace stator::sim
