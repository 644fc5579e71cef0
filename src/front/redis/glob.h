#pragma once

#include <cstddef>
#include <string_view>

namespace stator::redis {

/// Patterns longer than this are refused.
inline constexpr std::size_t kGlobBytesMax = 1024;
/// What one answer may cost: a few tens of milliseconds.
inline constexpr std::size_t kGlobStepsMax = 10'000'000;

/// The patterns of SCAN MATCH: `*`, `?`, `[a-c]`, `[^a]`, `\x` for a plain x. Not recursive; at
/// most pattern times text steps, since on a mismatch only the last `*` is tried again. Takes what
/// it needs off `steps`; when that is 0, the result means nothing.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text, std::size_t& steps);
/// For texts of ours.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace stator::redis
