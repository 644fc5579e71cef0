#include "front/redis/command.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"
#include "front/redis/connection.h"
#include "front/redis/redis_front.h"

namespace stator::redis {
namespace {

// Memory that a command in the pool may hold on to, for each of its buffers: enough for ordinary
// values to go through without allocating.
constexpr std::size_t kKeptBytes = 4096;

void empty(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptBytes) std::string().swap(text);
}

template <typename T>
void empty(std::vector<T>& list) {
  list.clear();
  if (list.capacity() * sizeof(T) > kKeptBytes) std::vector<T>().swap(list);
}

}  // namespace

Footprint Footprint::of(const CommandRow& row, Arguments words) {
  Footprint print;
  print.write = row.is(kWrite);
  if (row.first_key == 0) {
    if (print.write || row.is(kReadonly)) print.keys = Keys::kAll;
    return print;
  }
  const auto first = static_cast<std::size_t>(row.first_key);
  const auto step = static_cast<std::size_t>(row.key_step);
  const bool one = row.last_key == row.first_key || words.size() <= first + step;
  print.keys = one ? Keys::kOne : Keys::kAll;
  if (one) print.key_hash = hash64(words[first]);
  return print;
}

void KeptWords::keep(Arguments words) {
  clear();
  for (const std::string_view word : words) {
    bytes_.append(word);
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
}

std::string_view KeptWords::operator[](std::size_t i) const {
  STATOR_ASSERT(i < ends_.size());
  const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(bytes_).substr(begin, ends_[i] - begin);
}

void KeptWords::clear() {
  empty(bytes_);
  empty(ends_);
}

RespWriter Command::reply() {
  if (connection_ == nullptr) return {held_, 2};
  std::string& out = connection_->destination(*this);
  reply_began_ = out.size();
  return {out, connection_->protocol()};
}

void Command::finish() {
  if (connection_ != nullptr) {
    connection_->complete(*this);
  } else {
    front_->release(*this);
  }
}

void Command::saw(Hlc time) {
  floor_ = std::max(floor_, time);
  if (connection_ != nullptr) connection_->raise_floor(time);
}

void Command::recycle() {
  words.clear();
  empty(scratch);
  empty(held_);
  empty(parts.list);
  empty(parts.error);
  parts.next = parts.open = parts.succeeded = 0;
  parts.running = parts.failed = parts.unknown = false;
  expires_at = {};
  mode = 0;
  number = 0;
  connection_ = nullptr;
  row_ = nullptr;
  next_ = nullptr;
  values_ = 0;
  done_ = false;
  reply_began_ = 0;
}

}  // namespace stator::redis
