#include "machine.h"

#include <utility>

#include "base/assert.h"

namespace stator::crash {

Machine::~Machine() {
  if (engine_ != nullptr) static_cast<void>(close_engine());
}

void Machine::wait_for(const bool& done) {
  if (done) return;
  const bool in_time = runtime_.run_until([&done] { return done; }, seconds(60));
  STATOR_ASSERT(in_time);
}

Result<void> Machine::open_directory() {
  storage::DirectoryWish wish;
  wish.path = directory_;
  wish.identity = {.cluster_id = "shop", .node_id = {7}, .name = "ada", .engine = engine_name_};
  auto opened = storage::open_data_directory(disk(), wish);
  if (!opened) return std::unexpected(std::move(opened.error()));
  data_ = std::move(*opened);
  return {};
}

Result<void> Machine::open_engine() {
  const storage::EngineOptions options{.name = engine_name_,
                                       .directory = directory_ + "/" + engine_name_,
                                       .memory_bytes_max = 8 << 20,
                                       .journal = engine_name_ == "memory"};
  auto opened = storage::open_engine(options, runtime_.shard_env(0));
  if (!opened) return std::unexpected(std::move(opened.error()));
  home_ = std::move(*opened);
  engine_ = home_->attach(runtime_.shard_env(0));
  return {};
}

Result<void> Machine::close_engine() {
  bool done = false;
  Result<void> result;
  engine_->close([&](Result<void> closed) {
    result = std::move(closed);
    done = true;
  });
  wait_for(done);
  engine_.reset();
  home_.reset();
  return result;
}

Result<void> Machine::submit(const storage::WriteBatch& batch, bool sync) {
  bool done = false;
  Result<void> result;
  engine_->submit(batch, sync, [&](Result<void> submitted) {
    result = std::move(submitted);
    done = true;
  });
  wait_for(done);
  return result;
}

Result<void> Machine::drop(PartitionId partition) {
  bool done = false;
  Result<void> result;
  engine_->drop(partition, [&](Result<void> dropped) {
    result = std::move(dropped);
    done = true;
  });
  wait_for(done);
  return result;
}

Result<void> Machine::sync() {
  bool done = false;
  Result<void> result;
  engine_->sync([&](Result<void> synced) {
    result = std::move(synced);
    done = true;
  });
  wait_for(done);
  return result;
}

Machine::Answer Machine::get(PartitionId partition, const std::string& key) {
  Answer answer;
  Answer later;
  bool done = false;
  std::string room;
  std::string_view found;
  answer.status = engine_->get(partition, key, room, found,
                               [&](storage::GetStatus status, std::string_view value) {
                                 later = {status, std::string(value)};
                                 done = true;
                               });
  if (answer.status != storage::GetStatus::kPending) {
    answer.value = found;
    return answer;
  }
  wait_for(done);
  return later;
}

Result<std::map<std::string, std::string>> Machine::scan(std::uint32_t partitions) {
  class Collecting final : public storage::ScanVisitor {
   public:
    void visit(std::string_view key, std::string_view value) override { found.emplace(key, value); }
    std::map<std::string, std::string> found;
  } visitor;
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    const auto end = engine_->scan(PartitionId{partition}, "",
                                   {.keys_max = 100'000, .bytes_max = 1 << 30}, visitor);
    if (!end) return std::unexpected(end.error());
  }
  return std::move(visitor.found);
}

}  // namespace stator::crash
