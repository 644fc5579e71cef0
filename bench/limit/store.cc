#include "limit/store.h"

#include "base/hash.h"

namespace stator::limit {

Store::Store() : table_(std::size_t{1} << 16) {}

Record& Store::at(std::string_view key) {
  const std::uint64_t hash = hash64(key);
  std::size_t place = hash & (table_.size() - 1);
  while (table_[place].record != nullptr) {
    const Entry& entry = table_[place];
    if (entry.hash == hash && entry.record->key == key) return *entry.record;
    place = (place + 1) & (table_.size() - 1);
  }
  Record& record = records_.emplace_back();
  record.key = key;
  table_[place] = {hash, &record};
  if (records_.size() * 2 > table_.size()) grow();
  return record;
}

void Store::merge(Record& record, std::uint64_t version, std::string_view value) {
  if (version <= record.version) return;
  record.version = version;
  record.value.assign(value);
}

void Store::grow() {
  std::vector<Entry> bigger(table_.size() * 2);
  for (const Entry& entry : table_) {
    if (entry.record == nullptr) continue;
    std::size_t place = entry.hash & (bigger.size() - 1);
    while (bigger[place].record != nullptr) place = (place + 1) & (bigger.size() - 1);
    bigger[place] = entry;
  }
  table_ = std::move(bigger);
}

}  // namespace stator::limit
