#include "cli/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/allocation_count.h"
#include "cli/command.h"
#include "cli/founding_flags.h"
#include "cli/log.h"
#include "cli/version.h"
#include "storage/data_directory.h"

namespace stator::cli {

namespace {

constexpr Duration kAlarmInterval = seconds(1);
constexpr Duration kSettleStep = milliseconds(2);
constexpr Duration kDrainStep = milliseconds(2);

// Each client is a descriptor; the soft limit of most systems is 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log_warning("cannot raise the limit of open files");
}

unsigned shard_count(const Settings& settings) {
  if (settings.shards > 0) return static_cast<unsigned>(settings.shards);
  return std::max(1U, std::thread::hardware_concurrency());
}

const char* hint_of(const Error& error) {
  if (error.code == ErrorCode::kConflict) {
    return ". Stop the program that has it, or give another address";
  }
  if (error.detail.ends_with(std::generic_category().message(EACCES))) {
    return ". Give a port of 1024 or more, or let this user use those below";
  }
  return ". Give an address of this machine";
}

Error with_hint(Error error, const char* flag, const env::Address& address) {
  error.detail =
      std::string(flag) + " " + env::to_string(address) + ": " + error.detail + hint_of(error);
  return error;
}

class NobodyIsServed final : public env::StreamAcceptor {
  std::unique_ptr<env::StreamHandler> on_accept(env::Stream&) override { return nullptr; }
};

redis::WritesSynced writes_synced(const node::NodeOptions& options) {
  // As `stator serve` opens it, the engine memory keeps nothing on a disk.
  if (options.engine.name == "memory") return redis::WritesSynced::kSometime;
  switch (options.durability) {
    case node::Durability::kAll: return redis::WritesSynced::kBefore;
    case node::Durability::kOne: return redis::WritesSynced::kSoon;
    case node::Durability::kNone: break;
  }
  return redis::WritesSynced::kSometime;
}

std::vector<std::string> own_host_names(const node::NodeOptions& options,
                                        const Settings& settings) {
  std::vector<std::string> names;
  for (const env::Address* address :
       {&settings.redis_listen, &settings.http_listen, &options.redis_announced,
        &options.http_announced, &options.peer_announced}) {
    if (!address->host.empty()) names.push_back(address->host);
  }
  return names;
}

}  // namespace

Server::Server(const Settings& settings) : settings_(settings) {}

Result<std::unique_ptr<Server>> Server::open(const Settings& settings) {
  raise_descriptor_limit();
  std::unique_ptr<Server> server(new Server(settings));
  server->runtime_ = std::make_unique<env::Runtime>(shard_count(settings));
  std::vector<env::Env> shards;
  for (unsigned i = 0; i < server->runtime_->shard_count(); ++i) {
    shards.push_back(server->runtime_->shard_env(i));
  }
  if (auto free = server->try_addresses(); !free) return std::unexpected(std::move(free.error()));
  node::NodeOptions options = settings.node;
  options.program_version = program_version();
  auto node = node::Node::open(std::move(shards), std::move(options));
  if (!node) return std::unexpected(std::move(node.error()));
  server->node_ = std::move(*node);
  if (auto bound = server->bind(); !bound) {
    // What was opened is closed in order; the loops run for that alone.
    bool closed = false;
    server->node_->stop([&closed] { closed = true; });
    static_cast<void>(server->runtime_->run_until([&closed] { return closed; }, seconds(30)));
    return std::unexpected(std::move(bound.error()));
  }
  return server;
}

Server::~Server() {
  // Sockets and connections belong to the runtime, and use the fronts and the node until it ends.
  redis_listeners_.clear();
  http_listeners_.clear();
  if (runtime_) runtime_->shut_down();
}

// A start that fails for its addresses must not have founded a directory: with the next try the
// operator may well give another cluster id. A directory that is founded already tells first who
// has it.
Result<void> Server::try_addresses() {
  env::Env& env = runtime_->shard_env(0);
  for (const char* copy : storage::kIdentityCopies) {
    if (env.disk.exists(settings_.node.data_directory + "/" + copy).value_or(true)) return {};
  }
  const std::pair<const char*, const env::Address*> wanted[] = {
      {"--redis-listen", &settings_.redis_listen},
      {"--http-listen", &settings_.http_listen},
      {"--peer-listen", &settings_.node.peer_listen}};
  NobodyIsServed nobody;
  std::vector<std::unique_ptr<env::Listener>> tried;  // all at once: one may be given twice
  for (const auto& [flag, address] : wanted) {
    auto listener = env.network.listen_streams(*address, nobody);
    if (!listener) return std::unexpected(with_hint(std::move(listener.error()), flag, *address));
    tried.push_back(std::move(*listener));
  }
  return {};
}

Result<void> Server::bind() {
  const std::vector<std::string> names = own_host_names(node_->options(), settings_);
  for (unsigned i = 0; i < runtime_->shard_count(); ++i) {
    env::Env& env = runtime_->shard_env(i);
    node::Store& store = node_->store(i);
    node::Metrics& counters = node_->counters(i);
    redis::RedisFrontOptions redis_options;
    redis_options.limits = settings_.node.limits;
    redis_options.version = program_version();
    redis_options.writes_synced = writes_synced(node_->options());
    redis_options.counters = &counters;
    redis_options.resident_bytes = [] { return http::read_process_facts().resident_bytes; };
    redis_fronts_.push_back(
        std::make_unique<redis::RedisFront>(store, env.executor, std::move(redis_options)));
    http::HttpFrontOptions http_options;
    http_options.limits = settings_.node.limits;
    http_options.host_names = names;
    http_options.counters = &counters;
    http_options.process_facts = http::read_process_facts;
    http_options.heap_allocations = counts_heap_allocations() ? heap_allocations : nullptr;
    http_fronts_.push_back(
        std::make_unique<http::HttpFront>(store, env.executor, std::move(http_options)));
    auto redis = env.network.listen_streams(settings_.redis_listen, *redis_fronts_.back());
    if (!redis) {
      return std::unexpected(
          with_hint(std::move(redis.error()), "--redis-listen", settings_.redis_listen));
    }
    redis_listeners_.push_back(std::move(*redis));
    auto http = env.network.listen_streams(settings_.http_listen, *http_fronts_.back());
    if (!http) {
      return std::unexpected(
          with_hint(std::move(http.error()), "--http-listen", settings_.http_listen));
    }
    http_listeners_.push_back(std::move(*http));
  }
  if (auto started = node_->start(); !started) {
    return std::unexpected(
        with_hint(std::move(started.error()), "--peer-listen", settings_.node.peer_listen));
  }
  for (const node::MemberView& member : node_->store(0).cluster().members) {
    if (!member.self) continue;
    const std::string told = listens_elsewhere(settings_.node, member.name, member.peer_address);
    if (!told.empty()) log_warning(told);
  }
  node_->announce(redis_address(), http_address());
  return {};
}

void Server::run(const std::function<void()>& ready) {
  runtime_->on_signal([this](int) {
    if (++signals_ > 1) {
      log_warning("stopped at once, by a second signal");
      ::_exit(static_cast<int>(Exit::kFailed));
    }
    log_info("stopping: no new connections, open requests are answered");
    stop();
  });
  watch_alarms();
  runtime_->shard_env(0).executor.post([this, &ready] { await_settled(ready); });
  runtime_->run();
}

void Server::await_settled(const std::function<void()>& ready) {
  if (node_->settled()) {
    ready();
  } else if (signals_ == 0) {
    runtime_->shard_env(0).executor.after(kSettleStep, [this, &ready] { await_settled(ready); });
  }
}

void Server::watch_alarms() {
  const node::Store& store = node_->store(0);
  alarms_.look(store.cluster(), store.status(), store.metrics(),
               [](Alarms::Kind kind, const std::string& line) {
                 kind == Alarms::Kind::kRaised ? log_warning(line) : log_info(line);
               });
  runtime_->shard_env(0).executor.after(kAlarmInterval, [this] {
    if (signals_ == 0) watch_alarms();
  });
}

void Server::stop() {
  env::Executor& executor = runtime_->shard_env(0).executor;
  executor.after(settings_.stop_timeout, [] {
    log_warning("stopped before every request was answered: stop_timeout is over");
    ::_exit(static_cast<int>(Exit::kFailed));
  });
  // Before the doors close: peers shall know before they would notice.
  node_->leave();
  shards_serving_ = runtime_->shard_count();
  for (unsigned i = 0; i < runtime_->shard_count(); ++i) {
    executor.post_to(i, [this, i] { drain_shard(i); });
  }
}

void Server::drain_shard(unsigned shard) {
  redis_listeners_[shard].reset();
  http_listeners_[shard].reset();
  redis_fronts_[shard]->drain();
  http_fronts_[shard]->drain();
  await_doors(shard);
}

void Server::await_doors(unsigned shard) {
  env::Executor& executor = runtime_->shard_env(shard).executor;
  if (redis_fronts_[shard]->drained() && http_fronts_[shard]->connections() == 0) {
    executor.post_to(0, [this] { shard_drained(); });
  } else {
    executor.after(kDrainStep, [this, shard] { await_doors(shard); });
  }
}

void Server::shard_drained() {
  if (--shards_serving_ > 0) return;
  node_->stop([this] { runtime_->stop(); });
}

}  // namespace stator::cli
