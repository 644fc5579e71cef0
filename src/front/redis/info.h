#pragma once

#include <string>
#include <string_view>

namespace stator::redis {

class RedisFront;

/// The version of Redis whose commands and answers ours follow. Clients choose by it what they
/// send.
inline constexpr std::string_view kRedisVersion = "7.0.15";

/// Appends the section called `name` (any case; "all", "everything" and "default": all of them).
/// An unknown name adds nothing.
void append_info(RedisFront& front, std::string_view name, std::string& out);

/// Names of connections and libraries: at most 64 bytes, no spaces, no control characters.
[[nodiscard]] bool valid_name(std::string_view name);

}  // namespace stator::redis
