#include "cli/dev_cluster.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <system_error>
#include <utility>

#include "cli/http_client.h"
#include "cli/key_options.h"
#include "cli/socket.h"
#include "env_real/real_disk.h"
#include "node/stored_history.h"

namespace stator::cli {

namespace {

constexpr Duration kReadyMax = seconds(20);
constexpr Duration kStopMax = seconds(10);
constexpr Duration kStep = milliseconds(3);
constexpr const char* kHost = "127.0.0.1";
constexpr const char* kFirstKey = "/v1/kv/stator-dev/first-write";
constexpr const char* kFirstNode = "n1";
constexpr std::uint64_t kPortsPerNode = 10;
constexpr std::uint64_t kPeerPort = 2;  // behind the one of Redis

void pause(Duration time) {
  ::poll(nullptr, 0, static_cast<int>(time.ms()));
}

std::string address(std::uint16_t port) {
  return std::string(kHost) + ":" + std::to_string(port);
}

Result<void> check_ports(const std::vector<DevNode>& nodes) {
  std::string taken;
  for (const DevNode& node : nodes) {
    for (const std::uint16_t port : {node.redis_port, node.http_port, node.peer_port}) {
      if (can_bind({kHost, port})) continue;
      taken += (taken.empty() ? "" : ", ") + std::to_string(port);
    }
  }
  if (taken.empty()) return {};
  return std::unexpected(
      Error{.code = ErrorCode::kConflict,
            .detail = "in use already: port " + taken + ". Another `stator dev` may be running"});
}

// What a node that does not start has said, without the times.
std::string last_words(const std::string& log) {
  std::ifstream file(log);
  std::string line;
  std::string last;
  while (std::getline(file, line)) {
    if (line.starts_with("stator: ")) last = line.substr(8);
  }
  return last.empty() ? "see " + log : last;
}

}  // namespace

std::string command_text(const std::vector<std::string>& command) {
  std::string text;
  std::error_code none;
  for (const std::string& word : command) {
    std::string shown = word;
    if (text.empty()) {
      const auto here = std::filesystem::current_path(none);
      const auto relative = std::filesystem::path(word).lexically_relative(here).string();
      if (!none && !relative.empty() && !relative.starts_with("..")) {
        shown = relative.find('/') == std::string::npos ? "./" + relative : relative;
      }
    }
    text += (text.empty() ? "" : " ") + shell_quoted(shown);
  }
  return text;
}

std::optional<DevFounding> founded_in(const std::string& data_dir) {
  for (const char* file : node::kHistoryFiles) {
    std::ifstream in(data_dir + "/" + kFirstNode + "/" + file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto history = node::unseal_history(bytes);
    if (!history) continue;
    for (const Member& member : history->founding().founders) {
      if (member.name != kFirstNode) continue;
      const auto peers = env::parse_address(member.peer_address);
      if (!peers || peers->port < kPortsPerNode + kPeerPort) return std::nullopt;
      return DevFounding{.nodes = history->founding().founders.size(),
                         .base_port = peers->port - kPortsPerNode - kPeerPort};
    }
  }
  return std::nullopt;
}

Result<DevCluster> DevCluster::plan(const DevOptions& options, std::string program) {
  DevCluster cluster;
  cluster.replicas_ = std::min<std::uint64_t>(3, options.nodes);
  std::string founders;
  for (std::uint64_t k = 1; k <= options.nodes; ++k) {
    DevNode node;
    node.name = "n" + std::to_string(k);
    node.redis_port = static_cast<std::uint16_t>(options.base_port + kPortsPerNode * k);
    node.http_port = static_cast<std::uint16_t>(node.redis_port + 1);
    node.peer_port = static_cast<std::uint16_t>(node.redis_port + kPeerPort);
    node.directory = options.data_dir + "/" + node.name;
    node.log = options.data_dir + "/" + node.name + ".log";
    founders += (founders.empty() ? "" : ",") + node.name + "=" + address(node.peer_port);
    cluster.nodes_.push_back(std::move(node));
  }
  if (auto free = check_ports(cluster.nodes_); !free) return std::unexpected(free.error());
  for (DevNode& node : cluster.nodes_) {
    node.command = {program,          "serve",
                    "--name",         node.name,
                    "--data-dir",     node.directory,
                    "--shards",       "1",
                    "--redis-listen", address(node.redis_port),
                    "--http-listen",  address(node.http_port),
                    "--peer-listen",  address(node.peer_port)};
    if (!options.engine.empty()) {
      node.command.insert(node.command.end(), {"--engine", options.engine});
    }
    node.command.insert(node.command.end(),
                        {"--cluster-id", "dev", "--replicas", std::to_string(cluster.replicas_),
                         "--found", founders});
  }
  return cluster;
}

Result<void> DevCluster::start() {
  for (DevNode& node : nodes_) {
    auto started = ChildProcess::start(node.command, node.log);
    if (!started) return std::unexpected(std::move(started.error()));
    node.process.push_back(std::move(*started));
  }
  const MonoTime deadline = steady_now() + kReadyMax;
  for (DevNode& node : nodes_) {
    if (auto ready = node.process.front().await_line("ready", deadline); !ready) {
      node.reported = true;
      return std::unexpected(
          Error{.code = ready.error().code,
                .detail = "node " + node.name + " does not start: " + last_words(node.log)});
    }
  }
  return {};
}

Result<void> DevCluster::write_once(MonoTime deadline) {
  const env::Address node{kHost, nodes_.front().http_port};
  for (;;) {
    auto answer = http_ask(node, {.target = kFirstKey}, seconds(5));
    // Over what earlier starts wrote: without having seen it, each start would add a sibling.
    if (answer && (answer->status == 200 || answer->status == 300 || answer->status == 404)) {
      HttpRequest request{.method = "PUT", .target = kFirstKey, .body = "hello"};
      if (const auto context = answer->header("stator-context"); !context.empty()) {
        request.headers.emplace_back("Stator-Context", context);
      }
      answer = http_ask(node, request, seconds(5));
      if (answer && answer->status == 204) return {};
    }
    if (steady_now() >= deadline) {
      return std::unexpected(Error{.code = ErrorCode::kTimeout,
                                   .detail = "no write was acknowledged: " +
                                             (answer ? answer->body : answer.error().detail)});
    }
    pause(kStep);
  }
}

void DevCluster::settle(MonoTime deadline) const {
  for (const DevNode& node : nodes_) {
    while (steady_now() < deadline) {
      const auto answer = http_ask({kHost, node.http_port}, {.target = "/readyz"}, seconds(1));
      if (answer && answer->status == 200) break;
      pause(kStep);
    }
  }
}

void DevCluster::report_ended(std::ostream& out) {
  for (DevNode& node : nodes_) {
    if (node.process.empty() || node.reported) continue;
    const auto& ended = node.process.front().ended();
    if (!ended) continue;
    node.reported = true;
    out << "\nnode " << node.name << " (pid " << node.process.front().pid() << ") " << *ended
        << "; it stays down until it is started again, in another terminal:\n  "
        << command_text(node.command) << '\n';
    if (!ended->ends_with("signal 9")) out << "  (why: " << last_words(node.log) << ")\n";
    out.flush();
  }
}

void DevCluster::stop() {
  const auto all = [&](const auto& what) {
    for (DevNode& node : nodes_) {
      if (!node.process.empty()) what(node.process.front());
    }
  };
  all([](ChildProcess& process) { process.signal(SIGTERM); });
  const MonoTime deadline = steady_now() + kStopMax;
  bool running = true;
  while (running && steady_now() < deadline) {
    running = false;
    all([&](ChildProcess& process) { running = running || !process.ended(); });
    if (running) pause(kStep);
  }
  all([](ChildProcess& process) { process.signal(SIGKILL); });
}

std::vector<StrayNode> DevCluster::restarted_by_hand() const {
  std::vector<StrayNode> strays;
  for (const DevNode& node : nodes_) {
    if (!Socket::connect({kHost, node.peer_port}, milliseconds(200))) continue;
    strays.push_back({.name = node.name, .pid = env::lock_holder(node.directory)});
  }
  return strays;
}

}  // namespace stator::cli
