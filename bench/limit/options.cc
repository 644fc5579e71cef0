#include "limit/options.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace stator::limit {

const char* const kUsage =
    "usage: limit --node 1|2|3 --peers PORT,PORT,PORT --clients PORT\n"
    "             [--get fan1-digest|fan1-full|fan2-digest|fan2-full]\n"
    "             [--durability memory|page-cache|sync] [--log FILE]\n"
    "The bare quorum (N=3, W=R=2) on loopback ports: what a replicated store costs at the least.\n";

namespace {

Error wrong(std::string_view flag, std::string_view value, std::string_view expected) {
  std::string text(flag);
  text.append(" cannot be '").append(value).append("': it takes ").append(expected);
  return {.code = ErrorCode::kBadRequest, .detail = std::move(text)};
}

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t least,
                                          std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

std::optional<Port> parse_port(std::string_view text) {
  const auto number = parse_number(text, 1, 65535);
  if (!number) return std::nullopt;
  return Port{static_cast<std::uint16_t>(*number)};
}

bool parse_peers(std::string_view text, std::array<Port, kNodes>& peers) {
  for (std::uint32_t i = 0; i < kNodes; ++i) {
    const std::size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != (i == kNodes - 1)) return false;
    const auto port = parse_port(text.substr(0, comma));
    if (!port) return false;
    peers[i] = *port;
    if (i < kNodes - 1) text.remove_prefix(comma + 1);
  }
  return true;
}

bool parse_get(std::string_view text, Options& options) {
  if (!text.starts_with("fan1-") && !text.starts_with("fan2-")) return false;
  options.read_fan = text[3] == '1' ? 1 : 2;
  const std::string_view what = text.substr(5);
  options.read_digest = what == "digest";
  return what == "digest" || what == "full";
}

bool parse_durability(std::string_view text, Options& options) {
  if (text == "memory")
    options.durability = Durability::kMemory;
  else if (text == "page-cache")
    options.durability = Durability::kPageCache;
  else if (text == "sync")
    options.durability = Durability::kSync;
  else
    return false;
  return true;
}

Result<void> apply(std::string_view flag, std::string_view value, Options& options) {
  if (flag == "--node") {
    const auto number = parse_number(value, 1, kNodes);
    if (!number) return std::unexpected(wrong(flag, value, "1, 2 or 3"));
    options.node = *number - 1;
  } else if (flag == "--peers") {
    if (!parse_peers(value, options.peers)) {
      return std::unexpected(wrong(flag, value, "three ports with commas between"));
    }
  } else if (flag == "--clients") {
    const auto port = parse_port(value);
    if (!port) return std::unexpected(wrong(flag, value, "a port"));
    options.clients = *port;
  } else if (flag == "--get") {
    if (!parse_get(value, options)) {
      return std::unexpected(
          wrong(flag, value, "fan1-digest, fan1-full, fan2-digest or fan2-full"));
    }
  } else if (flag == "--durability") {
    if (!parse_durability(value, options)) {
      return std::unexpected(wrong(flag, value, "memory, page-cache or sync"));
    }
  } else if (flag == "--log") {
    options.log_path = value;
  } else {
    return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                 .detail = "there is no flag '" + std::string(flag) + "'"});
  }
  return {};
}

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  options.node = kNodes;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) {
      return std::unexpected(
          Error{.code = ErrorCode::kBadRequest, .detail = std::string(argv[i]) + " needs a value"});
    }
    auto applied = apply(argv[i], argv[i + 1], options);
    if (!applied) return std::unexpected(std::move(applied.error()));
  }
  const bool complete =
      options.node < kNodes && options.clients.value != 0 && options.peers[0].value != 0;
  if (!complete) {
    return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                 .detail = "--node, --peers and --clients are needed"});
  }
  if (options.durability != Durability::kMemory && options.log_path.empty()) {
    return std::unexpected(
        Error{.code = ErrorCode::kBadRequest, .detail = "--log FILE is needed with a durability"});
  }
  return options;
}

}  // namespace stator::limit
