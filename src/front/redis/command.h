#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "core/version/hlc.h"
#include "front/redis/command_table.h"
#include "front/redis/resp_writer.h"

namespace stator::redis {

class Connection;
class RedisFront;

/// What a command touches, so that the commands of one connection on one key run in order while
/// others run side by side: a connection always reads what it wrote.
struct Footprint {
  enum class Keys : std::uint8_t { kNone, kOne, kAll };
  Keys keys = Keys::kNone;
  bool write = false;
  std::uint64_t key_hash = 0;  // kOne

  [[nodiscard]] static Footprint of(const CommandRow& row, Arguments words);
  [[nodiscard]] bool conflicts_with(const Footprint& other) const {
    if (keys == Keys::kNone || other.keys == Keys::kNone || !(write || other.write)) return false;
    return keys == Keys::kAll || other.keys == Keys::kAll || key_hash == other.key_hash;
  }
};

/// A copy of a command's words, for those that take more than one step.
class KeptWords {
 public:
  void keep(Arguments words);
  [[nodiscard]] std::string_view operator[](std::size_t i) const;
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  void clear();

 private:
  std::string bytes_;
  std::vector<std::uint32_t> ends_;
};

/// One command of a client from its arrival to its answer. Reused from a pool, so that a GET or SET
/// allocates nothing; its address is what callbacks of the store capture. It outlives its
/// connection when that ends first: the steps go on, and the answer is thrown away.
class Command {
 public:
  /// Where the answer goes, now: straight into the stream when all earlier ones have left, else
  /// into a buffer of its own. Write the whole answer, then finish().
  [[nodiscard]] RespWriter reply();
  /// The answer is complete. The command is gone when this returns.
  void finish();
  /// The connection has now read or written something of this time.
  void saw(Hlc time);

  [[nodiscard]] RedisFront& front() const { return *front_; }
  [[nodiscard]] const CommandRow& row() const { return *row_; }
  [[nodiscard]] Hlc floor() const { return floor_; }

  // What commands of several steps remember between them. Cleared for each command.

  KeptWords words;
  std::string scratch;  // kept in size only
  WallTime expires_at{};
  std::uint8_t mode = 0;  // the handler's own
  std::uint64_t number = 0;

  /// Commands that are carried out key by key (many_keys.h).
  struct Part {
    std::uint32_t word = 0;  // its key among `words`
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    bool found = false;
  };
  struct Parts {
    std::vector<Part> list;
    std::uint32_t next = 0;
    std::uint32_t open = 0;
    std::uint32_t succeeded = 0;
    bool running = false;
    bool failed = false;
    bool unknown = false;
    std::string error;  // the first, as it will be sent
    void (*start)(Command&, std::uint32_t) = nullptr;
    void (*end)(Command&) = nullptr;
  };
  Parts parts;

 private:
  friend class Connection;
  friend class RedisFront;
  void recycle();

  RedisFront* front_ = nullptr;
  Connection* connection_ = nullptr;  // nullptr: ended
  const CommandRow* row_ = nullptr;
  Command* next_ = nullptr;  // in the connection's order, or in the pool
  Footprint footprint_;
  Hlc floor_{};
  std::uint32_t values_ = 0;  // that its answer may contain
  bool done_ = false;
  std::string held_;  // the answer, while earlier ones are missing
  std::size_t reply_began_ = 0;
};

/// What a handler gets. `words` live during the call only.
struct Call {
  Command& command;
  Connection& connection;
  RedisFront& front;
  Arguments words;
};

}  // namespace stator::redis
