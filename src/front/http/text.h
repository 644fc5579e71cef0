#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "core/version/clock.h"
#include "core/version/hlc.h"

// How ids and times look in headers and JSON (docs/http.md). Stable.

namespace stator::http {

void append_decimal(std::string& out, std::uint64_t value);
/// 16 lower-case hex digits: node ids, incarnations, digests, history versions.
void append_hex64(std::string& out, std::uint64_t value);
[[nodiscard]] std::string hex64(std::uint64_t value);

/// "018f6b7e-1c2d-7abc-8def-0123456789ab".
[[nodiscard]] std::string write_id_text(const WriteId& id);
/// 32 hex digits, or a UUID with its hyphens in their places; not all zero.
[[nodiscard]] std::optional<WriteId> parse_write_id(std::string_view text);

/// "<incarnation, 16 hex digits>.<life>:<counter>".
[[nodiscard]] std::string dot_text(const Dot& dot);

/// RFC 3339 in UTC with microseconds: "2026-11-22T10:09:32.000123Z".
[[nodiscard]] std::string time_text(WallTime time);
/// RFC 9110: "Sun, 22 Nov 2026 10:09:32 GMT".
void append_http_date(std::string& out, WallTime time);

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace stator::http
