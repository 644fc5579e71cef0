#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

// Replies of RESP2 out of a stream of bytes: what a server answers to a client that did not ask for
// RESP3. Nothing is copied, nothing recurses, and nothing that a server announces is ever
// allocated.

namespace stator::bench {

enum class ReplyType : std::uint8_t { kSimple, kError, kInteger, kBulk, kNull, kArray };

struct Reply {
  ReplyType type = ReplyType::kNull;
  std::string_view text{};   // simple, error (with its prefix), bulk; into the input
  std::int64_t integer = 0;  // integer; an array's number of members

  [[nodiscard]] bool is(ReplyType wanted) const { return type == wanted; }
};

/// Finds where replies end. One per connection; 16 bytes of state. What was gone through of an
/// incomplete reply is not gone through again, however small the pieces in which it arrives.
class ReplyScanner {
 public:
  static constexpr std::int64_t kBulkMax = 512L * 1024 * 1024;
  static constexpr std::int64_t kMembersMax = 16L * 1024 * 1024;

  /// The size of the reply that `input` begins with; 0 when more is needed: come again with the
  /// same bytes and more behind them. kCorrupt when this is no RESP2: the connection is of no use
  /// any more.
  [[nodiscard]] Result<std::size_t> next(std::string_view input);

 private:
  std::size_t scanned_ = 0;    // whole parts of this reply
  std::uint64_t missing_ = 1;  // parts that must follow
};

/// Reads a reply that is complete (as ReplyScanner says), part by part: an array, then each of its
/// members. Past the end, and for bytes that were not scanned, it gives nulls.
class ReplyReader {
 public:
  explicit ReplyReader(std::string_view reply) : rest_(reply) {}

  Reply next();
  /// The same, and over all its members if it has any.
  void skip();

 private:
  std::string_view rest_;
};

}  // namespace stator::bench
