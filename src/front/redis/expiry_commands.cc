#include <string_view>

#include "front/redis/expiry.h"
#include "front/redis/handlers.h"
#include "front/redis/redis_front.h"
#include "front/redis/store_calls.h"

// EXPIRE, TTL and their relatives. Expiry is part of the version (design 4.2): to change it is to
// write the value that was read again.

namespace stator::redis {
namespace {

void answer_integer(Command& command, std::int64_t value) {
  command.reply().integer(value);
  command.finish();
}

void expire_after_read(Command& command, const node::ReadResult& result, const Version* version) {
  if (version == nullptr) {
    answer_integer(command, 0);
    return;
  }
  node::WriteRequest request = plain_write(command, command.words[1]);
  if (command.expires_at <= result.now) {
    request.tombstone = true;
  } else {
    request.value = version->value;
    request.content_type = version->content_type;
    request.expires_at = command.expires_at;
  }
  write_then(command, request, answer_one);
}

void expire(Call& call, ExpiryUnit unit) {
  Command& command = call.command;
  if (call.words.size() > 3) {
    command.reply().error("ERR",
                          "EXPIRE with NX, XX, GT or LT is not offered: what it would compare with "
                          "may change on another node meanwhile; read with PTTL, decide, and set");
    command.finish();
    return;
  }
  const WallTime now = call.front.store().guarded_now();
  if (!parse_expiry(call.words[2], unit, now, command.expires_at)) {
    command.reply().error("ERR", "value is not an integer or out of range");
    command.finish();
    return;
  }
  command.words.keep(call.words.first(2));
  read_then(command, call.words[1], expire_after_read);
}

void persist_after_read(Command& command, const node::ReadResult&, const Version* version) {
  if (version == nullptr || version->expires_at.us == 0) {
    answer_integer(command, 0);
    return;
  }
  node::WriteRequest request = plain_write(command, command.words[1]);
  request.value = version->value;
  request.content_type = version->content_type;
  write_then(command, request, answer_one);
}

// Command::mode of the TTL family.
constexpr std::uint8_t kInSeconds = 1;
constexpr std::uint8_t kAbsolute = 2;

void answer_ttl(Command& command, const node::ReadResult& result, const Version* version) {
  if (version == nullptr || version->expires_at.us == 0) {
    answer_integer(command, version == nullptr ? -2 : -1);
    return;
  }
  const bool absolute = (command.mode & kAbsolute) != 0;
  const std::int64_t us = version->expires_at.us - (absolute ? 0 : result.now.us);
  const bool in_seconds = (command.mode & kInSeconds) != 0;
  // Rounded as Redis does: seconds to the nearest.
  answer_integer(command, in_seconds ? (us + 500'000) / 1'000'000 : us / 1'000);
}

void ttl(Call& call, std::uint8_t mode) {
  call.command.mode = mode;
  read_then(call.command, call.words[1], answer_ttl);
}

}  // namespace

void do_type(Call& call) {
  read_then(call.command, call.words[1],
            [](Command& command, const node::ReadResult&, const Version* version) {
              command.reply().simple(version == nullptr ? "none" : "string");
              command.finish();
            });
}

void do_expire(Call& call) {
  expire(call, ExpiryUnit::kSeconds);
}
void do_pexpire(Call& call) {
  expire(call, ExpiryUnit::kMilliseconds);
}
void do_expireat(Call& call) {
  expire(call, ExpiryUnit::kSecondsAt);
}
void do_pexpireat(Call& call) {
  expire(call, ExpiryUnit::kMillisecondsAt);
}

void do_persist(Call& call) {
  call.command.words.keep(call.words);
  read_then(call.command, call.words[1], persist_after_read);
}

void do_ttl(Call& call) {
  ttl(call, kInSeconds);
}
void do_pttl(Call& call) {
  ttl(call, 0);
}
void do_expiretime(Call& call) {
  ttl(call, kInSeconds | kAbsolute);
}
void do_pexpiretime(Call& call) {
  ttl(call, kAbsolute);
}

}  // namespace stator::redis
