#include "sim/operation_log.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace stator::sim {

std::uint64_t hash_of_value(std::string_view value, bool tombstone) {
  return tombstone ? 0 : hash64(value);
}

std::uint32_t OperationLog::key_index(std::string_view bucket, std::string_view key) {
  scratch_.clear();
  append_sized(scratch_, bucket);
  scratch_.append(key);
  const auto found = index_.find(std::string_view(scratch_));
  if (found != index_.end()) return found->second;
  const auto index = static_cast<std::uint32_t>(keys_.size());
  index_.emplace(scratch_, index);
  keys_.push_back({.bucket = std::string(bucket), .key = std::string(key)});
  return index;
}

}  // namespace stator::sim
