#include "sim/rotting_engine.h"

#include "base/assert.h"
#include "storage/record.h"

namespace stator::sim {
namespace {

// Stands where a block cannot be read: no sealed record, so that nothing else looks like it.
constexpr std::string_view kLostBlock = "a block that cannot be read";

class UpToTheLostBlock final : public storage::ScanVisitor {
 public:
  explicit UpToTheLostBlock(storage::ScanVisitor& visitor) : visitor_(visitor) {}
  void visit(std::string_view key, std::string_view value) override {
    met_ = met_ || value == kLostBlock;
    if (!met_) visitor_.visit(key, value);
  }
  [[nodiscard]] bool met() const { return met_; }

 private:
  storage::ScanVisitor& visitor_;
  bool met_ = false;
};

class RottingHome final : public storage::EngineHome {
 public:
  RottingHome(std::unique_ptr<storage::EngineHome> inner, RottenPlaces& known)
      : inner_(std::move(inner)), known_(known) {}
  std::unique_ptr<storage::Engine> attach(const env::Env& env) override {
    return std::make_unique<RottingEngine>(inner_->attach(env), known_);
  }

 private:
  std::unique_ptr<storage::EngineHome> inner_;
  RottenPlaces& known_;
};

}  // namespace

bool RottingEngine::is_rotten(PartitionId partition, std::string_view key,
                              std::string_view record) const {
  if (known_.places.empty()) return false;
  const RottenPlaces::Place place(partition, std::string(key));
  if (!known_.places.contains(place)) return false;
  storage::RecordHeader header;
  std::string_view payload;
  return !storage::open_record(partition, key, record, header, payload);
}

bool RottingEngine::spoil(PartitionId partition, std::string_view key, std::uint32_t index, Rot rot,
                          Random& random) {
  std::string room;
  std::string_view record;
  if (inner_->get(partition, key, room, record, nullptr) != storage::GetStatus::kFound) {
    return false;
  }
  std::string spoilt(rot == Rot::kBlock ? kLostBlock : record);
  if (rot == Rot::kBits) {
    char& byte = spoilt[random.below(spoilt.size())];
    byte = static_cast<char>(byte ^ (1 << random.below(8)));
  }
  storage::WriteBatch batch;
  batch.put(partition, key, spoilt);
  inner_->submit(batch, false, [](const Result<void>&) {});
  const auto place = known_.places.emplace(std::pair(partition, std::string(key)), index).first;
  if (rotten(partition, key)) return true;
  known_.places.erase(place);
  return false;
}

bool RottingEngine::rotten(PartitionId partition, std::string_view key) {
  std::string room;
  std::string_view record;
  return inner_->get(partition, key, room, record, nullptr) == storage::GetStatus::kFound &&
         is_rotten(partition, key, record);
}

storage::GetStatus RottingEngine::get(PartitionId partition, std::string_view key,
                                      std::string& room, std::string_view& value,
                                      Callback<void(storage::GetStatus, std::string_view)> done) {
  const storage::GetStatus status = inner_->get(partition, key, room, value, std::move(done));
  STATOR_ASSERT(status != storage::GetStatus::kPending);  // an engine in memory waits for nothing
  if (status != storage::GetStatus::kFound || !is_rotten(partition, key, value)) return status;
  ++known_.met;
  if (value != kLostBlock) return status;
  value = {};
  return storage::GetStatus::kUnreadable;
}

Result<std::string> RottingEngine::scan(PartitionId partition, std::string_view after,
                                        storage::ScanBudget budget, storage::ScanVisitor& visitor) {
  UpToTheLostBlock part(visitor);
  auto next = inner_->scan(partition, after, budget, part);
  if (!part.met()) return next;
  return std::unexpected(Error{.code = ErrorCode::kUnreadable, .detail = "a block cannot be read"});
}

std::unique_ptr<storage::EngineHome> make_rotting(std::unique_ptr<storage::EngineHome> inner,
                                                  RottenPlaces& known) {
  return std::make_unique<RottingHome>(std::move(inner), known);
}

}  // namespace stator::sim
