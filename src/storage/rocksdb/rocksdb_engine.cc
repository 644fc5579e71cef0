#include "storage/rocksdb/rocksdb_engine.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "storage/rocksdb/rocksdb_files.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace stator::storage::rocks {
namespace {

constexpr Capabilities kCapabilities{
    .name = "rocksdb",
    .summary = "an embedded log-structured tree: for more data than memory, durable by default",
    .survives_process = true,
    .survives_power = true,
    .ordered_scan = true};

constexpr unsigned kWriteLane = 0;
constexpr unsigned kFirstReadLane = 1;
constexpr unsigned kReadLanes = 2;
constexpr unsigned kSyncLane = kFirstReadLane + kReadLanes;
static_assert(kSyncLane < env::Executor::kLanes);
// A group that once held a flood gives its memory back.
constexpr std::size_t kKeptBytesMax = 4 << 20;
constexpr std::size_t kKeptValueMax = 64 << 10;

/// Batches that are written together.
struct Group {
  ::rocksdb::WriteBatch batch;
  std::vector<Callback<void(Result<void>)>> waiters;
  std::vector<PartitionId> dropped;
  bool sync = false;
  Result<void> result;  // while it is away: the side thread's

  void clear() {
    if (batch.GetDataSize() > kKeptBytesMax) {
      batch = ::rocksdb::WriteBatch();
    } else {
      batch.Clear();
    }
    waiters.clear();
    dropped.clear();
    sync = false;
  }
};

class RocksEngine final : public Engine {
 public:
  RocksEngine(std::shared_ptr<RocksStore> store, env::Executor& executor, bool counts)
      : store_(std::move(store)), executor_(executor), counts_(counts) {
    store_->add_user();
  }
  ~RocksEngine() override {
    if (closed_) return;
    // A start that was given up before the first request.
    STATOR_ASSERT(!busy_ && syncs_.empty() && free_reads_.size() == reads_.size());
    static_cast<void>(store_->remove_user());
  }
  RocksEngine(const RocksEngine&) = delete;
  RocksEngine& operator=(const RocksEngine&) = delete;

  [[nodiscard]] const Capabilities& capabilities() const override { return kCapabilities; }
  GetStatus get(PartitionId partition, std::string_view key, std::string& room,
                std::string_view& value, Callback<void(GetStatus, std::string_view)> done) override;
  void submit(const WriteBatch& batch, bool sync, Callback<void(Result<void>)> done) override;
  void sync(Callback<void(Result<void>)> done) override;
  [[nodiscard]] Result<std::string> scan(PartitionId partition, std::string_view after,
                                         ScanBudget budget, ScanVisitor& visitor) override;
  void drop(PartitionId partition, Callback<void(Result<void>)> done) override;
  [[nodiscard]] EngineStats stats() const override;
  void close(Callback<void(Result<void>)> done) override;

 private:
  /// A read that waits for the disk on a side thread.
  struct Read {
    RocksEngine* engine = nullptr;
    std::string key;
    std::string value;
    GetStatus status = GetStatus::kPending;
    Callback<void(GetStatus, std::string_view)> done;
  };

  /// A sync on its side thread, where others go on writing.
  struct Sync {
    Callback<void(Result<void>)> done;
    Result<void> result{};  // while it is away: the side thread's
  };

  void hand_over_read(Callback<void(GetStatus, std::string_view)> done);
  void finish_read(Read& read);
  void write_gathering();
  void on_written();
  void finish_sync();
  void close_if_idle();

  std::shared_ptr<RocksStore> store_;
  env::Executor& executor_;
  ::rocksdb::ReadOptions read_options_;
  ::rocksdb::PinnableSlice pinned_;
  std::string key_;

  Group groups_[2];
  Group* gathering_ = &groups_[0];
  Group* writing_ = &groups_[1];
  bool busy_ = false;  // a group is away, or its completions are being called

  std::vector<std::unique_ptr<Read>> reads_;
  std::vector<Read*> free_reads_;
  unsigned next_lane_ = 0;
  std::deque<Sync> syncs_;  // in the order of their lane

  EngineStats stats_;
  bool counts_;  // the whole database, in this shard's stats
  bool closing_ = false;
  bool closed_ = false;
  Callback<void(Result<void>)> on_closed_;
  Result<void> close_result_;
};

/// On any thread.
GetStatus status_of(const ::rocksdb::Status& status) {
  if (status.ok()) return GetStatus::kFound;
  return status.IsNotFound() ? GetStatus::kMissing : GetStatus::kUnreadable;
}

GetStatus RocksEngine::get(PartitionId partition, std::string_view key, std::string& room,
                           std::string_view& value,
                           Callback<void(GetStatus, std::string_view)> done) {
  STATOR_ASSERT(!closing_);
  set_key(partition, key, key_);
  const NoWaiting no_waiting;
  ::rocksdb::DB& db = store_->db();
  const ::rocksdb::Status status = db.Get(read_options_, db.DefaultColumnFamily(), key_, &pinned_);
  if (!status.ok() && no_waiting.would_have_waited()) {
    hand_over_read(std::move(done));
    return GetStatus::kPending;
  }
  if (status.ok()) value = room.assign(pinned_.data(), pinned_.size());
  pinned_.Reset();
  return status_of(status);
}

void RocksEngine::hand_over_read(Callback<void(GetStatus, std::string_view)> done) {
  store_->events().reads_handed_over.fetch_add(1, std::memory_order_relaxed);
  if (free_reads_.empty()) {
    reads_.push_back(std::make_unique<Read>());
    free_reads_.push_back(reads_.back().get());
  }
  Read* read = free_reads_.back();
  free_reads_.pop_back();
  read->engine = this;
  read->key = key_;
  read->done = std::move(done);
  next_lane_ = (next_lane_ + 1) % kReadLanes;
  executor_.run_blocking(
      kFirstReadLane + next_lane_,
      [read] {
        ::rocksdb::DB& db = read->engine->store_->db();
        read->status = status_of(
            db.Get(::rocksdb::ReadOptions(), db.DefaultColumnFamily(), read->key, &read->value));
      },
      [read] { read->engine->finish_read(*read); });
}

void RocksEngine::finish_read(Read& read) {
  const auto status = read.status;
  read.done(status,
            status == GetStatus::kFound ? std::string_view(read.value) : std::string_view());
  read.done.reset();
  if (read.value.capacity() > kKeptValueMax) read.value = std::string();
  free_reads_.push_back(&read);
  close_if_idle();
}

void RocksEngine::submit(const WriteBatch& batch, bool sync, Callback<void(Result<void>)> done) {
  if (closing_) {
    done(std::unexpected(Error{.code = ErrorCode::kClosed}));
    return;
  }
  ++stats_.batches;
  for (const WriteBatch::Entry& entry : batch.entries()) {
    set_key(entry.partition, batch.key(entry), key_);
    // Adding to a batch fails only beyond 4 GiB.
    const ::rocksdb::Status added =
        entry.erase ? gathering_->batch.Delete(key_)
                    : gathering_->batch.Put(
                          key_, ::rocksdb::Slice(batch.value(entry).data(), entry.value_size));
    STATOR_ASSERT(added.ok());
  }
  const bool alone = !busy_ && gathering_->waiters.empty();
  if (Result<void> result; alone && !sync && store_->try_write(gathering_->batch, result)) {
    gathering_->clear();
    done(std::move(result));
    return;
  }
  gathering_->sync = gathering_->sync || sync;
  gathering_->waiters.push_back(std::move(done));
  if (!busy_) write_gathering();
}

void RocksEngine::sync(Callback<void(Result<void>)> done) {
  if (closing_) {
    done(std::unexpected(Error{.code = ErrorCode::kClosed}));
    return;
  }
  ++stats_.syncs;
  Sync* sync = &syncs_.emplace_back(Sync{.done = std::move(done)});
  executor_.run_blocking(
      kSyncLane, [this, sync] { sync->result = store_->sync(); }, [this] { finish_sync(); });
}

void RocksEngine::finish_sync() {
  Sync sync = std::move(syncs_.front());
  syncs_.pop_front();
  sync.done(std::move(sync.result));
  close_if_idle();
}

void RocksEngine::drop(PartitionId partition, Callback<void(Result<void>)> done) {
  if (closing_) {
    done(std::unexpected(Error{.code = ErrorCode::kClosed}));
    return;
  }
  std::string end;
  set_key(partition, {}, key_);
  set_key_after(partition, end);
  const ::rocksdb::Status added = gathering_->batch.DeleteRange(key_, end);
  STATOR_ASSERT(added.ok());
  gathering_->dropped.push_back(partition);
  gathering_->sync = true;
  gathering_->waiters.push_back(std::move(done));
  if (!busy_) write_gathering();
}

void RocksEngine::write_gathering() {
  STATOR_ASSERT(!busy_);
  busy_ = true;
  std::swap(gathering_, writing_);
  if (writing_->sync) ++stats_.syncs;
  executor_.run_blocking(
      kWriteLane,
      [this] {
        writing_->result = store_->write(writing_->batch, writing_->sync);
        for (const PartitionId partition : writing_->dropped) store_->suggest_compaction(partition);
      },
      [this] { on_written(); });
}

void RocksEngine::on_written() {
  // Completions may submit: that gathers behind what is being completed, so that the order stays.
  for (auto& waiter : writing_->waiters) waiter(writing_->result);
  writing_->clear();
  busy_ = false;
  if (!gathering_->waiters.empty()) {
    write_gathering();
  } else {
    close_if_idle();
  }
}

Result<std::string> RocksEngine::scan(PartitionId partition, std::string_view after,
                                      ScanBudget budget, ScanVisitor& visitor) {
  std::string end;
  set_key_after(partition, end);
  const ::rocksdb::Slice upper_bound(end);
  ::rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper_bound;
  options.fill_cache = false;  // a walk over everything shall not drive out what is in use
  const std::unique_ptr<::rocksdb::Iterator> at(store_->db().NewIterator(options));
  set_key(partition, after, key_);
  at->Seek(key_);
  if (!after.empty() && at->Valid() && at->key() == key_) at->Next();
  std::string last;
  std::size_t keys = 0;
  std::size_t bytes = 0;
  for (; at->Valid(); at->Next()) {
    if (keys > 0 && (keys >= budget.keys_max || bytes >= budget.bytes_max)) return last;
    const std::string_view key(at->key().data() + kPrefixSize, at->key().size() - kPrefixSize);
    visitor.visit(key, {at->value().data(), at->value().size()});
    last.assign(key);
    ++keys;
    bytes += at->key().size() + at->value().size();
  }
  if (!at->status().ok()) return std::unexpected(to_error(at->status()));
  return std::string();
}

EngineStats RocksEngine::stats() const {
  EngineStats stats = stats_;
  if (!counts_ || closed_) return stats;
  ::rocksdb::DB& db = store_->db();
  std::uint64_t memory = 0;
  std::uint64_t tables = 0;
  db.GetIntProperty("rocksdb.estimate-num-keys", &stats.keys);
  db.GetIntProperty("rocksdb.cur-size-all-mem-tables", &memory);
  db.GetIntProperty("rocksdb.total-sst-files-size", &tables);
  stats.bytes = memory + tables;
  return stats;
}

void RocksEngine::close(Callback<void(Result<void>)> done) {
  STATOR_ASSERT(!closing_);
  closing_ = true;
  on_closed_ = std::move(done);
  close_if_idle();
}

void RocksEngine::close_if_idle() {
  const bool reading = free_reads_.size() != reads_.size();
  if (!closing_ || busy_ || reading || !syncs_.empty() || !gathering_->waiters.empty()) return;
  busy_ = true;
  executor_.run_blocking(
      kWriteLane, [this] { close_result_ = store_->remove_user(); },
      [this] {
        closed_ = true;
        const Result<void> result = std::move(close_result_);
        auto on_closed = std::move(on_closed_);
        on_closed(result);  // the last thing done here: it may destroy the engine
      });
}

class RocksHome final : public EngineHome {
 public:
  explicit RocksHome(std::shared_ptr<RocksStore> store) : store_(std::move(store)) {}
  std::unique_ptr<Engine> attach(const env::Env& env) override {
    return std::make_unique<RocksEngine>(store_, env.executor, !counted_.exchange(true));
  }

 private:
  std::shared_ptr<RocksStore> store_;
  std::atomic<bool> counted_ = false;
};

}  // namespace

const Capabilities& capabilities() {
  return kCapabilities;
}

Result<std::unique_ptr<EngineHome>> open_with_events(const EngineOptions& options,
                                                     std::shared_ptr<FileEvents> events) {
  auto store = RocksStore::open(options, std::move(events));
  if (!store) return std::unexpected(std::move(store.error()));
  return std::make_unique<RocksHome>(std::move(*store));
}

Result<std::unique_ptr<EngineHome>> open(const EngineOptions& options, const env::Env&) {
  return open_with_events(options, std::make_shared<FileEvents>());
}

}  // namespace stator::storage::rocks
