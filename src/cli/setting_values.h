#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

// How values of settings are written: "500ms", "64MiB". Errors are kBadRequest with a sentence that
// names the value and a right example.

namespace stator::cli {

/// A number with ns, us, ms, s, m or h.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// A number of bytes, also with KiB, MiB or GiB.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view text);
[[nodiscard]] Result<double> parse_number(std::string_view text);

/// In the largest unit that gives a whole number; what the parsers above read.
[[nodiscard]] std::string show_duration(Duration value);
[[nodiscard]] std::string show_bytes(std::uint64_t value);
/// The shortest text that reads back as the same number.
[[nodiscard]] std::string show_number(double value);

}  // namespace stator::cli
