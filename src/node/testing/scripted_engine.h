#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "storage/engine.h"

namespace stator::node::testing {

/// An engine whose completions, failures and delays are the test's. What is submitted is seen by
/// get() at once, also when it then fails unless the script says otherwise: an engine may do both
/// (storage/engine.h).
class ScriptedEngine final : public storage::Engine {
 public:
  struct Script {
    bool hold_writes = false;  // until release()
    bool hold_reads = false;   // until release_reads()
    bool hold_syncs = false;   // until release_syncs()
    Result<void> outcome;      // of every submit
    Result<void> sync_outcome;
    bool forgets = false;  // what failed is not there
    /// Records in blocks that cannot be read, until they are written again: no scan gets past one.
    std::set<std::pair<PartitionId, std::string>> lost{};
    std::size_t submits = 0;
    std::size_t syncs = 0;  // that were no part of a submit
    std::size_t scans = 0;
    std::uint32_t highest_expected = 0;  // of the partitions that were announced
    bool closed = false;                 // then nothing may be asked any more
    std::size_t asked_when_closed = 0;
    ScriptedEngine* engine = nullptr;  // nullptr: gone
  };

  explicit ScriptedEngine(Script& script) : script_(script) { script_.engine = this; }
  ~ScriptedEngine() override { script_.engine = nullptr; }

  /// On the shard's loop: completes what is held, as `outcome` says.
  void release() {
    while (!held_writes_.empty()) {
      auto done = std::move(held_writes_.front());
      held_writes_.pop_front();
      done(script_.outcome);
    }
  }
  void release_syncs() {
    // What begins meanwhile is held again.
    auto held = std::exchange(held_syncs_, {});
    for (auto& done : held) done(script_.sync_outcome);
  }
  void release_reads() {
    while (!held_reads_.empty()) {
      auto [key, done] = std::move(held_reads_.front());
      held_reads_.pop_front();
      const auto found = records_.find(key);
      const bool there = found != records_.end();
      done(there ? storage::GetStatus::kFound : storage::GetStatus::kMissing,
           there ? std::string_view(found->second) : std::string_view());
    }
  }
  void put(PartitionId partition, const std::string& key, std::string record) {
    script_.lost.erase(Place(partition, key));
    records_[{partition, key}] = std::move(record);
  }
  [[nodiscard]] std::size_t records() const { return records_.size(); }
  [[nodiscard]] bool has(PartitionId partition, std::string_view key) const {
    return records_.contains({partition, std::string(key)});
  }

  [[nodiscard]] const storage::Capabilities& capabilities() const override {
    static constexpr storage::Capabilities kAll{.name = "scripted",
                                                .summary = "for tests",
                                                .survives_process = true,
                                                .survives_power = true,
                                                .ordered_scan = true};
    return kAll;
  }
  storage::GetStatus get(PartitionId partition, std::string_view key, std::string& room,
                         std::string_view& value,
                         Callback<void(storage::GetStatus, std::string_view)> done) override {
    note_asked();
    Place place{partition, key};
    if (script_.hold_reads) {
      held_reads_.emplace_back(std::move(place), std::move(done));
      return storage::GetStatus::kPending;
    }
    if (script_.lost.contains(place)) return storage::GetStatus::kUnreadable;
    const auto found = records_.find(place);
    if (found == records_.end()) return storage::GetStatus::kMissing;
    value = room = found->second;
    return storage::GetStatus::kFound;
  }
  void expect(std::span<const storage::Place> places, storage::Ahead) override {
    for (const auto& place : places) {
      script_.highest_expected = std::max(script_.highest_expected, place.partition.value);
    }
  }
  void submit(const storage::WriteBatch& batch, bool, Callback<void(Result<void>)> done) override {
    ++script_.submits;
    if (script_.closed) {
      done(std::unexpected(Error{.code = ErrorCode::kClosed}));
      return;
    }
    for (const auto& entry : batch.entries()) {
      if (script_.forgets && !script_.outcome) break;
      if (entry.erase) {
        records_.erase({entry.partition, std::string(batch.key(entry))});
        continue;
      }
      put(entry.partition, std::string(batch.key(entry)), std::string(batch.value(entry)));
    }
    if (script_.hold_writes) {
      held_writes_.push_back(std::move(done));
    } else {
      done(script_.outcome);
    }
  }
  void sync(Callback<void(Result<void>)> done) override {
    ++script_.syncs;
    if (script_.hold_syncs) {
      held_syncs_.push_back(std::move(done));
    } else {
      done(script_.sync_outcome);
    }
  }
  Result<std::string> scan(PartitionId partition, std::string_view after,
                           storage::ScanBudget budget, storage::ScanVisitor& visitor) override {
    note_asked();
    ++script_.scans;
    std::size_t keys = 0;
    for (auto at = records_.upper_bound({partition, std::string(after)});
         at != records_.end() && at->first.first == partition; ++at) {
      if (script_.lost.contains(at->first)) {
        return std::unexpected(Error{.code = ErrorCode::kUnreadable});
      }
      visitor.visit(at->first.second, at->second);
      if (++keys == budget.keys_max) return at->first.second;
    }
    return std::string();
  }
  void drop(PartitionId, Callback<void(Result<void>)> done) override { done({}); }
  [[nodiscard]] storage::EngineStats stats() const override { return {}; }
  void close(Callback<void(Result<void>)> done) override {
    script_.closed = true;
    done({});
  }

 private:
  using Place = std::pair<PartitionId, std::string>;
  void note_asked() {
    if (script_.closed) ++script_.asked_when_closed;
  }

  Script& script_;
  std::map<Place, std::string> records_;
  std::deque<Callback<void(Result<void>)>> held_writes_;
  std::deque<Callback<void(Result<void>)>> held_syncs_;
  std::deque<std::pair<Place, Callback<void(storage::GetStatus, std::string_view)>>> held_reads_;
};

}  // namespace stator::node::testing
