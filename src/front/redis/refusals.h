#pragma once

#include <string_view>

namespace stator::redis {

/// Commands of Redis that are refused on purpose, and why.
struct Refusal {
  std::string_view name;    // lower case; "config|set" for a subcommand
  std::string_view reason;  // ends with what to do instead
};

/// `name` in any case. nullptr: not a command that we know of.
[[nodiscard]] const Refusal* find_refusal(std::string_view name);
[[nodiscard]] const Refusal* find_refusal(std::string_view container, std::string_view subcommand);

}  // namespace stator::redis
