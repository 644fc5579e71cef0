#include "storage/memory/memory_engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/probe.h"
#include "storage/memory/hash_table.h"
#include "storage/memory/journal.h"

namespace stator::storage::memory {
namespace {

constexpr Capabilities kCapabilities{
    .name = "memory",
    .summary = "a hash table in memory: the fastest; everything is lost when the process ends"};
constexpr Capabilities kJournalCapabilities{
    .name = "memory",
    .summary = "a hash table in memory, and a journal of its changes",
    .survives_process = true,
    .survives_power = true};

// Nearly all of the time goes into waiting for memory, so a few entries wait for it together.
constexpr std::size_t kTogether = 16;
// Simulated nodes start by the thousand.
constexpr std::size_t kJournalChunkBytes = 64 << 10;

class MemoryEngine;

/// What the shards of a node share. Without a journal the shards run on threads of their own, and
/// each touches the tables of its own partitions only: the array never grows.
class Store final : public JournalOwner,
                    public ChangeSink,
                    public std::enable_shared_from_this<Store> {
 public:
  Store(std::uint64_t seed, env::Executor& home)
      : seed_(seed), tables_(kPartitionsMax), running_(&home) {
    for (unsigned shard = 0; shard < home.shard_count(); ++shard) {
      arenas_.push_back(std::make_unique<Arena>(Arena::kLargePage));
    }
  }

  Result<void> open_journal(const env::Env& env, const std::string& directory) {
    auto journal = Journal::open(env.disk, directory, seed_, *this, env.buggify);
    if (!journal) return std::unexpected(std::move(journal.error()));
    journal_ = std::move(*journal);
    const EngineStats replayed = count();
    live_keys_ = replayed.keys;
    live_bytes_ = replayed.bytes;
    return {};
  }
  [[nodiscard]] Journal* journal() const { return journal_.get(); }

  [[nodiscard]] HashTable* find(PartitionId partition) const {
    STATOR_ASSERT(partition.value < kPartitionsMax);
    return tables_[partition.value].get();
  }
  HashTable& find_or_make(PartitionId partition, Arena& arena) {
    STATOR_ASSERT(partition.value < kPartitionsMax);
    auto& table = tables_[partition.value];
    if (!table) table = std::make_unique<HashTable>(seed_, arena);
    return *table;
  }
  /// For the tables of one shard. With a journal, for all.
  [[nodiscard]] Arena& arena_of(unsigned shard) {
    return journal_ != nullptr ? journal_arena_ : *arenas_[shard];
  }

  // ChangeSink
  void put(PartitionId partition, std::string_view key, std::string_view value) override {
    find_or_make(partition, journal_arena_).put(key, value);
  }
  void erase(PartitionId partition, std::string_view key) override {
    if (HashTable* table = find(partition)) table->erase(key);
  }
  void drop(PartitionId partition) override { tables_[partition.value].reset(); }

  // JournalOwner
  ChangeSink& begin_replay(std::uint64_t seed) override {
    seed_ = seed;
    return *this;
  }
  void write_all(ChangeSink& sink) override;
  [[nodiscard]] std::uint64_t live_bytes() const override {
    return live_bytes_ + live_keys_ * kPutOverheadMax;
  }
  void on_journal_progress() override;

  /// A shard calls, while this lives: what comes of the journal meanwhile comes on its loop, and
  /// else on the one that has opened the journal, where syncs complete. Nothing without a journal,
  /// as then the shards are threads.
  class Calling {
   public:
    Calling(Store& store, env::Executor& shard) {
      if (store.journal() == nullptr) return;
      store_ = &store;
      before_ = std::exchange(store.running_, &shard);
    }
    ~Calling() {
      if (store_ != nullptr) store_->running_ = before_;
    }
    Calling(const Calling&) = delete;
    Calling& operator=(const Calling&) = delete;

   private:
    Store* store_ = nullptr;
    env::Executor* before_ = nullptr;
  };
  void add(MemoryEngine* engine) { engines_.push_back(engine); }
  void remove(MemoryEngine* engine) {
    std::replace(engines_.begin(), engines_.end(), engine, static_cast<MemoryEngine*>(nullptr));
  }
  /// What changes to a table made of its size. With a journal only: then all is on one thread.
  void note_change(std::uint64_t keys_before, std::uint64_t bytes_before, const HashTable& after) {
    live_keys_ += after.size() - keys_before;
    live_bytes_ += after.bytes() - bytes_before;
  }
  void note_drop(const HashTable& dropped) {
    live_keys_ -= dropped.size();
    live_bytes_ -= dropped.bytes();
  }
  /// Over all partitions: for whoever has just opened it.
  [[nodiscard]] EngineStats count() const {
    EngineStats sum;
    for (const auto& table : tables_) {
      if (!table) continue;
      sum.keys += table->size();
      sum.bytes += table->bytes();
    }
    return sum;
  }

 private:
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Arena>> arenas_;  // by shard
  Arena journal_arena_{kJournalChunkBytes};     // with a journal only
  std::vector<std::unique_ptr<HashTable>> tables_;
  std::shared_ptr<Journal> journal_;
  env::Executor* running_;              // with a journal only: the shard that runs
  std::vector<MemoryEngine*> engines_;  // with a journal only; nullptr: gone
  std::uint64_t live_keys_ = 0;         // with a journal only
  std::uint64_t live_bytes_ = 0;        // of their keys and values
};

class MemoryEngine final : public Engine {
 public:
  MemoryEngine(std::shared_ptr<Store> store, const env::Env& env, EngineStats initial)
      : store_(std::move(store)),
        env_(env),
        journal_(store_->journal()),
        arena_(store_->arena_of(env.executor.shard())),
        stats_(initial) {
    if (journal_ != nullptr) store_->add(this);
  }
  ~MemoryEngine() override {
    if (journal_ != nullptr) store_->remove(this);
  }
  MemoryEngine(const MemoryEngine&) = delete;
  MemoryEngine& operator=(const MemoryEngine&) = delete;

  [[nodiscard]] const Capabilities& capabilities() const override {
    return journal_ != nullptr ? kJournalCapabilities : kCapabilities;
  }
  GetStatus get(PartitionId partition, std::string_view key, std::string& room,
                std::string_view& value, Callback<void(GetStatus, std::string_view)> done) override;
  void expect(std::span<const Place> places, Ahead when) override;
  void submit(const WriteBatch& batch, bool sync, Callback<void(Result<void>)> done) override;
  void sync(Callback<void(Result<void>)> done) override;
  [[nodiscard]] Result<std::string> scan(PartitionId partition, std::string_view after,
                                         ScanBudget budget, ScanVisitor& visitor) override;
  void drop(PartitionId partition, Callback<void(Result<void>)> done) override;
  [[nodiscard]] EngineStats stats() const override;
  void close(Callback<void(Result<void>)> done) override;

  /// Completes what can be completed, in order.
  void settle();
  [[nodiscard]] unsigned shard() const { return env_.executor.shard(); }
  [[nodiscard]] env::Executor& executor() const { return env_.executor; }

 private:
  struct Waiter {
    Callback<void(Result<void>)> done;
    Result<void> result;
    std::uint64_t position = 0;  // the journal has to be durable up to here
    bool last = false;           // that of close(): the engine may be gone when it returns
  };

  void apply(const WriteBatch& batch);
  void complete(bool sync, const Result<void>& result, Callback<void(Result<void>)> done);
  void finish_close(const Result<void>& result);
  [[nodiscard]] std::deque<Waiter>* ripe();

  std::shared_ptr<Store> store_;
  const env::Env env_;
  Journal* journal_;
  Arena& arena_;  // the store's
  EngineStats stats_;
  std::deque<Waiter> waiters_;  // of batches
  std::deque<Waiter> syncs_;
  Callback<void(Result<void>)> closed_;
  bool settling_ = false;
  bool closing_ = false;
};

void Store::write_all(ChangeSink& sink) {
  class Copy final : public ScanVisitor {
   public:
    Copy(PartitionId partition, ChangeSink& to) : partition_(partition), to_(to) {}
    void visit(std::string_view key, std::string_view value) override {
      to_.put(partition_, key, value);
    }

   private:
    PartitionId partition_;
    ChangeSink& to_;
  };
  constexpr ScanBudget kAll{.keys_max = SIZE_MAX, .bytes_max = SIZE_MAX};
  for (std::uint32_t partition = 0; partition < kPartitionsMax; ++partition) {
    if (!tables_[partition]) continue;
    Copy copy(PartitionId{partition}, sink);
    static_cast<void>(tables_[partition]->scan({}, kAll, copy));
  }
}

// Completions come on the loop of their shard.
void Store::on_journal_progress() {
  const auto alive = shared_from_this();
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    if (engines_[i] == nullptr) continue;
    if (engines_[i]->shard() == running_->shard()) {
      engines_[i]->settle();
      continue;
    }
    running_->post_to(engines_[i]->shard(), [alive, i] {
      if (alive->engines_[i] == nullptr) return;
      const Calling calling(*alive, alive->engines_[i]->executor());
      alive->engines_[i]->settle();
    });
  }
}

GetStatus MemoryEngine::get(PartitionId partition, std::string_view key, std::string&,
                            std::string_view& value, Callback<void(GetStatus, std::string_view)>) {
  STATOR_ASSERT(!closing_);
  const HashTable* table = store_->find(partition);
  if (table == nullptr) return GetStatus::kMissing;
  const auto found = table->find(key);
  if (!found) return GetStatus::kMissing;
  value = *found;
  return GetStatus::kFound;
}

void MemoryEngine::submit(const WriteBatch& batch, bool sync, Callback<void(Result<void>)> done) {
  const Store::Calling calling(*store_, env_.executor);
  Result<void> appended;
  if (closing_) {
    appended = std::unexpected(Error{.code = ErrorCode::kClosed});
  } else if (journal_ != nullptr) {
    appended = journal_->append(batch);
  }
  if (appended) apply(batch);
  ++stats_.batches;
  complete(sync, appended, std::move(done));
}

void MemoryEngine::sync(Callback<void(Result<void>)> done) {
  const Store::Calling calling(*store_, env_.executor);
  if (closing_) {
    done(std::unexpected(Error{.code = ErrorCode::kClosed}));
    return;
  }
  if (journal_ == nullptr) {
    done({});
    return;
  }
  // After a failure nothing is told any more, be it durable (D31).
  syncs_.push_back({std::move(done), journal_->failure(), journal_->appended()});
  journal_->sync();
  settle();
}

void MemoryEngine::expect(std::span<const Place> places, Ahead when) {
  for (const Place& place : places) {
    const HashTable* table = store_->find(place.partition);
    if (table == nullptr) continue;
    const std::uint64_t hash = table->hash_of(place.key);
    if (when == Ahead::kLater) {
      table->prefetch_slot(hash);
    } else {
      table->prefetch_whole(hash);
    }
  }
}

void MemoryEngine::apply(const WriteBatch& batch) {
  std::array<std::uint64_t, kTogether> hashes{};
  std::array<HashTable*, kTogether> tables{};
  std::span<const WriteBatch::Entry> rest(batch.entries());
  while (!rest.empty()) {
    const auto now = rest.first(std::min(kTogether, rest.size()));
    rest = rest.subspan(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
      tables[i] = &store_->find_or_make(now[i].partition, arena_);
      hashes[i] = tables[i]->hash_of(batch.key(now[i]));
      tables[i]->prefetch_slot(hashes[i]);
    }
    for (std::size_t i = 0; i < now.size(); ++i) tables[i]->prefetch_entry(hashes[i]);
    for (std::size_t i = 0; i < now.size(); ++i) {
      HashTable& table = *tables[i];
      const std::uint64_t keys_before = table.size();
      const std::uint64_t bytes_before = table.bytes();
      if (now[i].erase) {
        table.erase(batch.key(now[i]));
      } else {
        table.put(hashes[i], batch.key(now[i]), batch.value(now[i]));
      }
      stats_.keys += table.size() - keys_before;
      stats_.bytes += table.bytes() - bytes_before;
      if (journal_ != nullptr) store_->note_change(keys_before, bytes_before, table);
    }
  }
}

void MemoryEngine::drop(PartitionId partition, Callback<void(Result<void>)> done) {
  const Store::Calling calling(*store_, env_.executor);
  Result<void> appended;
  if (closing_) {
    appended = std::unexpected(Error{.code = ErrorCode::kClosed});
  } else if (journal_ != nullptr) {
    appended = journal_->append_drop(partition);
  }
  if (const HashTable* table = store_->find(partition); appended && table != nullptr) {
    stats_.keys -= table->size();
    stats_.bytes -= table->bytes();
    if (journal_ != nullptr) store_->note_drop(*table);
    store_->drop(partition);
  }
  complete(true, appended, std::move(done));
}

void MemoryEngine::complete(bool sync, const Result<void>& result,
                            Callback<void(Result<void>)> done) {
  if (journal_ == nullptr || closing_) {
    done(result);
    return;
  }
  const bool wait = sync && result.has_value();
  waiters_.push_back({std::move(done), result, wait ? journal_->appended() : 0});
  if (wait) journal_->sync();
  settle();
  journal_->applied();
}

// Whose first can be completed. Syncs come first: the last batch of all is that of close().
std::deque<MemoryEngine::Waiter>* MemoryEngine::ripe() {
  for (std::deque<Waiter>* queue : {&syncs_, &waiters_}) {
    if (queue->empty()) continue;
    if (queue->front().position <= journal_->durable() || !journal_->failure()) return queue;
  }
  return nullptr;
}

void MemoryEngine::settle() {
  if (settling_) return;  // a completion has submitted: the loop below goes on with it
  settling_ = true;
  while (std::deque<Waiter>* queue = ripe()) {
    Waiter waiter = std::move(queue->front());
    queue->pop_front();
    const bool durable = waiter.position <= journal_->durable();
    const Result<void> result = durable ? waiter.result : journal_->failure();
    waiter.done(result);
    if (waiter.last) return;
  }
  settling_ = false;
}

Result<std::string> MemoryEngine::scan(PartitionId partition, std::string_view after,
                                       ScanBudget budget, ScanVisitor& visitor) {
  STATOR_ASSERT(!closing_);
  const HashTable* table = store_->find(partition);
  if (table == nullptr) return std::string();
  if (env_.buggified("engine: a page of one key")) {
    STATOR_PROBE("engine: a page of one key");
    budget.keys_max = 1;
  }
  return std::string(table->scan(after, budget, visitor));
}

EngineStats MemoryEngine::stats() const {
  EngineStats stats = stats_;
  if (journal_ != nullptr) stats.syncs = journal_->syncs();
  return stats;
}

void MemoryEngine::close(Callback<void(Result<void>)> done) {
  STATOR_ASSERT(!closing_);
  const std::shared_ptr<Store> store = store_;  // a completion may end this engine
  const Store::Calling calling(*store, env_.executor);
  closing_ = true;
  if (journal_ == nullptr) {
    done({});
    return;
  }
  closed_ = std::move(done);
  waiters_.push_back(
      {[this](const Result<void>& result) { finish_close(result); }, {}, journal_->appended()});
  journal_->sync();
  settle();
}

/// Everything is durable: says so in the journal, so that the next start notices if it no longer
/// is.
void MemoryEngine::finish_close(const Result<void>& result) {
  Result<void> marked = result;
  if (marked) marked = journal_->append_mark();
  waiters_.push_back({std::move(closed_), marked, marked ? journal_->appended() : 0, true});
  if (marked) journal_->sync();
}

class MemoryHome final : public EngineHome {
 public:
  explicit MemoryHome(std::shared_ptr<Store> store) : store_(std::move(store)) {}
  std::unique_ptr<Engine> attach(const env::Env& env) override {
    // What was there before is counted by the first.
    EngineStats initial;
    if (!counted_.exchange(true) && store_->journal() != nullptr) initial = store_->count();
    return std::make_unique<MemoryEngine>(store_, env, initial);
  }

 private:
  std::shared_ptr<Store> store_;
  std::atomic<bool> counted_ = false;
};

}  // namespace

const Capabilities& capabilities() {
  return kCapabilities;
}

Result<std::unique_ptr<EngineHome>> open(const EngineOptions& options, const env::Env& env) {
  auto store = std::make_shared<Store>(env.executor.random(), env.executor);
  if (options.journal) {
    if (auto opened = store->open_journal(env, options.directory); !opened) {
      return std::unexpected(std::move(opened.error()));
    }
  }
  return std::make_unique<MemoryHome>(std::move(store));
}

}  // namespace stator::storage::memory
