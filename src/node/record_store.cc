#include "node/record_store.h"

#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/probe.h"

namespace stator::node {
namespace {

std::uint64_t hash_of(PartitionId partition, std::string_view key) {
  return hash64(key, partition.value);
}

constexpr std::size_t kInDoubtMax = 100'000;
// Behind every partition that a ring can have: no walk and no drop comes there.
constexpr PartitionId kProbePlace{0xFFFF};
constexpr std::string_view kProbeKey = "probe";
// A small one would find a place where the next batch does not.
constexpr std::size_t kProbeBytes = 64 << 10;

}  // namespace

RecordStore::RecordStore(const env::Env& env, storage::Engine& engine, Metrics& metrics,
                         Syncing syncing)
    : env_(env), engine_(engine), metrics_(metrics), syncing_(syncing) {
  env.executor.at_turn_end([this] { return submit_turn(); });
}

std::optional<std::string_view> RecordStore::find_staged(PartitionId partition,
                                                         std::string_view key,
                                                         std::uint64_t hash) const {
  if (const auto found = gathering_->find(partition, key, hash)) {
    STATOR_PROBE("records: read from what this turn stores");
    return found;
  }
  if (under_way_active_) {
    const auto found = under_way_->find(partition, key, hash);
    if (found) STATOR_PROBE("records: read from what is under way to the engine");
    return found;
  }
  return std::nullopt;
}

RecordStore::Loaded RecordStore::open(PartitionId partition, std::string_view key,
                                      std::string_view record) {
  Loaded loaded;
  const auto opened = storage::open_record(partition, key, record, loaded.header, loaded.payload);
  loaded.status = opened ? Status::kFound : Status::kUnreadable;
  if (!opened) {
    STATOR_PROBE("records: one does not pass its checksum");
    loaded.damaged = record;
    loaded.key = key;
    ++metrics_.records_unreadable_total;
  }
  return loaded;
}

RecordStore::Loaded RecordStore::open_staged(PartitionId partition, std::string_view key,
                                             std::string_view staged) {
  if (staged.empty()) return {};  // erased
  // Copied, since whoever uses it may stage the key again and so move the batch's buffer.
  value_.assign(staged);
  return open(partition, key, value_);
}

RecordStore::Read* RecordStore::find_read(PartitionId partition, std::string_view key,
                                          std::uint64_t hash) {
  if (reads_active_ == 0) return nullptr;
  for (const auto& read : reads_) {
    if (read->active && read->hash == hash && read->partition == partition && read->key == key) {
      return read.get();
    }
  }
  return nullptr;
}

RecordStore::Read& RecordStore::free_read() {
  for (const auto& read : reads_) {
    if (!read->active) return *read;
  }
  return *reads_.emplace_back(std::make_unique<Read>());
}

void RecordStore::close() {
  STATOR_ASSERT(idle());
  closed_ = true;
}

void RecordStore::load(PartitionId partition, std::string_view key, LoadDone use) {
  if (closed_) {
    use(Loaded{.status = Status::kUnreadable});
    return;
  }
  const std::uint64_t hash = hash_of(partition, key);
  if (Read* read = find_read(partition, key, hash)) {
    STATOR_PROBE("records: waits behind another's read");
    read->waiters.push_back(std::move(use));
    ++reads_waiting_;
    return;
  }
  if (const auto staged = find_staged(partition, key, hash)) {
    use(open_staged(partition, key, *staged));
    return;
  }
  Read& read = free_read();
  std::string_view record;
  storage::GetStatus status =
      engine_.get(partition, key, value_, record,
                  [this, &read](storage::GetStatus later, std::string_view value) {
                    on_read(read, later, value);
                  });
  if (status != storage::GetStatus::kPending && env_.buggified("records: a read takes its time")) {
    answer_late(read, status, record);
    status = storage::GetStatus::kPending;
  }
  switch (status) {
    case storage::GetStatus::kFound: {
      Loaded loaded = open(partition, key, record);
      loaded.lent = record.data() != value_.data();
      use(loaded);
      return;
    }
    case storage::GetStatus::kMissing: use(Loaded{}); return;
    case storage::GetStatus::kUnreadable:
      STATOR_PROBE("records: the engine cannot read one");
      ++metrics_.records_unreadable_total;
      use(Loaded{.status = Status::kUnreadable, .key = key});
      return;
    case storage::GetStatus::kPending: break;
  }
  read.active = true;
  read.hash = hash;
  read.partition = partition;
  read.key = key;
  read.waiters.push_back(std::move(use));
  ++reads_waiting_;
  ++reads_active_;
}

// As an engine does that has to ask the disk for what was there when it was asked.
void RecordStore::answer_late(Read& read, storage::GetStatus status, std::string_view record) {
  constexpr std::uint64_t kLongestUs = 20'000;
  const Duration wait =
      microseconds(static_cast<std::int64_t>(env_.executor.random() % kLongestUs));
  auto value = std::make_unique<std::string>();
  if (status == storage::GetStatus::kFound) *value = record;
  env_.executor.after(
      wait, [this, &read, status, value = std::move(value)] { on_read(read, status, *value); });
}

void RecordStore::on_read(Read& read, storage::GetStatus status, std::string_view value) {
  STATOR_ASSERT(read.active && status != storage::GetStatus::kPending);
  const std::string from_engine(value);
  // Waiters may add waiters; each sees what the ones before it stored.
  for (std::size_t i = 0; i < read.waiters.size(); ++i) {
    LoadDone use = std::move(read.waiters[i]);
    --reads_waiting_;
    if (const auto staged = find_staged(read.partition, read.key, read.hash)) {
      STATOR_PROBE("records: stored anew while it was read");
      use(open_staged(read.partition, read.key, *staged));
    } else if (status == storage::GetStatus::kFound) {
      value_ = from_engine;
      use(open(read.partition, read.key, value_));
    } else if (status == storage::GetStatus::kMissing) {
      use(Loaded{});
    } else {
      STATOR_PROBE("records: the engine cannot read one");
      ++metrics_.records_unreadable_total;
      use(Loaded{.status = Status::kUnreadable, .key = read.key});
    }
  }
  read.waiters.clear();
  read.active = false;
  --reads_active_;
}

std::string& RecordStore::begin_store(PartitionId partition, std::string_view key) {
  storing_partition_ = partition;
  storing_key_ = key;
  storing_buffer_ = &gathering_->begin_put(partition, key, hash_of(partition, key));
  storing_offset_ = storage::begin_record(*storing_buffer_);
  return *storing_buffer_;
}

void RecordStore::finish_store(const storage::RecordHeader& header, bool sync, StoreDone done) {
  storage::finish_record(*storing_buffer_, storing_offset_, storing_partition_, storing_key_,
                         header);
  if (sync && syncing_ == Syncing::kBehindBatch) {
    gathering_->end_put(false, nullptr);
    gathering_->add_sync_waiter(std::move(done));
  } else {
    gathering_->end_put(sync, std::move(done));
  }
}

void RecordStore::erase(PartitionId partition, std::string_view key, StoreDone done) {
  gathering_->erase(partition, key, hash_of(partition, key), std::move(done));
}

void RecordStore::when_stored(PartitionId partition, std::string_view key, StoreDone done) {
  const std::uint64_t hash = hash_of(partition, key);
  if (gathering_->find(partition, key, hash)) {
    STATOR_PROBE("records: waits for what this turn stores");
    gathering_->add_waiter(std::move(done));
  } else if (under_way_active_ && under_way_->find(partition, key, hash)) {
    STATOR_PROBE("records: waits for what is under way");
    under_way_->add_waiter(std::move(done));
  } else {
    done(Result<void>());
  }
}

void RecordStore::when_durable(PartitionId partition, std::string_view key, StoreDone done) {
  if (syncing_ == Syncing::kWithBatch) {
    // What is complete is durable.
    when_stored(partition, key, std::move(done));
    return;
  }
  const std::uint64_t hash = hash_of(partition, key);
  if (under_way_active_ && !gathering_->find(partition, key, hash) &&
      under_way_->find(partition, key, hash)) {
    STATOR_PROBE("records: to be durable when what is under way is stored");
    under_way_->add_sync_waiter(std::move(done));
    return;
  }
  // It leaves with this batch, or the engine has it: a sync behind the batch is for either.
  gathering_->add_sync_waiter(std::move(done));
}

bool RecordStore::in_doubt(PartitionId partition, std::string_view key) const {
  if (all_in_doubt_) return true;
  return !in_doubt_.empty() && in_doubt_.contains(hash_of(partition, key));
}

void RecordStore::note_doubt(bool failed) {
  if (!failed && in_doubt_.empty()) return;
  for (const std::uint64_t hash : under_way_->hashes()) {
    if (failed) {
      in_doubt_.insert(hash);
    } else {
      in_doubt_.erase(hash);
    }
  }
  if (in_doubt_.size() > kInDoubtMax) {
    all_in_doubt_ = true;
    in_doubt_.clear();
  }
}

void RecordStore::probe() {
  if (closed_ || under_way_active_ || !gathering_->empty()) return;  // that will tell
  begin_store(kProbePlace, kProbeKey).append(kProbeBytes, '\0');
  finish_store({}, true, [](const Result<void>&) {});
}

bool RecordStore::submit_turn() {
  if (under_way_active_) return false;
  if (gathering_->empty()) {
    if (!gathering_->has_sync_waiters()) return false;
    STATOR_PROBE("records: a sync of what was stored before");
    gathering_->take_sync_waiters(to_sync_);
    begin_sync();
    return true;
  }
  if (env_.buggified("records: a batch waits a turn")) {
    STATOR_PROBE("records: a batch waits a turn");
    env_.executor.post([] {});  // so that there is one
    return false;
  }
  std::swap(gathering_, under_way_);
  under_way_active_ = true;
  ++submitted_;
  ++metrics_.storage_batches_total;
  engine_.submit(under_way_->writes(), under_way_->sync(),
                 [this](const Result<void>& result) { on_submitted(result); });
  return true;
}

void RecordStore::on_submitted(const Result<void>& result) {
  STATOR_ASSERT(under_way_active_);
  failure_.reset();
  if (!result) {
    failure_ = result.error().code;
    ++metrics_.storage_errors_total;
  }
  under_way_active_ = false;
  note_doubt(!result.has_value());
  if (result) under_way_->take_sync_waiters(to_sync_);
  // From here on the engine answers for these keys. Waiters may store again, into `gathering_`.
  under_way_->complete(result);
  begin_sync();
}

void RecordStore::begin_sync() {
  if (sync_active_ || to_sync_.empty()) return;
  sync_active_ = true;
  in_sync_.swap(to_sync_);
  engine_.sync([this](const Result<void>& result) { on_synced(result); });
}

void RecordStore::on_synced(const Result<void>& result) {
  STATOR_ASSERT(sync_active_);
  sync_failure_.reset();
  if (!result) {
    sync_failure_ = result.error().code;
    ++metrics_.storage_errors_total;
  }
  synced_.swap(in_sync_);
  for (StoreDone& done : synced_) {
    if (done) done(result);
  }
  synced_.clear();
  sync_active_ = false;
  begin_sync();
}

}  // namespace stator::node
