#pragma once

#include <string_view>

#include "front/redis/resp_parser.h"

namespace stator::redis {

/// A request line or a header of HTTP: a verb with a path or a version behind it, or `Host:`. Such
/// a connection is a browser's or a probe's, never a client's.
[[nodiscard]] bool is_http(std::string_view line);

/// Splits a line into words. "double quotes" know \n \r \t \b \a \xHH and \ before anything else;
/// 'single quotes' only \'. Returns what is wrong, or nullptr. Words without quotes are views into
/// the line, others into out.unquoted.
[[nodiscard]] const char* split_inline(std::string_view line, ArgumentList& out);

}  // namespace stator::redis
