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

std::uint64_t OperationLog::fingerprint(std::uint32_t key, const Context& context) {
  std::uint64_t hash = mix64(key);
  const auto add = [&hash](std::uint64_t value) { hash = mix64(hash ^ value); };
  const auto add_dot = [&add](const Dot& dot) {
    add(dot.actor.incarnation.value);
    add(dot.actor.life);
    add(dot.counter);
  };
  for (const Dot& dot : context.clock.entries()) add_dot(dot);
  add(context.seen.size());
  for (const SeenVersion& version : context.seen) {
    add_dot(version.dot);
    add(version.write_id.high);
    add(version.write_id.low);
  }
  return hash;
}

void OperationLog::context_given(std::uint32_t key, const Context& context, const SeenIds& seen) {
  if (!context.empty()) contexts_.try_emplace(fingerprint(key, context), seen);
}

const SeenIds* OperationLog::find_context(std::uint32_t key, const Context& context) const {
  static const SeenIds kNothing{};
  if (context.empty()) return &kNothing;
  const auto found = contexts_.find(fingerprint(key, context));
  return found == contexts_.end() ? nullptr : &found->second;
}

}  // namespace stator::sim
