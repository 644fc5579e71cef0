#include "cli/next_command.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace stator::cli {

namespace {

// $KEY and $NODE stand for what the command was about, $COMMAND for its name, $ID for the write's.
struct Row {
  std::string_view code;
  std::string_view next;
  bool of_a_key = false;  // makes sense only for a command about a key
};

constexpr Row kRows[] = {
    {"bad_request", "stator $COMMAND --help"},
    {"bad_context", "stator get $KEY --node $NODE, whose context goes with --context", true},
    {"conflict", "stator get $KEY --node $NODE", true},
    {"write_id_expired", "stator get $KEY --node $NODE, and the same again if it is not there",
     true},
    {"too_many_siblings",
     "stator get $KEY --node $NODE, then put a merged value with its --context", true},
    {"too_large", "the same with a shorter bucket, key or value"},
    {"header_too_large", "the same with a shorter key, content type or context"},
    {"not_supported", "stator version, and the same for the program of the node"},
    {"no_such_path", "stator version, and the same for the program of the node"},
    {"method_not_allowed", "stator version, and the same for the program of the node"},
    {"host_foreign", "the same with the number of the node in --node, not its name"},
    {"request_timeout", "the same again"},
    {"overloaded", "the same after a pause, or with --node HOST:PORT of another node"},
    {"closed", "the same with --node HOST:PORT of another node"},
    {"unreadable", "stator explain $KEY --node $NODE", true},
    {"corrupt", "stator explain $KEY --node $NODE", true},
};

// Longer than a node tries by itself.
constexpr Duration kLong = seconds(30);
constexpr std::string_view kStatus = "stator status --node $NODE";
constexpr std::string_view kWriteOpen = "the same with --write-id $ID, which writes once at most";
constexpr std::string_view kWriteOpenUnnamed =
    "stator get $KEY --node $NODE, and the same again if it is not there";

constexpr std::string_view kWriteUnread =
    "the same with --context of an earlier get, or with --blind, which reads nothing";

std::string_view pattern(const std::string& code, const Asked& asked) {
  if (code == "too_few_nodes" && asked.before_write) return kWriteUnread;
  // Sent again without its id it might be a second write.
  if (asked.write_open && !asked.key.empty()) {
    return asked.write_id.empty() ? kWriteOpenUnnamed : kWriteOpen;
  }
  if (code == "timeout" && asked.node_tries.ns > 0 && asked.node_tries < kLong) {
    return "the same with --timeout 30s";
  }
  const Row* row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& one) { return one.code == code; });
  if (row == std::end(kRows) || (row->of_a_key && asked.key.empty())) return kStatus;
  return row->next;
}

}  // namespace

std::string next_command(const std::string& code, const Asked& asked) {
  std::string_view rest = pattern(code, asked);
  std::string out;
  while (!rest.empty()) {
    const std::size_t at = std::min(rest.find('$'), rest.size());
    out += rest.substr(0, at);
    rest.remove_prefix(at);
    for (const auto& [name, value] :
         {std::pair<std::string_view, const std::string*>{"$KEY", &asked.key},
          {"$NODE", &asked.node},
          {"$ID", &asked.write_id},
          {"$COMMAND", &asked.command}}) {
      if (!rest.starts_with(name)) continue;
      out += *value;
      rest.remove_prefix(name.size());
      break;
    }
  }
  return out;
}

}  // namespace stator::cli
