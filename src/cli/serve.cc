#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>
#include <utility>

#include "cli/commands.h"
#include "cli/founding_flags.h"
#include "cli/key_options.h"
#include "cli/log.h"
#include "cli/server.h"
#include "cli/settings.h"
#include "env_real/scheduling.h"
#include "storage/data_directory.h"

namespace stator::cli {

namespace {

struct ServeOptions {
  std::string file;
  FoundingFlags founding;
  // One per setting, in the order of the table; a switch is a bool.
  std::vector<std::optional<std::string>> texts;
  std::vector<std::unique_ptr<bool>> switches;

  void add_options(std::vector<Option>& options) {
    texts.resize(settings_table().size());
    switches.resize(settings_table().size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Setting& setting = settings_table()[i];
      Option option{setting.flag(), setting.value, setting.what, &texts[i]};
      if (std::holds_alternative<Switch>(setting.field)) {
        switches[i] = std::make_unique<bool>(false);
        option.target = switches[i].get();
      } else {
        const std::string value = show(Settings{}, setting);
        if (!value.empty()) option.help += " (default " + value + ")";
      }
      options.push_back(std::move(option));
    }
  }
  [[nodiscard]] Given given() const {
    Given all;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const char* key = settings_table()[i].key;
      if (texts[i]) all[key] = *texts[i];
      if (switches[i] && *switches[i]) all[key] = "true";
    }
    return all;
  }
};

std::unexpected<Error> bad(std::string detail) {
  return std::unexpected(Error{.code = ErrorCode::kBadRequest, .detail = std::move(detail)});
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data()
                                                                             : "stator";
}

bool has_identity(const std::string& data_directory) {
  std::error_code none;
  return std::ranges::any_of(storage::kIdentityCopies, [&](const char* copy) {
    return std::filesystem::exists(data_directory + "/" + copy, none);
  });
}

node::Durability durability_of(std::string_view setting) {
  if (setting == "one") return node::Durability::kOne;
  return setting == "none" ? node::Durability::kNone : node::Durability::kAll;
}

/// All that the node needs to know, from flags and file.
Result<Settings> prepare(const ServeOptions& options) {
  auto loaded = load_settings(options.file, options.given());
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  Settings& settings = loaded->settings;
  node::NodeOptions& node = settings.node;
  if (node.data_directory.empty()) return bad("--data-dir: must not be empty");
  // An existing directory knows its name and engine; only what was really said may contradict it.
  if (!loaded->sources.contains("engine")) node.engine.name.clear();
  if (node.name.empty() && (options.founding.given() || !has_identity(node.data_directory))) {
    node.name = host_name();
  }
  node.durability = durability_of(settings.durability);
  node.read_repair_share_ppm = static_cast<std::uint32_t>(settings.read_repair_share * 1e6 + 0.5);
  if (options.founding.given()) {
    auto founding = make_founding(options.founding);
    if (!founding) return std::unexpected(std::move(founding.error()));
    node.founding = std::move(*founding);
    node.found = true;
    if (auto agreed = agree_with_founding(*loaded, node.founding); !agreed) {
      return std::unexpected(std::move(agreed.error()));
    }
  } else if (const auto flag = options.founding.first_that_needs_found(); !flag.empty()) {
    return bad(std::string(flag) + " goes with --found; a node that has data knows its cluster");
  }
  if (auto fit = check_together(settings); !fit) return std::unexpected(std::move(fit.error()));
  return settings;
}

// What the operator got wrong is 2, what the machine could not do is 1.
Exit exit_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kConflict:
    case ErrorCode::kNotSupported:
    case ErrorCode::kTooLarge: return Exit::kUsage;
    default: return Exit::kFailed;
  }
}

// The command to type next.
std::string next_of(const Error& error, const std::string& data_directory) {
  if (error.code == ErrorCode::kNotSupported) return "stator version";
  // A port or directory that somebody has, what is damaged: the error says what to do first, and
  // the help of the options knows nothing of it.
  if (error.code == ErrorCode::kConflict || error.code == ErrorCode::kCorrupt ||
      error.code == ErrorCode::kIo) {
    return "the same again, with that put right";
  }
  if (error.code != ErrorCode::kDiskFull) return "stator serve --help";
  // A directory that could not even be made is on the disk of what is above it.
  std::error_code none;
  std::filesystem::path there = std::filesystem::absolute(data_directory, none);
  while (there.has_relative_path() && !std::filesystem::exists(there, none)) {
    there = there.parent_path();
  }
  return "df -h " + shell_quoted(there.string());
}

void print_ready(const Server& server, std::ostream& out) {
  const node::Node& node = server.node();
  out << "redis " << env::to_string(server.redis_address()) << '\n'
      << "http  " << env::to_string(server.http_address()) << '\n'
      << "peers " << env::to_string(node.peer_address()) << '\n';
  if (const std::size_t wanting = node.members_wanting(); node.member() && wanting > 0) {
    out << "waiting: the quorums of this cluster need " << wanting << " more "
        << (wanting == 1 ? "member" : "members")
        << " than it was founded with, so that requests are refused. Found it anew, in an empty "
           "--data-dir, with all its nodes in --found or with --read-quorum 1 --write-quorum 1\n";
  } else if (node.member()) {
    out << "ready\n";
  } else {
    out << "waiting: this node belongs to no cluster yet and takes no data. Start it with "
           "--cluster-id and --found, as the founders were\n";
  }
  out.flush();
}

Exit serve(const ServeOptions& options, Console& console) {
  const auto settings = prepare(options);
  if (!settings) return fail(console, Exit::kUsage, settings.error().detail, "stator serve --help");
  start_log(settings->log_level, settings->node.name);
  if (settings->scheduling == "batch") {
    // Before the first thread is started, since threads inherit it.
    if (auto batches = env::prefer_batches(); !batches) {
      log_warning(batches.error().detail + "; the node is scheduled as it was started");
    }
  }
  auto server = Server::open(*settings);
  if (!server) {
    const Error& error = server.error();
    const std::string detail = error.detail.empty() ? to_string(error.code) : error.detail;
    return fail(console, exit_of(error.code), detail,
                next_of(error, settings->node.data_directory));
  }
  const node::NodeOptions& node = (*server)->node().options();
  start_log(settings->log_level, node.name);
  if ((*server)->node().identity_mended()) {
    log_warning("one copy of the identity in " + node.data_directory +
                " was missing, damaged or older: it was written anew from the other one");
  }
  log_info("started: data in " + node.data_directory + ", engine " + node.engine.name);
  (*server)->run([&] { print_ready(**server, console.out); });
  server->reset();
  log_info("stopped");
  return Exit::kDone;
}

}  // namespace

void register_serve(Command& root) {
  const auto options = std::make_shared<ServeOptions>();
  Command command;
  command.name = "serve";
  command.summary = "Run one node until SIGTERM or SIGINT";
  command.details =
      "Prints one line per listening address and `ready` when it serves. With --found, the same "
      "on\n"
      "all founders, it creates a cluster; later starts need only the data directory and the\n"
      "addresses. The founders are the members, which cannot be changed in this release: there is\n"
      "no --seed yet through which another node joins. Without --found a node that has no data\n"
      "belongs to no cluster and refuses clients.\n"
      "\n"
      "Every option but those of --found may stand in the file of --config: --data-dir is "
      "`data_dir`\n"
      "there. An option wins over the file. Without --insecure only loopback may be listened on.\n"
      "\n"
      "The first signal stops it in order; a second one at once.";
  command.examples = {
      "stator serve --name n1 --cluster-id shop --found n1=127.0.0.1:7381 --replicas 1",
      "stator serve --config /etc/stator.toml        # a later start",
      "stator serve --name a --zone east --data-dir /var/lib/stator --insecure \\",
      "    --redis-listen 0.0.0.0:7379 --http-listen 0.0.0.0:7380 --peer-listen 10.0.0.1:7381 \\",
      "    --cluster-id shop --found "
      "a=10.0.0.1:7381/east,b=10.0.0.2:7381/west,c=10.0.0.3:7381/west"};
  command.options.push_back(
      {"--config", "FILE", "read settings from this TOML file", &options->file});
  options->add_options(command.options);
  options->founding.add_options(command.options);
  command.run = [options](Console& console) { return serve(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
