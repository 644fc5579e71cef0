#include <string_view>

#include "front/redis/errors.h"
#include "front/redis/expiry.h"
#include "front/redis/handlers.h"
#include "front/redis/redis_front.h"
#include "front/redis/store_calls.h"
#include "front/redis/text.h"

// GET, SET and their relatives. What reads and then writes is not atomic across nodes: another
// client's write between the two steps is superseded, since a plain write supersedes all.

namespace stator::redis {
namespace {

// Command::mode of what writes after a read.
constexpr std::uint8_t kAnswerOld = 1;
constexpr std::uint8_t kKeepTtl = 2;
constexpr std::uint8_t kPersist = 4;
constexpr std::uint8_t kExpiryGiven = 8;

void answer_bulk(Command& command, const node::ReadResult&, const Version* version) {
  RespWriter out = command.reply();
  if (version == nullptr) {
    out.null();
  } else {
    out.bulk(version->value);
  }
  command.finish();
}

// The old value waits in `scratch`, and `number` says that there was one.
void remember(Command& command, const Version* version) {
  command.number = version != nullptr ? 1 : 0;
  if (version != nullptr) command.scratch.assign(version->value);
}

void answer_remembered(Command& command, const node::WriteResult&) {
  RespWriter out = command.reply();
  if (command.number != 0) {
    out.bulk(command.scratch);
  } else {
    out.null();
  }
  command.finish();
}

// The second step of SET ... GET, SET ... KEEPTTL and GETSET; words are name, key, value.
void set_after_read(Command& command, const node::ReadResult&, const Version* version) {
  node::WriteRequest request = plain_write(command, command.words[1]);
  request.value = command.words[2];
  request.expires_at = command.expires_at;
  if ((command.mode & kKeepTtl) != 0 && version != nullptr) {
    request.expires_at = version->expires_at;
  }
  const bool answer_old = (command.mode & kAnswerOld) != 0;
  if (answer_old) remember(command, version);
  write_then(command, request, answer_old ? answer_remembered : answer_ok);
}

void set_now(Call& call, std::string_view key, std::string_view value, WallTime expires_at) {
  node::WriteRequest request = plain_write(call.command, key);
  request.value = value;
  request.expires_at = expires_at;
  write_then(call.command, request, answer_ok);
}

void read_then_set(Call& call, std::uint8_t mode, WallTime expires_at) {
  call.command.words.keep(call.words.first(3));
  call.command.mode = mode;
  call.command.expires_at = expires_at;
  read_then(call.command, call.words[1], set_after_read);
}

void refuse(Call& call, std::string_view reason) {
  call.command.reply().error("ERR", reason);
  call.command.finish();
}

// SET's options from `words[3]` on. False: answered.
bool parse_set_options(Call& call, std::uint8_t& mode, WallTime& expires_at) {
  for (std::size_t i = 3; i < call.words.size(); ++i) {
    const std::string_view word = call.words[i];
    ExpiryUnit unit{};
    if (equal_ignoring_case(word, "nx") || equal_ignoring_case(word, "xx")) {
      refuse(
          call,
          "SET with NX or XX is not offered: no node can promise that a key is absent or present "
          "while others accept writes to it; write with SET, or read with ST.GET, decide, and "
          "write with ST.PUT ... CTX, which keeps concurrent writes as siblings");
      return false;
    }
    if (equal_ignoring_case(word, "get")) {
      mode |= kAnswerOld;
    } else if (equal_ignoring_case(word, "keepttl")) {
      mode |= kKeepTtl;
    } else if (expiry_option(word, unit) && (mode & kExpiryGiven) == 0 &&
               i + 1 < call.words.size()) {
      if (!take_expiry(call, call.words[++i], unit, expires_at)) return false;
      mode |= kExpiryGiven;
    } else {
      refuse(call, "syntax error: SET key value [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL] [GET]");
      return false;
    }
  }
  if ((mode & kKeepTtl) != 0 && (mode & kExpiryGiven) != 0) {
    refuse(call, "syntax error: KEEPTTL and a new expiry exclude each other");
    return false;
  }
  return true;
}

void set_with_expiry(Call& call, ExpiryUnit unit) {
  WallTime expires_at;
  if (!take_expiry(call, call.words[2], unit, expires_at)) return;
  set_now(call, call.words[1], call.words[3], expires_at);
}

void delete_after_read(Command& command, const node::ReadResult&, const Version* version) {
  remember(command, version);
  if (version == nullptr) {
    command.reply().null();
    command.finish();
    return;
  }
  node::WriteRequest request = plain_write(command, command.words[1]);
  request.tombstone = true;
  write_then(command, request, answer_remembered);
}

void expire_after_read(Command& command, const node::ReadResult&, const Version* version) {
  remember(command, version);
  const bool persist = (command.mode & kPersist) != 0;
  if (version == nullptr || (persist && version->expires_at.us == 0)) {
    answer_remembered(command, {});
    return;
  }
  node::WriteRequest request = plain_write(command, command.words[1]);
  request.value = version->value;
  request.content_type = version->content_type;
  request.expires_at = persist ? WallTime{} : command.expires_at;
  write_then(command, request, answer_remembered);
}

}  // namespace

void do_get(Call& call) {
  read_then(call.command, call.words[1], answer_bulk);
}

void do_set(Call& call) {
  std::uint8_t mode = 0;
  WallTime expires_at;
  if (call.words.size() > 3 && !parse_set_options(call, mode, expires_at)) return;
  if ((mode & (kAnswerOld | kKeepTtl)) != 0) {
    read_then_set(call, mode, expires_at);
  } else {
    set_now(call, call.words[1], call.words[2], expires_at);
  }
}

void do_setex(Call& call) {
  set_with_expiry(call, ExpiryUnit::kSeconds);
}
void do_psetex(Call& call) {
  set_with_expiry(call, ExpiryUnit::kMilliseconds);
}

void do_getset(Call& call) {
  read_then_set(call, kAnswerOld, {});
}

void do_getdel(Call& call) {
  call.command.words.keep(call.words);
  read_then(call.command, call.words[1], delete_after_read);
}

void do_getex(Call& call) {
  if (call.words.size() == 2) {
    do_get(call);
    return;
  }
  ExpiryUnit unit{};
  if (call.words.size() == 3 && equal_ignoring_case(call.words[2], "persist")) {
    call.command.mode = kPersist;
  } else if (call.words.size() != 4 || !expiry_option(call.words[2], unit)) {
    refuse(call, "syntax error: GETEX key [EX s|PX ms|EXAT s|PXAT ms|PERSIST]");
    return;
  } else if (!take_expiry(call, call.words[3], unit, call.command.expires_at)) {
    return;
  }
  call.command.words.keep(call.words.first(2));
  read_then(call.command, call.words[1], expire_after_read);
}

void do_strlen(Call& call) {
  read_then(call.command, call.words[1],
            [](Command& command, const node::ReadResult&, const Version* version) {
              command.reply().integer(
                  version == nullptr ? 0 : static_cast<std::int64_t>(version->value.size()));
              command.finish();
            });
}

}  // namespace stator::redis
