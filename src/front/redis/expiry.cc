#include "front/redis/expiry.h"

#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {

bool expiry_option(std::string_view word, ExpiryUnit& unit) {
  if (equal_ignoring_case(word, "ex")) {
    unit = ExpiryUnit::kSeconds;
  } else if (equal_ignoring_case(word, "px")) {
    unit = ExpiryUnit::kMilliseconds;
  } else if (equal_ignoring_case(word, "exat")) {
    unit = ExpiryUnit::kSecondsAt;
  } else if (equal_ignoring_case(word, "pxat")) {
    unit = ExpiryUnit::kMillisecondsAt;
  } else {
    return false;
  }
  return true;
}

bool parse_expiry(std::string_view text, ExpiryUnit unit, WallTime now, WallTime& out) {
  const auto number = parse_integer(text);
  if (!number) return false;
  const bool in_seconds = unit == ExpiryUnit::kSeconds || unit == ExpiryUnit::kSecondsAt;
  const bool relative = unit == ExpiryUnit::kSeconds || unit == ExpiryUnit::kMilliseconds;
  std::int64_t us = 0;
  if (__builtin_mul_overflow(*number, in_seconds ? 1'000'000 : 1'000, &us)) return false;
  if (relative && __builtin_add_overflow(us, now.us, &us)) return false;
  out.us = us == 0 ? -1 : us;
  return true;
}

bool take_expiry(Call& call, std::string_view text, ExpiryUnit unit, WallTime& out) {
  const WallTime now = call.front.store().guarded_now();
  const bool relative = unit == ExpiryUnit::kSeconds || unit == ExpiryUnit::kMilliseconds;
  if (parse_expiry(text, unit, now, out) && (relative ? out > now : out.us > 0)) return true;
  RespWriter reply = call.command.reply();
  reply.begin_error("ERR");
  if (parse_integer(text)) {
    reply.add("invalid expire time in '").add(call.command.row().name).add("' command");
  } else {
    reply.add("value is not an integer or out of range");
  }
  reply.end_error();
  call.command.finish();
  return false;
}

}  // namespace stator::redis
