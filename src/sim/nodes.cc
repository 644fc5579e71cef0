#include "sim/nodes.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.h"

namespace stator::sim {
namespace {

constexpr std::uint32_t kPartitions = 256;
constexpr Duration kStartAgain = seconds(1);   // of a node that refused, as service managers do
constexpr Duration kCopyIsSeen = seconds(30);  // after its start (D3)
constexpr Duration kCopyIsOver = seconds(10);  // after its end all have started; and once more

}  // namespace

Nodes::Nodes(World& world, OperationLog& log, Options options)
    : world_(world),
      log_(log),
      options_(std::move(options)),
      shards_(options_.count, options_.shards, world.random().fork("shards")) {
  founding_.cluster_id = "sim";
  founding_.q = kPartitions;
  const auto copies = static_cast<std::uint8_t>(std::min(options_.count, 3U));
  founding_.n = copies;
  founding_.r = founding_.w = static_cast<std::uint8_t>(copies / 2 + 1);
  for (std::uint32_t i = 0; i < options_.count; ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    hosts_.push_back(world_.add_host(name).index());
    names_.push_back(name);
    doors_.push_back({name, kRedisPort});
    Member member;
    member.name = name;
    member.peer_address = name + ":" + std::to_string(kPeerPort);
    founding_.founders.push_back(member);
  }
  const auto complete = complete_founding(founding_);
  STATOR_ASSERT(complete.has_value());
}

void Nodes::attach(Adversary& adversary, node::Observer& observer, AnswerWitness& witness) {
  adversary_ = &adversary;
  observer_ = &observer;
  witness_ = &witness;
}

Recording Nodes::recording_of(std::uint32_t index) const {
  return {log_, world_.scheduler(), *witness_, index};
}

Server& Nodes::server(std::uint32_t node) {
  return *static_cast<Server*>(world_.host(node).process()->program());
}

node::NodeOptions Nodes::options_of(std::uint32_t index) {
  node::NodeOptions options;
  options.name = names_[index];
  options.data_directory = kDataDirectory;
  options.engine.name = "memory";
  options.engine.journal = true;
  options.peer_listen = {names_[index], kPeerPort};
  options.found = true;
  options.founding = founding_;
  options.durability = options_.durability;
  options.observer = observer_;
  if (options_.wrap_engine) {
    options.wrap_engine = [this, index](std::unique_ptr<storage::EngineHome> home) {
      return options_.wrap_engine(index, std::move(home));
    };
  }
  if (options_.limits != nullptr) options_.limits->draw(index, options);
  return options;
}

void Nodes::start(std::uint32_t node) {
  world_.host(node).start(shards_.draw(node), [this, index = node](std::span<env::Env> envs) {
    auto program = std::make_unique<Server>(envs, options_of(index), recording_of(index));
    if (!program->error().empty()) {
      refused_to_start(index, program->error());
    } else if (adversary_->has_clone(index)) {
      options_.problem("D3: " + names_[index] + " runs on a copy of another node's disk");
    }
    return program;
  });
}

// While calls on its disk fail a node may say so instead of starting, and is started again, until
// they do not. Where something is spoilt it may refuse for good, and gets an empty disk, as from an
// operator; but of what stands there twice one place that is spoilt is one copy, and the other is
// enough (D24). On another node's disk it has to refuse.
void Nodes::refused_to_start(std::uint32_t index, const std::string& why) {
  Host& host = world_.host(index);
  const unsigned spoilt = adversary_->spoilt(index);
  const bool useless = adversary_->has_clone(index) || spoilt > 1 ||
                       (spoilt == 1 && why.find("both copies") == std::string::npos);
  ++refused_starts_;
  if (!useless && !host.disk().may_fail()) {
    options_.problem("I16: " + host.name() + " " + why);
    return;
  }
  world_.note(host.name() + " " + why);
  world_.after(kStartAgain, [this, index, useless, number = host.process()->number()] {
    Host& refused = world_.host(index);
    if (!refused.running() || refused.process()->number() != number) return;
    refused.kill();
    if (useless) adversary_->replace_disk(index);
    start(index);
  });
}

void Nodes::start_copy(std::uint32_t node, std::uint32_t original) {
  world_.host(node).start(shards_.draw(node), [this, node, original](std::span<env::Env> envs) {
    node::NodeOptions options = options_of(node);
    options.name = names_[original];
    options.found = false;
    auto program = std::make_unique<Server>(envs, options, recording_of(node));
    if (!program->error().empty()) refused_to_start(node, program->error());
    return program;
  });
  if (!options_.only_disks_break || !world_.host(original).running()) return;
  world_.after(kCopyIsSeen, [this, node, original, copy = world_.host(node).process()->number(),
                             first = world_.host(original).process()->number()] {
    const auto runs = [this](std::uint32_t host, std::uint32_t number) {
      const Process* process = world_.host(host).process();
      return process != nullptr && process->number() == number;
    };
    if (runs(node, copy) && runs(original, first)) judge_copy(node, original);
  });
}

// Both have run undisturbed, as nothing else was broken.
void Nodes::judge_copy(std::uint32_t node, std::uint32_t original) {
  for (const std::uint32_t host : hosts_) {
    if (host == node || host == original) continue;
    const node::Peers& peers = server(host).node().shard(0).peers();
    for (const node::MemberView& member : server(host).store(0).cluster().members) {
      if (member.name != names_[original]) continue;
      const std::string who = "D3: " + names_[host];
      const std::string so_long = std::to_string(kCopyIsSeen.ms()) + " ms";
      if (peers.view(member.id).refused == 0) {
        options_.problem(who + " takes " + member.name +
                         " for one process, of which a copy has run for " + so_long);
      } else if (member.fenced) {
        // The copy runs where nobody dials it.
        options_.problem(who + " refuses " + member.name +
                         ", which answers at its address, for a copy that has run for " + so_long);
      }
    }
  }
}

// By node the number of the process that runs there; 0: none does, or it did not start.
std::vector<std::uint32_t> Nodes::up() const {
  std::vector<std::uint32_t> numbers;
  for (const std::uint32_t host : hosts_) {
    Process* process = world_.host(host).process();
    auto* const program = process == nullptr ? nullptr : static_cast<Server*>(process->program());
    const bool runs = program != nullptr && program->error().empty();
    numbers.push_back(runs ? process->number() : 0);
  }
  return numbers;
}

void Nodes::copy_ended(std::uint32_t node, std::uint32_t original) {
  if (!options_.only_disks_break) return;
  world_.after(kCopyIsOver, [this, node, original] {
    world_.after(kCopyIsOver, [this, node, original,
                               before = std::make_shared<std::vector<std::uint32_t>>(up())] {
      judge_return(node, *before);
      judge_return(original, *before);
    });
  });
}

void Nodes::judge_return(std::uint32_t node, const std::vector<std::uint32_t>& before) {
  const std::vector<std::uint32_t> now = up();
  const auto steady = [&](std::size_t index) {
    return now[index] != 0 && now[index] == before[index];
  };
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    for (std::size_t j = 0; j < hosts_.size(); ++j) {
      if (hosts_[j] != node || i == j || !steady(i) || !steady(j)) continue;
      for (const node::MemberView& member : server(hosts_[i]).store(0).cluster().members) {
        if (member.name != names_[j] || (member.healthy && !member.fenced)) continue;
        options_.problem("D3: " + names_[i] + " does not trust " + member.name +
                         ", of which no copy runs any more");
      }
    }
  }
}

void Nodes::stop(std::uint32_t node) {
  Process& process = *world_.host(node).process();
  // It may still be starting: then there is nothing to stop but the process.
  auto* running = static_cast<Server*>(process.program());
  if (running == nullptr || !running->error().empty()) {
    world_.host(node).kill();
    return;
  }
  const std::uint32_t number = process.number();
  process.loop().schedule(world_.now(), EventKind::kTask, [this, running, node, number] {
    running->stop([this, node, number] {
      // Not from within its own turn.
      world_.after({}, [this, node, number] {
        const Process* ended = world_.host(node).process();
        if (ended != nullptr && ended->number() == number) world_.host(node).kill();
      });
    });
  });
}

}  // namespace stator::sim
