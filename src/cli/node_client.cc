#include "cli/node_client.h"

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string_view>
#include <utility>

#include "cli/json.h"
#include "cli/setting_values.h"

namespace stator::cli {

namespace {

constexpr Duration kAnswerTrip = seconds(1);
constexpr Duration kWaitMax = seconds(24 * 60 * 60);  // no node tries for longer

}  // namespace

void NodeOptions::add_options(std::vector<Option>& options, std::vector<std::string> formats) {
  output = formats.front();
  options.push_back({"--node", "A:P",
                     "HTTP address of the node to ask (default: $STATOR_NODE, else 127.0.0.1:7380, "
                     "else 127.0.0.1:7411)",
                     &node});
  options.push_back(
      {"--timeout", "TIME", "how long to wait for an answer (default 10s)", &timeout});
  options.push_back(
      {"-o,--output", "FORMAT", "how to print the answer", &output, std::move(formats)});
}

Result<Duration> NodeOptions::time_to_wait() const {
  if (!timeout) return seconds(10);
  const auto time = parse_duration(*timeout);
  if (time && time->ns > 0) return *time;
  return std::unexpected(
      Error{.code = ErrorCode::kBadRequest, .detail = "--timeout: '" + *timeout + "' is no time"});
}

bool NodeClient::choose_nodes() {
  if (!nodes_.empty()) return true;
  const auto timeout = options_.time_to_wait();
  if (!timeout) return failed(Exit::kUsage, timeout.error().detail, "the same with --timeout 10s");
  // The node may use all of it, and its answer says more than our own giving up.
  timeout_ = std::min(*timeout, kWaitMax) + kAnswerTrip;
  const char* variable = std::getenv("STATOR_NODE");
  const bool by_variable = options_.node.empty() && variable != nullptr && *variable != '\0';
  if (options_.node.empty() && !by_variable) {
    nodes_ = {{"127.0.0.1", 7380}, {"127.0.0.1", 7411}};
    chosen_ = false;
    return true;
  }
  std::string_view given =
      by_variable ? std::string_view(variable) : std::string_view(options_.node);
  // As copied from a line of curl.
  if (given.starts_with("http://")) {
    given.remove_prefix(7);
    if (given.ends_with('/')) given.remove_suffix(1);
  }
  auto address = env::parse_address(given);
  if (!address) {
    return failed(Exit::kUsage,
                  (by_variable ? "$STATOR_NODE: " : "--node: ") + address.error().detail,
                  "the same with --node 127.0.0.1:7380, or 127.0.0.1:7411 for the first node of "
                  "stator dev");
  }
  nodes_ = {std::move(*address)};
  return true;
}

bool NodeClient::ask(const HttpRequest& request) {
  if (!choose_nodes()) return false;
  std::string tried;
  while (!nodes_.empty()) {
    auto answer = http_ask(nodes_.front(), request, timeout_);
    if (answer) {
      nodes_.resize(1);  // the others are not asked any more
      answer_ = std::move(*answer);
      return true;
    }
    const std::string at = env::to_string(nodes_.front());
    if (answer.error().code != ErrorCode::kClosed) {
      const bool no_http = answer.error().code == ErrorCode::kCorrupt;
      return failed(Exit::kFailed, "the node at " + at + ": " + answer.error().detail,
                    no_http ? "stator status --node HOST:PORT (its HTTP address)"
                            : "the same with --node HOST:PORT of another node, or after a pause");
    }
    tried += (tried.empty() ? "" : " and ") + at + " (" + answer.error().detail + ")";
    nodes_.erase(nodes_.begin());
  }
  return failed(Exit::kUnreachable, "no node answers at " + tried,
                chosen_ ? "the same with --node HOST:PORT of another node (its HTTP address)"
                        : "stator dev, or the same with --node HOST:PORT (its HTTP address)");
}

std::string NodeClient::ask_at(const std::string& address, const HttpRequest& request) const {
  const auto parsed = env::parse_address(address);
  if (!parsed) return {};
  auto answer = http_ask(*parsed, request, timeout_);
  return answer && answer->status == 200 ? std::move(answer->body) : std::string();
}

bool NodeClient::failed(Exit exit, const std::string& what, const std::string& next) {
  exit_ = fail(console_, exit, what, next);
  return false;
}

std::string NodeClient::node() const {
  return nodes_.empty() ? "" : env::to_string(nodes_.front());
}

Exit NodeClient::refused(Asked asked) const {
  const Json error = Json::parse(answer_.body);
  if (!error["error"]) {
    return fail(console_, Exit::kFailed,
                "the answer of " + node() + " (status " + std::to_string(answer_.status) +
                    ") is none of a Stator node",
                "the same with --node HOST:PORT (its HTTP address)");
  }
  if (options_.output == "json") console_.out << answer_.body;
  std::string what = error["message"].text();
  if (asked.before_write) {
    what = "nothing was written, since the read before it, for the context, failed: " + what;
  }
  if (error["outcome"]) what += " (outcome: " + error["outcome"].text() + ")";
  if (error["write_id"]) asked.write_id = error["write_id"].text();
  if (!asked.write_id.empty()) what += " (write id " + asked.write_id + ")";
  asked.node = node();
  asked.write_open = error["outcome"].text() == "unknown";
  return fail(console_, Exit::kFailed, what, next_command(error["error"].text(), asked));
}

}  // namespace stator::cli
