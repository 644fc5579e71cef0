#pragma once

#include <string_view>

#include "base/time.h"
#include "front/redis/command.h"

namespace stator::redis {

/// How a number in a command tells a time of expiry.
enum class ExpiryUnit : std::uint8_t { kSeconds, kMilliseconds, kSecondsAt, kMillisecondsAt };

/// EX, PX, EXAT, PXAT in any case.
[[nodiscard]] bool expiry_option(std::string_view word, ExpiryUnit& unit);

/// The point in time that `text` means, as of `now`. What is too large for the clock is refused,
/// and so is what is not a number. Never 0, which would mean "never".
[[nodiscard]] bool parse_expiry(std::string_view text, ExpiryUnit unit, WallTime now,
                                WallTime& out);
/// As above; and not in the past or at once, when it is relative. Else answers the call and returns
/// false.
[[nodiscard]] bool take_expiry(Call& call, std::string_view text, ExpiryUnit unit, WallTime& out);

}  // namespace stator::redis
