#include "cli/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace stator::cli {

std::vector<std::string> log_levels() {
  return {"debug", "info", "warn", "error", "off"};
}

void start_log(const std::string& level, const std::string& name) {
  auto logger =
      std::make_shared<spdlog::logger>("stator", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  // A name is a user's text: what the pattern would read as a sign is doubled.
  std::string escaped;
  for (const char c : name) escaped += c == '%' ? std::string("%%") : std::string(1, c);
  // Until its directory has told it, a node may have none.
  if (!escaped.empty()) escaped.insert(0, " ");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l" + escaped + ": %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void log_info(std::string_view line) {
  spdlog::info("{}", line);
}
void log_warning(std::string_view line) {
  spdlog::warn("{}", line);
}

}  // namespace stator::cli
