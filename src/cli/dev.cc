#include <csignal>
#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>
#include <utility>

#include "cli/commands.h"
#include "cli/dev_cluster.h"
#include "cli/settings.h"
#include "cli/socket.h"
#include "cli/text_table.h"
#include "env_real/real_disk.h"

namespace stator::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNodesMax = 50;
constexpr Duration kFirstWriteMax = seconds(20);
constexpr Duration kSettleMax = seconds(3);

// Held back from the beginning, so that a Ctrl-C at any time finds nodes that can be stopped.
sigset_t signals_of_dev() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&set, number);
  return set;
}

Result<std::string> make_data_dir(const DevOptions& options) {
  std::error_code error;
  if (!options.data_dir.empty()) {
    fs::create_directories(options.data_dir, error);
    if (!error) return fs::absolute(options.data_dir, error).string();
    return std::unexpected(
        Error{.code = ErrorCode::kIo,
              .detail = "--data-dir " + options.data_dir + ": " + error.message()});
  }
  const fs::path base = fs::temp_directory_path(error);
  std::string name = (error ? fs::path("/tmp") : base) / "stator-dev-XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) return name;
  return std::unexpected(
      Error{.code = ErrorCode::kIo,
            .detail = "cannot make a directory in " + name.substr(0, name.rfind('/'))});
}

Result<void> check(const DevOptions& options) {
  if (options.nodes < 1 || options.nodes > kNodesMax) {
    return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                 .detail = "--nodes: '" + std::to_string(options.nodes) +
                                           "' is out of range: 1 to " + std::to_string(kNodesMax)});
  }
  const std::uint64_t highest = 65535 - 10 * options.nodes - 2;
  if (options.base_port < 1 || options.base_port > highest) {
    return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                 .detail = "--base-port: '" + std::to_string(options.base_port) +
                                           "' is out of range: 1 to " + std::to_string(highest)});
  }
  return {};
}

void print_cluster(const DevCluster& cluster, bool keeps, Console& console) {
  TextTable table({"NODE", ">PID", "REDIS", "HTTP", "PEERS", "DATA"});
  const auto at = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  for (const DevNode& node : cluster.nodes()) {
    table.add({node.name, std::to_string(node.process.front().pid()), at(node.redis_port),
               at(node.http_port), at(node.peer_port), node.directory});
  }
  table.print(console.out, console.color);
  const DevNode& first = cluster.nodes().front();
  const DevNode& second = cluster.nodes()[cluster.nodes().size() > 1 ? 1 : 0];
  const DevNode& last = cluster.nodes().back();
  console.out << "\nTry, in another terminal:\n"
              << "  redis-cli -p " << first.redis_port << " set cart:42 bread\n"
              << "  redis-cli -p " << second.redis_port << " get cart:42\n"
              << "  curl -i http://" << at(last.http_port) << "/v1/kv/default/cart:42\n\n"
              << "Ctrl-C stops the nodes"
              << (keeps ? "; their data stays" : " and removes their data")
              << ".\nA node that was started again by hand runs on then"
              << (keeps ? "" : ", and all data stays") << ".\n";
  console.out.flush();
}

// Until somebody wants the end; meanwhile, says who died.
void watch(DevCluster& cluster, const sigset_t& signals, std::ostream& out) {
  for (;;) {
    cluster.report_ended(out);
    int number = 0;
    if (::sigwait(&signals, &number) == 0 && number != SIGCHLD) return;
  }
}

// The command that goes on with this data.
std::vector<std::string> again(const DevOptions& options) {
  const DevOptions usual;
  std::vector<std::string> words = {
      "stator", "dev", "--nodes", std::to_string(options.nodes), "--data-dir", options.data_dir};
  if (options.base_port != usual.base_port) {
    words.insert(words.end(), {"--base-port", std::to_string(options.base_port)});
  }
  if (!options.engine.empty()) words.insert(words.end(), {"--engine", options.engine});
  return words;
}

// Its nodes would refuse a directory of other founders, in the words of `stator serve`.
Result<void> agree_with_data(const DevOptions& options) {
  if (options.data_dir.empty()) return {};
  const auto founded = founded_in(options.data_dir);
  if (!founded || (founded->nodes == options.nodes && founded->base_port == options.base_port)) {
    return {};
  }
  return std::unexpected(
      Error{.code = ErrorCode::kConflict,
            .detail = "--data-dir " + options.data_dir +
                      " holds the data of a cluster that was founded with --nodes " +
                      std::to_string(founded->nodes) + " --base-port " +
                      std::to_string(founded->base_port) +
                      ", and neither can be changed in this release: give these, or another "
                      "--data-dir"});
}

// What goes on with the data that is there.
std::vector<std::string> as_founded(DevOptions options) {
  if (const auto founded = founded_in(options.data_dir)) {
    options.nodes = founded->nodes;
    options.base_port = founded->base_port;
  }
  return again(options);
}

// What to do where somebody has its ports.
std::string past_ports(const DevOptions& options) {
  if (!options.data_dir.empty()) {
    std::string pids;
    for (std::uint64_t k = 1; k <= options.nodes; ++k) {
      const pid_t pid = env::lock_holder(options.data_dir + "/n" + std::to_string(k));
      if (pid != 0) pids += " " + std::to_string(pid);
    }
    if (!pids.empty()) return "kill" + pids + ", and the same again once they have ended";
    // Founded data keeps its ports.
    if (founded_in(options.data_dir)) return "the same again once these ports are free";
  }
  return "the same with --base-port " + std::to_string(options.base_port + 1000);
}

void clean_up(const DevCluster& cluster, const DevOptions& options, bool keeps, Console& console) {
  const auto by_hand = cluster.restarted_by_hand();
  std::string pids;
  for (const StrayNode& node : by_hand) {
    console.out << "node " << node.name << " was started again by hand and still runs";
    if (node.pid != 0) {
      console.out << " (pid " << node.pid << ")";
      pids += " " + std::to_string(node.pid);
    }
    console.out << '\n';
  }
  if (!keeps && by_hand.empty()) {
    std::error_code error;
    fs::remove_all(options.data_dir, error);
    if (!error) console.out << "stopped; the data is removed\n";
    if (error) console.err << "stator: cannot remove " << options.data_dir << '\n';
  } else {
    console.out << "stopped; the data stays in " << options.data_dir << '\n';
    // It has ports that the next cluster needs.
    if (!pids.empty()) console.out << "next: kill" << pids << '\n';
    console.out << (pids.empty() ? "next: " : "then: ")
                << as_called(console, command_text(again(options))) << '\n';
  }
}

Exit run_cluster(DevCluster& cluster, bool keeps, const sigset_t& signals, Console& console) {
  const MonoTime begin = steady_now();
  auto up = cluster.start();
  if (up) up = cluster.write_once(steady_now() + kFirstWriteMax);
  if (!up) return fail(console, Exit::kFailed, up.error().detail, "stator dev --help");
  const Duration took = steady_now() - begin;
  cluster.settle(steady_now() + kSettleMax);
  console.out << cluster.nodes().size() << (cluster.nodes().size() == 1 ? " node" : " nodes")
              << ", N=" << cluster.replicas() << " R=" << cluster.quorum()
              << " W=" << cluster.quorum() << "; first write acknowledged after " << took.ms()
              << " ms\n\n";
  print_cluster(cluster, keeps, console);
  watch(cluster, signals, console.out);
  console.out << '\n';
  return Exit::kDone;
}

Exit dev(DevOptions options, Console& console) {
  const auto refuse = [&](const Error& error, const std::string& next) {
    const bool usage = error.code == ErrorCode::kBadRequest || error.code == ErrorCode::kConflict;
    return fail(console, usage ? Exit::kUsage : Exit::kFailed, error.detail, next);
  };
  if (auto right = check(options); !right) return refuse(right.error(), "stator dev --help");
  if (auto same = agree_with_data(options); !same) {
    return refuse(same.error(), command_text(as_founded(options)));
  }
  const bool keeps = options.keep || !options.data_dir.empty();
  // The ports are looked at before anything is made.
  std::error_code error;
  const std::string program = fs::read_symlink("/proc/self/exe", error).string();
  if (auto free = DevCluster::plan(options, program); !free) {
    return refuse(free.error(), past_ports(options));
  }
  auto directory = make_data_dir(options);
  if (!directory) return refuse(directory.error(), "stator dev --data-dir DIR");
  options.data_dir = *directory;
  const sigset_t signals = signals_of_dev();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  auto cluster = DevCluster::plan(options, program);
  if (!cluster) return refuse(cluster.error(), "stator dev");
  const Exit exit = run_cluster(*cluster, keeps, signals, console);
  cluster->stop();
  clean_up(*cluster, options, keeps, console);
  return exit;
}

}  // namespace

void register_dev(Command& root) {
  const auto options = std::make_shared<DevOptions>();
  Command command;
  command.name = "dev";
  command.summary = "Run a whole cluster on this machine, to try and to develop against";
  command.details =
      "Starts one process of one shard per node and founds a cluster of them, N=3 and R=W=2 from\n"
      "three nodes on. Node k has the Redis protocol on port base+10k, HTTP on the next and peers "
      "on\n"
      "the one after. A node that dies stays dead until it is started again with the line that is\n"
      "printed then. Ctrl-C ends it all and removes the data, unless --keep or --data-dir is "
      "given;\n"
      "a node that was started by hand runs on, and then the data stays.\n"
      "\n"
      "A --data-dir goes on with the --nodes and the --base-port that it was made with.";
  command.examples = {
      "stator dev                            # three nodes, Redis on 7410, 7420, 7430",
      "stator dev --nodes 5 --engine memory",
      "stator dev --data-dir ./cluster       # goes on where it was stopped"};
  command.options.push_back({"--nodes", "K", "how many (default 3)", &options->nodes});
  command.options.push_back({"--data-dir", "DIR",
                             "where the data goes, and stays (default: a temporary directory)",
                             &options->data_dir});
  command.options.push_back({"--base-port", "PORT", "(default 7400)", &options->base_port});
  std::vector<std::string> engines;
  if (const auto* choice = std::get_if<Choice>(&find_setting("engine")->field)) {
    engines = choice->valid();
  }
  command.options.push_back({"--engine", "NAME", "storage engine (default rocksdb)",
                             &options->engine, std::move(engines)});
  command.options.push_back({"--keep", "", "keep the data at the end", &options->keep});
  command.run = [options](Console& console) { return dev(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
