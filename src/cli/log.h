#pragma once

#include <string>
#include <string_view>
#include <vector>

// What an operator is told while a node runs: starts, stops, alarms. On standard error, one line
// each; never one per request. Thread-safe.

namespace stator::cli {

/// "debug", "info", "warn", "error", "off".
[[nodiscard]] std::vector<std::string> log_levels();
/// `level` is one of log_levels(); `name` (the node's) stands in every line; it may be empty.
void start_log(const std::string& level, const std::string& name);

void log_info(std::string_view line);
void log_warning(std::string_view line);

}  // namespace stator::cli
