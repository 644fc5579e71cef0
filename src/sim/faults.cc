#include "sim/faults.h"

#include <cmath>
#include <utility>

namespace stator::sim {
namespace {

// Cuts wait for the faults of others to meet them; nobody waits longer than this.
constexpr double kFlapShare = 0.2;
constexpr double kAllAtOnceShare = 0.05;

}  // namespace

const char* to_string(FaultFamily family) {
  switch (family) {
    case FaultFamily::kMessages: return "messages";
    case FaultFamily::kStreams: return "streams";
    case FaultFamily::kCuts: return "cuts";
    case FaultFamily::kDoors: return "doors";
    case FaultFamily::kCrash: return "crash";
    case FaultFamily::kKill: return "kill";
    case FaultFamily::kPause: return "pause";
    case FaultFamily::kDisk: return "disk";
    case FaultFamily::kCpu: return "cpu";
    case FaultFamily::kClock: return "clock";
  }
  return "unknown";
}

Result<FaultSet> parse_faults(std::string_view text) {
  if (text == "all") return kAllFaults;
  if (text == "none") return FaultSet{0};
  FaultSet set = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    bool found = false;
    for (unsigned i = 0; i < kFaultFamilies; ++i) {
      if (name != to_string(static_cast<FaultFamily>(i))) continue;
      set |= 1U << i;
      found = true;
    }
    if (found) continue;
    return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                 .detail = "there is no family of faults '" + std::string(name) +
                                           "': use all, none, or some of " +
                                           describe_faults(kAllFaults)});
  }
  return set;
}

std::string describe_faults(FaultSet set) {
  std::string names;
  for (unsigned i = 0; i < kFaultFamilies; ++i) {
    if (!has(set, static_cast<FaultFamily>(i))) continue;
    if (!names.empty()) names += ",";
    names += to_string(static_cast<FaultFamily>(i));
  }
  return names.empty() ? "none" : names;
}

FaultSet draw_swarm(FaultSet wanted, Random& random) {
  FaultSet drawn = 0;
  for (unsigned i = 0; i < kFaultFamilies; ++i) {
    if (random.chance(0.5)) drawn |= wanted & (1U << i);
  }
  return drawn;
}

Adversary::Adversary(World& world, std::vector<std::uint32_t> nodes,
                     std::vector<std::uint32_t> clients, FaultSet families, Random random,
                     StartNode start_node)
    : world_(world),
      nodes_(std::move(nodes)),
      clients_(std::move(clients)),
      families_(families),
      random_(random),
      start_node_(std::move(start_node)) {}

// Every order of magnitude is as likely as the next.
Duration Adversary::draw_time(Duration shortest, Duration longest) {
  const double ratio = static_cast<double>(longest.ns) / static_cast<double>(shortest.ns);
  return {static_cast<std::int64_t>(static_cast<double>(shortest.ns) *
                                    std::pow(ratio, random_.fraction()))};
}

template <typename Action>
void Adversary::later(Duration delay, Action action) {
  world_.after(delay, [this, action = std::move(action)]() mutable {
    if (active_) action();
  });
}

void Adversary::start(MonoTime until) {
  active_ = true;
  until_ = until;
  const Duration length = until - world_.now();
  const Duration rare = std::max(length / 3, seconds(2));
  const Rhythm rhythms[] = {
      {FaultFamily::kMessages, &Adversary::set_messages, seconds(5), rare},
      {FaultFamily::kStreams, &Adversary::set_streams, seconds(5), rare},
      {FaultFamily::kCuts, &Adversary::cut_nodes, seconds(1), rare},
      {FaultFamily::kDoors, &Adversary::cut_doors, seconds(1), rare},
      {FaultFamily::kCrash, &Adversary::crash, seconds(2), rare},
      {FaultFamily::kKill, &Adversary::kill, seconds(2), rare},
      {FaultFamily::kPause, &Adversary::pause, milliseconds(500), rare},
      {FaultFamily::kDisk, &Adversary::slow_disk, seconds(2), rare},
      {FaultFamily::kCpu, &Adversary::slow_cpu, seconds(2), rare},
      {FaultFamily::kClock, &Adversary::disturb_clock, seconds(2), rare},
  };
  for (const Rhythm& rhythm : rhythms) {
    if (!has(families_, rhythm.family)) continue;
    const Duration mean = draw_time(rhythm.shortest, std::max(rhythm.longest, rhythm.shortest));
    beat(rhythm.family, rhythm.strike, mean);
  }
}

void Adversary::beat(FaultFamily family, Strike strike, Duration mean) {
  later(random_.exponential(mean), [this, family, strike, mean] {
    if (world_.now() >= until_) return;
    (this->*strike)();
    beat(family, strike, mean);
  });
}

// --- the network -------------------------------------------------------------------------------

void Adversary::set_messages() {
  const auto some = [this](double most) {
    // Mostly little: what loses a third of everything hides what a single loss would show.
    const double share = random_.fraction();
    return random_.chance(0.5) ? most * share * share * share : 0.0;
  };
  for (const std::uint32_t from : nodes_) {
    for (const std::uint32_t to : nodes_) {
      if (from == to || !random_.chance(0.7)) continue;
      NetworkFaults faults = world_.wire().faults(from, to);
      faults.loss = some(0.3);
      faults.duplicate = some(0.2);
      faults.reorder = some(0.2);
      faults.corrupt = some(0.05);
      faults.truncate = some(0.05);
      faults.replay = some(0.2);
      faults.delay_mean = draw_time(microseconds(50), milliseconds(random_.chance(0.1) ? 200 : 5));
      faults.tail = some(0.05);
      faults.tail_mean = draw_time(milliseconds(1), seconds(2));
      faults.bytes_per_second = random_.chance(0.05) ? 100'000 : 0;
      world_.wire().set_faults(from, to, faults);
    }
  }
}

void Adversary::set_streams() {
  for (const std::uint32_t node : nodes_) {
    for (const std::uint32_t client : clients_) {
      for (const auto& [from, to] : {std::pair{node, client}, std::pair{client, node}}) {
        NetworkFaults faults = world_.wire().faults(from, to);
        faults.reset = random_.chance(0.3) ? 0.01 * random_.fraction() : 0;
        faults.chop = random_.chance(0.5) ? random_.fraction() : 0;
        faults.loss = random_.chance(0.3) ? 0.05 * random_.fraction() : 0;
        world_.wire().set_faults(from, to, faults);
      }
    }
  }
}

void Adversary::apply(const Cuts& cuts, bool cut) {
  for (const auto& [from, to] : cuts) world_.wire().set_cut(from, to, cut);
}

void Adversary::cut_nodes() {
  if (nodes_.size() < 2) return;
  ++counters_.cuts;
  const auto shape = static_cast<PartitionShape>(random_.below(kPartitionShapes));
  Cuts cuts = draw_partition(shape, nodes_, random_);
  world_.note(std::string("cut ") + to_string(shape));
  apply(cuts, true);
  const int times = random_.chance(kFlapShare) ? 1 + static_cast<int>(random_.below(20)) : 0;
  flap(std::move(cuts), times);
}

// Heals after a while, and cuts again as often as it flaps.
void Adversary::flap(Cuts cuts, int times) {
  const Duration longest =
      times > 0 ? seconds(2) : std::max(seconds(1), (until_ - world_.now()) / 2);
  later(draw_time(milliseconds(20), longest), [this, cuts = std::move(cuts), times]() mutable {
    world_.note("cut heals");
    apply(cuts, false);
    if (times == 0) return;
    later(draw_time(milliseconds(20), seconds(2)), [this, cuts = std::move(cuts), times]() mutable {
      apply(cuts, true);
      flap(std::move(cuts), times - 1);
    });
  });
}

void Adversary::cut_doors() {
  ++counters_.cuts;
  const std::uint32_t client = clients_[random_.below(clients_.size())];
  const std::uint32_t node = any_node();
  Cuts cuts;
  if (!random_.chance(0.3)) cuts.emplace_back(client, node);
  if (cuts.empty() || !random_.chance(0.3)) cuts.emplace_back(node, client);
  world_.note("cut door");
  apply(cuts, true);
  flap(std::move(cuts), 0);
}

// --- processes ---------------------------------------------------------------------------------

void Adversary::take_down(std::uint32_t node, bool power) {
  Host& host = world_.host(node);
  if (!host.running()) return;
  world_.note(std::string(power ? "crash " : "kill ") + host.name());
  if (power) {
    host.crash();
    ++counters_.crashes;
  } else {
    host.kill();
    ++counters_.kills;
  }
  const Duration longest = std::max(milliseconds(100), (until_ - world_.now()) / 3);
  // Now and then it dies again while it starts.
  later(draw_time(milliseconds(1), longest), [this, node, power] {
    if (world_.host(node).running()) return;
    start_node_(node);
    if (!random_.chance(0.2)) return;
    later(draw_time(microseconds(1), milliseconds(20)),
          [this, node, power] { take_down(node, power); });
  });
}

void Adversary::crash() {
  if (random_.chance(kAllAtOnceShare)) {
    for (const std::uint32_t node : nodes_) take_down(node, true);
  } else {
    take_down(any_node(), true);
  }
}

void Adversary::kill() {
  take_down(any_node(), false);
}

void Adversary::pause() {
  const std::uint32_t node = any_node();
  Host& host = world_.host(node);
  if (!host.running() || host.paused()) return;
  ++counters_.pauses;
  world_.note("pause " + host.name());
  host.pause();
  const Duration longest = std::max(milliseconds(10), (until_ - world_.now()) / 2);
  // A process that was started meanwhile is not paused, and resuming it does nothing.
  later(draw_time(milliseconds(1), longest), [this, node] { world_.host(node).resume(); });
}

// --- machines ----------------------------------------------------------------------------------

void Adversary::slow_disk() {
  ++counters_.slow;
  const std::uint32_t node = any_node();
  DiskFaults& faults = world_.host(node).disk().faults;
  world_.note("slow disk " + world_.host(node).name());
  faults.sync_mean = draw_time(milliseconds(1), milliseconds(500));
  faults.sync_tail = 0.05 * random_.fraction();
  faults.sync_tail_mean = draw_time(milliseconds(10), seconds(3));
  faults.call_cost = draw_time(microseconds(4), milliseconds(1));
  later(draw_time(milliseconds(100), seconds(30)),
        [this, node] { world_.host(node).disk().faults = DiskFaults{}; });
}

void Adversary::slow_cpu() {
  ++counters_.slow;
  const std::uint32_t node = any_node();
  world_.note("slow cpu " + world_.host(node).name());
  world_.host(node).set_slowness(random_.between(2, 200));
  later(draw_time(milliseconds(100), seconds(30)),
        [this, node] { world_.host(node).set_slowness(1); });
}

void Adversary::disturb_clock() {
  ++counters_.clock_changes;
  HostClock& clock = world_.host(any_node()).clock();
  world_.note("clock");
  constexpr Duration kYear = seconds(365LL * 24 * 3600);
  switch (random_.below(4)) {
    case 0: clock.jump(random_.between(Duration{} - seconds(600), seconds(600))); break;
    case 1: clock.drift(world_.now(), random_.between(-10'000, 10'000)); break;
    case 2: clock.jump(random_.chance(0.5) ? kYear : Duration{} - kYear); break;
    default: clock.set_right(); break;
  }
}

void Adversary::heal() {
  active_ = false;
  world_.note("heal");
  world_.wire().heal();
  world_.wire().set_faults(NetworkFaults{});
  for (const std::uint32_t node : nodes_) {
    Host& host = world_.host(node);
    host.clock().set_right();
    host.set_slowness(1);
    host.disk().faults = DiskFaults{};
    host.resume();
    if (!host.running()) start_node_(node);
  }
}

}  // namespace stator::sim
