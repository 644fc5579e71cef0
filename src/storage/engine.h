#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/callback.h"
#include "base/error.h"
#include "base/ids.h"
#include "env/env.h"
#include "storage/write_batch.h"

// The local persistence component of paper 5: a narrow door behind which engines are exchanged. An
// engine maps (partition, key) to bytes; what the bytes mean, it does not know. Asynchronous and
// shaped for batches: one write set per loop turn goes in, its completion comes back on the shard's
// loop (design 4.6).

namespace stator::storage {

/// What an engine promises, as data.
struct Capabilities {
  std::string_view name;
  std::string_view summary;       // one line for `engine list`
  bool survives_process = false;  // what was submitted without sync survives a kill -9
  bool survives_power = false;    // what was submitted with sync survives loss of power
  bool ordered_scan = false;      // scan() goes in key order
};

enum class GetStatus : std::uint8_t {
  kFound,
  kMissing,
  kPending,     // `done` will be called on this loop
  kUnreadable,  // there is, or may be, a record that cannot be read: never "missing" (D30)
};

struct EngineStats {
  std::uint64_t keys = 0;   // an estimate where the engine cannot count
  std::uint64_t bytes = 0;  // on disk, or in memory where there is no disk
  std::uint64_t syncs = 0;
  std::uint64_t batches = 0;
};

/// Where a record stands.
struct Place {
  PartitionId partition{};
  std::string_view key{};
};

/// When a record is going to be asked for.
enum class Ahead : std::uint8_t {
  kLater,  // other work comes first: time to find out where it stands
  kNext,   // as the next one, and kLater was said a while ago: time to fetch it
};

class ScanVisitor {
 public:
  virtual ~ScanVisitor() = default;
  virtual void visit(std::string_view key, std::string_view value) = 0;
};

struct ScanBudget {
  std::size_t keys_max = 256;
  std::size_t bytes_max = 1 << 20;
};

/// One shard's view of the node's store. Used on that shard's loop only; each partition belongs to
/// one shard. Destroyed only after close() has completed (inside that completion is allowed), or
/// with the whole simulated process. Partitions are below 65536, keys are not empty.
class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual const Capabilities& capabilities() const = 0;
  /// Answers at once when it can: after kFound `value` is the record, in `room` (whose content it
  /// replaces), or where the engine itself has it in memory: then it is lent until the next submit
  /// or drop. kPending: `done` is called later with the status and a view that is valid during the
  /// call; otherwise `done` is dropped uncalled. May or may not see batches that were submitted and
  /// have not completed: the caller keeps those (design 4.1).
  virtual GetStatus get(PartitionId partition, std::string_view key, std::string& room,
                        std::string_view& value,
                        Callback<void(GetStatus, std::string_view)> done) = 0;
  /// These are going to be asked for: an engine that would have to wait for memory then can have it
  /// fetched while its caller does other work. Waits for nothing and changes nothing.
  virtual void expect(std::span<const Place>, Ahead) {}
  /// Applies the batch atomically. `sync`: complete only when it is durable. Completions keep the
  /// order of the calls, and may come inside the call. The batch may be reused when submit returns.
  /// After an error nothing of the batch may be taken as applied or as not applied. kDiskFull may
  /// pass; kIo after a failed sync stays until the store is opened again (D31); kClosed after
  /// close().
  virtual void submit(const WriteBatch& batch, bool sync, Callback<void(Result<void>)> done) = 0;
  /// What has completed before this call is durable when `done` runs, where power can be survived
  /// at all. Syncs keep their own order; batches need not wait for them, nor they for batches (an
  /// engine that cannot have it so may make it one more batch). Fails as a submit with `sync` does.
  virtual void sync(Callback<void(Result<void>)> done) {
    submit(WriteBatch(), true, std::move(done));
  }
  /// Visits the keys after `after` (all, if empty), within the budget; in a stable order that
  /// survives writes (a key present throughout is visited once). At least one key is visited,
  /// whatever the budget. Returns the key to continue after, which may have been erased meanwhile;
  /// empty at the end. The visitor calls nothing of the engine. Reads from the disk where it must:
  /// bound the budget.
  [[nodiscard]] virtual Result<std::string> scan(PartitionId partition, std::string_view after,
                                                 ScanBudget budget, ScanVisitor& visitor) = 0;
  /// Deletes a partition whole, in order with the batches around it; durable when `done` runs.
  virtual void drop(PartitionId partition, Callback<void(Result<void>)> done) = 0;
  /// Of the whole store only in the sum over all shards: what shards share, one of them counts.
  [[nodiscard]] virtual EngineStats stats() const = 0;
  /// Completes what was submitted, and reads under way, and syncs. When every shard's is complete
  /// and the home is destroyed, the files are let go.
  virtual void close(Callback<void(Result<void>)> done) = 0;
};

struct EngineOptions {
  std::string name{};                            // "rocksdb", "memory"
  std::string directory{};                       // of the engine alone; created if missing
  std::uint64_t memory_bytes_max = 64ULL << 20;  // caches and buffers, all shards together
  bool journal = false;  // memory: keep a journal on env's disk (the simulator)
};

/// The store of one node, shared by its shards; what is on disk does not depend on their number.
class EngineHome {
 public:
  virtual ~EngineHome() = default;
  /// Once per shard, before the first request, on any thread. `env` outlives the engine.
  virtual std::unique_ptr<Engine> attach(const env::Env& env) = 0;
};

/// Opens or creates. kNotSupported for an unknown name (the detail lists the known ones), kConflict
/// when the directory is in use or belongs to another engine, kCorrupt when it cannot be recovered.
[[nodiscard]] Result<std::unique_ptr<EngineHome>> open_engine(const EngineOptions& options,
                                                              const env::Env& env);

}  // namespace stator::storage
