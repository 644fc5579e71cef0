#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "core/version/clock.h"

// Small things that are text in the Redis protocol. All pure.

namespace stator::redis {

/// ASCII only: names of commands and options.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view lower_case_b);
[[nodiscard]] char to_lower(char c);
[[nodiscard]] std::string lower_case(std::string_view text);

/// Decimal, whole text, no sign but a leading '-', no leading zeros beyond "0", in range.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text);

void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, std::uint64_t value);
void append_hex(std::string& out, std::uint64_t value, int digits = 16);

/// A line of INFO and of CLUSTER INFO: `name:value`.
void append_line(std::string& out, std::string_view name, std::string_view value);
void append_line(std::string& out, std::string_view name, std::uint64_t value);

/// 32 hex digits; read as those or as a UUID.
void append_write_id(std::string& out, const WriteId& id);
[[nodiscard]] std::optional<WriteId> parse_write_id(std::string_view text);

/// `<incarnation, hex>.<life>:<counter>`.
void append_dot(std::string& out, const Dot& dot);

/// Node ids of Redis Cluster are 40 hex digits: ours, with 24 zeros before it.
void append_node_name(std::string& out, NodeId node);

}  // namespace stator::redis
