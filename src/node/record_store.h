#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/callback.h"
#include "env/env.h"
#include "node/metrics.h"
#include "node/staged_batch.h"
#include "storage/engine.h"
#include "storage/record.h"

namespace stator::node {

/// How what is to be durable becomes so.
enum class Syncing : std::uint8_t {
  kWithBatch,   // a batch in which something is to be durable is complete when it is on disk: the
                // fewest steps where all of it is (durability `all`)
  kBehindBatch  // batches are complete when the engine has them, and a sync follows: nobody waits
                // for one who did not ask for it
};

/// The records of one shard in front of its engine (design 4.1): reads see this turn's writes,
/// operations on a key whose read is under way queue behind it, and everything of one turn goes to
/// the engine as one batch, while at most one earlier batch is under way. So a callback of load()
/// may decide and store() at once: nobody else touches the key in between. So with syncs, where
/// they are steps of their own: one is under way, and the next is for all who came meanwhile. One
/// per shard, on its loop only.
class RecordStore {
 public:
  RecordStore(const env::Env& env, storage::Engine& engine, Metrics& metrics,
              Syncing syncing = Syncing::kWithBatch);
  RecordStore(const RecordStore&) = delete;
  RecordStore& operator=(const RecordStore&) = delete;

  enum class Status : std::uint8_t { kFound, kMissing, kUnreadable };
  struct Loaded {
    Status status = Status::kMissing;
    storage::RecordHeader header{};
    std::string_view payload{};  // valid in the callback until the next call of this store
    std::string_view damaged{};  // of kUnreadable: the bytes that stand there, where there are any
    std::string_view key{};  // of kUnreadable, unless the store is closed; valid in the callback
    bool lent = false;       // by the engine, until the turn ends
  };
  using LoadDone = Callback<void(const Loaded&)>;

  /// As Engine::expect.
  void expect(std::span<const storage::Place> places, storage::Ahead when) {
    if (!closed_) engine_.expect(places, when);
  }
  void expect(PartitionId partition, std::string_view storage_key, storage::Ahead when) {
    const storage::Place place{partition, storage_key};
    expect({&place, 1}, when);
  }
  /// Calls `use` with the record: inside this call when it is at hand.
  void load(PartitionId partition, std::string_view storage_key, LoadDone use);

  /// In a callback of load() that found something: `into` gets the payload's bytes, and the view
  /// that returns is into them. Copied only where the engine has lent them.
  [[nodiscard]] std::string_view take_loaded(const Loaded& loaded, std::string& into) {
    if (loaded.lent) return into.assign(loaded.payload);
    into.swap(value_);
    return loaded.payload;
  }

  /// Two steps, so that the payload is encoded in place: append it to what begin_store() returns,
  /// then finish_store(). Nothing else may be called in between. `done` comes when the engine has
  /// it (with `sync`: when it is durable).
  std::string& begin_store(PartitionId partition, std::string_view storage_key);
  void finish_store(const storage::RecordHeader& header, bool sync, StoreDone done);
  /// Deletes the record, with a batch that is not synced for it: a loss of power may bring it back.
  /// In a callback of load(), nobody has changed it since.
  void erase(PartitionId partition, std::string_view storage_key, StoreDone done);
  /// Calls `done` when everything staged for this key is complete: inside this call when nothing
  /// is.
  void when_stored(PartitionId partition, std::string_view storage_key, StoreDone done);
  /// Calls `done` when what this store shows of the key now is durable, be it stored or only staged
  /// so far; inside this call when it is known to be. Not for what is in_doubt(): store that again.
  void when_durable(PartitionId partition, std::string_view storage_key, StoreDone done);

  /// A batch with this key has failed and none has succeeded since: what the engine shows of it may
  /// be lost with the power, so that nobody may be told that it is stored. Storing it again tells
  /// (D31); an engine whose sync has failed refuses that until it is opened again.
  [[nodiscard]] bool in_doubt(PartitionId partition, std::string_view storage_key) const;

  /// Names the batch with which leaves what is staged now.
  [[nodiscard]] std::uint64_t staging() const { return submitted_ + 1; }
  /// That batch is over, well or not: the engine shows what came of it.
  [[nodiscard]] bool over(std::uint64_t batch) const {
    return batch < submitted_ || (batch == submitted_ && !under_way_active_);
  }

  /// From here on the engine is left alone: every record is kUnreadable. Nothing may be under way.
  void close();

  /// More bytes wait for the engine than it can take soon: refuse client writes (P8).
  [[nodiscard]] bool overloaded() const { return gathering_->writes().bytes() > kStagedBytesMax; }
  /// Those that wait, and those that are on their way to it.
  [[nodiscard]] std::size_t staged_bytes() const {
    return gathering_->writes().bytes() + (under_way_active_ ? under_way_->writes().bytes() : 0);
  }
  [[nodiscard]] std::size_t reads_waiting() const { return reads_waiting_; }
  /// More reads wait for the engine than it can answer soon: refuse those of peers, who can ask
  /// another replica.
  [[nodiscard]] bool reads_pile_up() const { return reads_waiting_ >= kReadsMax; }
  /// How the last sync failed, or else the last batch; nullopt when neither did. A batch that was
  /// written before a sync failed may complete after it, and says nothing of the disk.
  [[nodiscard]] std::optional<ErrorCode> failure() const {
    return sync_failure_ ? sync_failure_ : failure_;
  }
  /// Writes a record that means nothing, with a sync, to learn whether the engine takes writes
  /// again. While it fails nobody else's are sent to it.
  void probe();
  [[nodiscard]] bool idle() const {
    return !under_way_active_ && gathering_->empty() && !gathering_->has_sync_waiters() &&
           !sync_active_ && to_sync_.empty() && reads_active_ == 0;
  }
  [[nodiscard]] storage::Engine& engine() { return engine_; }

  static constexpr std::size_t kStagedBytesMax = 64 << 20;
  static constexpr std::size_t kReadsMax = 4096;

 private:
  struct Read {  // an engine read under way, and who waits for it; reused
    bool active = false;
    std::uint64_t hash = 0;
    PartitionId partition{};
    std::string key;
    std::vector<LoadDone> waiters;
  };

  bool submit_turn();
  void on_submitted(const Result<void>& result);
  void begin_sync();
  void on_synced(const Result<void>& result);
  void note_doubt(bool failed);
  void answer_late(Read& read, storage::GetStatus status, std::string_view record);
  void on_read(Read& read, storage::GetStatus status, std::string_view value);
  [[nodiscard]] Read* find_read(PartitionId partition, std::string_view key, std::uint64_t hash);
  [[nodiscard]] Read& free_read();
  Loaded open(PartitionId partition, std::string_view key, std::string_view record);
  Loaded open_staged(PartitionId partition, std::string_view key, std::string_view staged);
  [[nodiscard]] std::optional<std::string_view> find_staged(PartitionId partition,
                                                            std::string_view key,
                                                            std::uint64_t hash) const;

  const env::Env env_;
  storage::Engine& engine_;
  Metrics& metrics_;
  const Syncing syncing_;
  StagedBatch batches_[2];
  StagedBatch* gathering_ = &batches_[0];
  StagedBatch* under_way_ = &batches_[1];
  bool under_way_active_ = false;
  std::uint64_t submitted_ = 0;  // batches
  // With kBehindBatch: who waits for the sync that is under way, and for the next.
  bool sync_active_ = false;
  std::vector<StoreDone> in_sync_;
  std::vector<StoreDone> to_sync_;
  std::vector<StoreDone> synced_;          // scratch
  std::optional<ErrorCode> failure_;       // of the last batch
  std::optional<ErrorCode> sync_failure_;  // of the last sync that was a step of its own
  bool closed_ = false;
  std::unordered_set<std::uint64_t> in_doubt_;  // hashes of keys
  bool all_in_doubt_ = false;                   // more than are worth remembering
  std::string value_;  // what was loaded last, unless the engine has lent it
  // The store that has begun: its place, and where its record begins in the batch.
  PartitionId storing_partition_{};
  std::string_view storing_key_{};
  std::string* storing_buffer_ = nullptr;
  std::size_t storing_offset_ = 0;
  std::vector<std::unique_ptr<Read>> reads_;  // few: what the engine could not answer at once
  std::size_t reads_active_ = 0;
  std::size_t reads_waiting_ = 0;  // callers, of which several may wait for one read
};

}  // namespace stator::node
