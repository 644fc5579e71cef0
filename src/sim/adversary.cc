#include "sim/adversary.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

namespace stator::sim {
namespace {

constexpr double kFlapShare = 0.2;
constexpr double kOneByOneShare = 0.15;
constexpr double kAllAtOnceShare = 0.05;
constexpr double kAllInTurnShare = 0.1;
constexpr double kDiesAgainShare = 0.2;
constexpr double kRecordShare = 0.4;  // of what rots
constexpr double kCloneShare = 0.25;
constexpr double kRunningCopyShare = 0.5;     // of clones
constexpr Duration kCopyRuns = seconds(60);   // at most
constexpr Duration kHarmedFor = seconds(30);  // at most
// Where so much of the run is left.
constexpr double kVeryLongShare = 0.05;
constexpr Duration kLongestCut = seconds(30 * 60);
constexpr Duration kLongestPause = seconds(10 * 60);
constexpr Duration kYear = seconds(365LL * 24 * 3600);

}  // namespace

/// A family's rhythm: when it strikes next does not depend on what its strikes do.
struct Adversary::Beat {
  Rhythm rhythm;
  Duration mean;
  Random random;
};

/// A cut that heals after a while, and comes back as often as it flaps.
struct Adversary::Flap {
  Cuts cuts;
  int times;
  Duration longest;
  Random random;
  Duration lasts{};  // the first time, if that was drawn before
};

Adversary::Adversary(World& world, std::vector<std::uint32_t> nodes,
                     std::vector<std::uint32_t> clients, Options options, NodeControl control)
    : world_(world),
      nodes_(std::move(nodes)),
      clients_(std::move(clients)),
      options_(std::move(options)),
      control_(std::move(control)),
      loser_(nodes_[options_.random.fork("loser").below(nodes_.size())]) {}

namespace {

// Every order of magnitude is as likely as the next.
Duration draw_between(Random& random, Duration shortest, Duration longest) {
  const double ratio = static_cast<double>(longest.ns) / static_cast<double>(shortest.ns);
  return {static_cast<std::int64_t>(static_cast<double>(shortest.ns) *
                                    std::pow(ratio, random.fraction()))};
}

}  // namespace

Duration Adversary::draw_time(Duration shortest, Duration longest) {
  return draw_between(random_, shortest, std::max(shortest, longest));
}

// Up to a part of what is left of the run.
Duration Adversary::share_of_rest(Duration shortest, int part) {
  return draw_time(shortest, (until_ - world_.now()) / part);
}

// Now and then, where there is the time for it: a third of the most or more, and then a pause that
// is as long. Else 0. Draws from a stream of its own.
Duration Adversary::draw_very_long(const char* what, Duration most) {
  Random random = random_.fork(what);
  const MonoTime now = world_.now();
  if (until_ - now < most || now < very_long_until_ || !random.chance(kVeryLongShare)) return {};
  ++counters_.very_long;
  const Duration lasts = random.between(most / 3, most);
  very_long_until_ = now + lasts * 2;
  return lasts;
}

template <typename Action>
void Adversary::later(Duration delay, Action action) {
  world_.after(delay, [this, action = std::move(action)]() mutable {
    if (!active_) return;
    action();
    tell();
  });
}

void Adversary::start(MonoTime until) {
  active_ = true;
  until_ = until;
  const Duration rare = std::max((until - world_.now()) / 3, seconds(2));
  const Rhythm rhythms[] = {
      {FaultFamily::kMessages, &Adversary::set_messages, seconds(5), rare},
      {FaultFamily::kLinks, &Adversary::break_links, milliseconds(500), rare},
      {FaultFamily::kStreams, &Adversary::set_streams, seconds(5), rare},
      {FaultFamily::kCuts, &Adversary::cut_nodes, seconds(1), rare},
      {FaultFamily::kDoors, &Adversary::cut_doors, seconds(1), rare},
      {FaultFamily::kCrash, &Adversary::crash, seconds(2), rare},
      {FaultFamily::kKill, &Adversary::kill, seconds(2), rare},
      {FaultFamily::kRestart, &Adversary::restart, seconds(2), rare},
      {FaultFamily::kPause, &Adversary::pause, milliseconds(500), rare},
      {FaultFamily::kDisk, &Adversary::slow_disk, seconds(2), rare},
      {FaultFamily::kCpu, &Adversary::slow_cpu, seconds(2), rare},
      {FaultFamily::kClock, &Adversary::disturb_clock, seconds(2), rare},
      {FaultFamily::kFsync, &Adversary::fail_syncs, seconds(5), rare},
      {FaultFamily::kIo, &Adversary::fail_calls, seconds(5), rare},
      {FaultFamily::kFull, &Adversary::fill_disk, seconds(5), rare},
      {FaultFamily::kRot, &Adversary::rot, seconds(5), rare},
      {FaultFamily::kWipe, &Adversary::wipe, seconds(5), rare},
  };
  for (const Rhythm& rhythm : rhythms) {
    if (has(options_.families, rhythm.family)) begin_rhythm(rhythm);
  }
  if (has(options_.families, FaultFamily::kBuggify)) world_.buggify().on = true;
}

void Adversary::begin_rhythm(const Rhythm& rhythm) {
  Random random = options_.random.fork("rhythm", static_cast<std::uint64_t>(rhythm.family));
  const Duration mean =
      draw_between(random, rhythm.shortest, std::max(rhythm.longest, rhythm.shortest));
  beat(std::make_unique<Beat>(rhythm, mean, random));
}

void Adversary::beat(std::unique_ptr<Beat> next) {
  const Duration wait = next->random.exponential(next->mean);
  later(wait, [this, next = std::move(next)]() mutable {
    if (world_.now() >= until_) return;
    make_strike(next->rhythm);
    beat(std::move(next));
  });
}

void Adversary::make_strike(const Rhythm& rhythm) {
  const std::uint64_t number = next_strike_++;
  if (!options_.strikes.contains(number)) return;
  strikes_.push_back(number);
  random_ = options_.random.fork("strike", number);
  world_.note("strike " + std::to_string(number) + " " + to_string(rhythm.family));
  (this->*rhythm.strike)();
}

// --- the network -------------------------------------------------------------------------------

void Adversary::set_messages() {
  unsigned kind = 0;
  const auto on = [this, &kind] { return drawn(FaultFamily::kMessages, kind++); };
  const bool loss = on(), duplicate = on(), reorder = on(), corrupt = on(), truncate = on(),
             replay = on(), slow = on(), tail = on(), thin = on();
  const auto some = [this](bool wanted, double most) {
    // Mostly little: what loses a third of everything hides what a single loss would show.
    const double share = random_.fraction();
    return wanted && random_.chance(0.5) ? most * share * share * share : 0.0;
  };
  for (const std::uint32_t from : nodes_) {
    for (const std::uint32_t to : nodes_) {
      if (from == to || !random_.chance(0.7)) continue;
      NetworkFaults faults = world_.wire().faults(from, to);
      faults.loss = some(loss, 0.3);
      faults.duplicate = some(duplicate, 0.2);
      faults.reorder = some(reorder, 0.2);
      faults.corrupt = some(corrupt, 0.05);
      faults.truncate = some(truncate, 0.05);
      faults.replay = some(replay, 0.2);
      faults.delay_mean = microseconds(50);
      if (slow) {
        faults.delay_mean =
            draw_time(microseconds(50), milliseconds(random_.chance(0.1) ? 200 : 5));
      }
      faults.tail = some(tail, 0.05);
      faults.tail_mean = draw_time(milliseconds(1), seconds(2));
      faults.bytes_per_second = thin && random_.chance(0.1) ? 100'000 : 0;
      world_.wire().set_faults(from, to, faults);
    }
  }
}

void Adversary::break_links() {
  if (nodes_.size() < 2) return;
  ++counters_.resets;
  const std::uint32_t a = any_node();
  std::uint32_t b = any_node();
  while (b == a) b = any_node();
  switch (options_.menu.choose(FaultFamily::kLinks, 3, random_)) {
    case 0:
      world_.note("links reset");
      world_.wire().reset(a, b);
      break;
    case 1:
      world_.note("links half open");
      world_.wire().reset_end(a, b);
      break;
    default: {
      // In the middle of what is sent, again and again.
      world_.note("links break");
      NetworkFaults faults = world_.wire().faults(a, b);
      faults.reset = 0.02 * random_.fraction();
      world_.wire().set_faults(a, b, faults);
      later(draw_time(milliseconds(100), seconds(20)), [this, a, b] {
        NetworkFaults healed = world_.wire().faults(a, b);
        healed.reset = 0;
        world_.wire().set_faults(a, b, healed);
      });
    }
  }
}

void Adversary::set_streams() {
  const bool reset = drawn(FaultFamily::kStreams, 0);
  const bool chop = drawn(FaultFamily::kStreams, 1);
  const bool loss = drawn(FaultFamily::kStreams, 2);
  for (const std::uint32_t node : nodes_) {
    for (const std::uint32_t client : clients_) {
      for (const auto& [from, to] : {std::pair{node, client}, std::pair{client, node}}) {
        NetworkFaults faults = world_.wire().faults(from, to);
        faults.reset = reset && random_.chance(0.3) ? 0.01 * random_.fraction() : 0;
        faults.chop = chop && random_.chance(0.5) ? random_.fraction() : 0;
        faults.loss = loss && random_.chance(0.3) ? 0.05 * random_.fraction() : 0;
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
  if (drawn(FaultFamily::kCuts, kPartitionShapes) && random_.chance(kOneByOneShare)) {
    cut_one_by_one();
    return;
  }
  const auto shape = static_cast<PartitionShape>(
      options_.menu.choose(FaultFamily::kCuts, kPartitionShapes, random_));
  Cuts cuts = draw_partition(shape, nodes_, random_);
  world_.note(std::string("cut ") + to_string(shape));
  apply(cuts, true);
  const bool flaps = drawn(FaultFamily::kCuts, kPartitionShapes + 1) && random_.chance(kFlapShare);
  const int times = flaps ? 1 + static_cast<int>(random_.below(20)) : 0;
  const Duration longest = flaps ? seconds(2) : std::max(seconds(1), (until_ - world_.now()) / 2);
  const Duration very_long = flaps ? Duration{} : draw_very_long("very long cut", kLongestCut);
  flap(std::make_unique<Flap>(std::move(cuts), times, longest, random_, very_long));
}

// Nodes leave one after the other, and come back in another order.
void Adversary::cut_one_by_one() {
  world_.note("cut one by one");
  const Duration step = draw_time(milliseconds(20), seconds(5));
  const std::size_t count = 1 + random_.below(nodes_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t node = any_node();
    Cuts cuts;
    for (const std::uint32_t other : nodes_) {
      if (other == node) continue;
      cuts.emplace_back(node, other);
      cuts.emplace_back(other, node);
    }
    const Duration end = step * static_cast<std::int64_t>(count + random_.below(2 * count));
    auto held = std::make_unique<Cuts>(cuts);
    later(step * static_cast<std::int64_t>(i),
          [this, held = std::move(held)] { apply(*held, true); });
    later(end, [this, cuts = std::make_unique<Cuts>(std::move(cuts))] { apply(*cuts, false); });
  }
}

// Heals after a while, and cuts again as often as it flaps.
void Adversary::flap(std::unique_ptr<Flap> cut) {
  Duration lasts = draw_between(cut->random, milliseconds(20), cut->longest);
  if (cut->lasts.ns > 0) lasts = std::exchange(cut->lasts, {});
  later(lasts, [this, cut = std::move(cut)]() mutable {
    world_.note("cut heals");
    apply(cut->cuts, false);
    if (cut->times == 0) return;
    const Duration whole = draw_between(cut->random, milliseconds(20), seconds(2));
    later(whole, [this, cut = std::move(cut)]() mutable {
      apply(cut->cuts, true);
      --cut->times;
      flap(std::move(cut));
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
  const Duration longest = std::max(seconds(1), (until_ - world_.now()) / 2);
  flap(std::make_unique<Flap>(std::move(cuts), 0, longest, random_));
}

// --- processes ---------------------------------------------------------------------------------

void Adversary::start_if_down(std::uint32_t node) {
  std::erase(stopping_, node);
  if (!world_.host(node).running()) control_.start(node);
}

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
  const Duration down = draw_time(milliseconds(1), longest);
  // Now and then it dies again while it starts.
  const Duration up = draw_time(microseconds(1), milliseconds(20));
  const bool again = random_.chance(kDiesAgainShare);
  later(down, [this, node, power, up, again] {
    if (world_.host(node).running()) return;
    start_if_down(node);
    if (!again) return;
    later(up, [this, node, power, up] {
      if (!world_.host(node).running()) return;
      power ? world_.host(node).crash() : world_.host(node).kill();
      later(up, [this, node] { start_if_down(node); });
    });
  });
}

void Adversary::crash() {
  if (drawn(FaultFamily::kCrash, 0) && random_.chance(kAllAtOnceShare)) {
    for (const std::uint32_t node : nodes_) take_down(node, true);
  } else {
    take_down(any_node(), true);
  }
}

void Adversary::kill() {
  if (drawn(FaultFamily::kKill, 0) && random_.chance(kAllAtOnceShare)) {
    for (const std::uint32_t node : nodes_) take_down(node, false);
  } else {
    take_down(any_node(), false);
  }
}

void Adversary::restart() {
  const Duration patience = draw_time(milliseconds(10), seconds(5));
  if (!drawn(FaultFamily::kRestart, 0) || !random_.chance(kAllInTurnShare)) {
    restart_one(any_node(), patience);
    return;
  }
  const Duration step = draw_time(milliseconds(100), seconds(10));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    later(step * static_cast<std::int64_t>(i),
          [this, node = nodes_[i], patience] { restart_one(node, patience); });
  }
}

// Whoever has not ended by then is killed, as those who start services do.
void Adversary::restart_one(std::uint32_t node, Duration patience) {
  Host& host = world_.host(node);
  if (!host.running() || std::ranges::find(stopping_, node) != stopping_.end()) return;
  ++counters_.restarts;
  world_.note("stop " + host.name());
  stopping_.push_back(node);
  control_.stop(node);
  later(patience, [this, node] {
    if (std::ranges::find(stopping_, node) == stopping_.end()) return;  // died and was started
    world_.host(node).kill();
    start_if_down(node);
  });
}

void Adversary::pause() {
  if (drawn(FaultFamily::kPause, 0) && random_.chance(kAllAtOnceShare)) {
    for (const std::uint32_t node : nodes_) pause_one(node);
  } else {
    pause_one(any_node());
  }
}

void Adversary::pause_one(std::uint32_t node) {
  Host& host = world_.host(node);
  if (!host.running() || host.paused()) return;
  ++counters_.pauses;
  world_.note("pause " + host.name());
  host.pause();
  const Duration longest = std::max(milliseconds(10), (until_ - world_.now()) / 2);
  Duration lasts = draw_time(milliseconds(1), longest);
  lasts = std::max(lasts, draw_very_long("very long pause", kLongestPause));
  // A process that was started meanwhile is not paused, and resuming it does nothing.
  later(lasts, [this, node] { world_.host(node).resume(); });
}

// --- machines ----------------------------------------------------------------------------------

void Adversary::harm_disk(std::uint32_t node, const DiskFaults& faults, const char* what) {
  world_.note(std::string(what) + " " + world_.host(node).name());
  world_.host(node).disk().faults = faults;
  later(draw_time(milliseconds(100), kHarmedFor), [this, node] {
    DiskImage& disk = world_.host(node).disk();
    disk.faults = DiskFaults{};
    // On one node of the run, what fails for ever fails until all is healed.
    if (node != loser_) disk.mend();
  });
}

void Adversary::slow_disk() {
  ++counters_.slow;
  const std::uint32_t node = any_node();
  DiskFaults faults = world_.host(node).disk().faults;
  if (drawn(FaultFamily::kDisk, 0)) {
    faults.sync_mean = draw_time(milliseconds(1), milliseconds(500));
    faults.sync_tail = 0.05 * random_.fraction();
    faults.sync_tail_mean = draw_time(milliseconds(10), seconds(10));
  }
  if (drawn(FaultFamily::kDisk, 1)) {
    faults.call_cost = draw_time(microseconds(4), milliseconds(1));
  }
  harm_disk(node, faults, "slow disk");
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
  const std::uint32_t node = any_node();
  HostClock& clock = world_.host(node).clock();
  world_.note("clock " + world_.host(node).name());
  switch (options_.menu.choose(FaultFamily::kClock, 6, random_)) {
    case 0: clock.jump(random_.between(Duration{} - seconds(600), seconds(600))); break;
    case 1: clock.drift(world_.now(), random_.between(-10'000, 10'000)); break;
    case 2: clock.jump(random_.chance(0.5) ? kYear : Duration{} - kYear); break;
    case 3: clock.freeze(world_.now()); break;
    case 4: clock.jump(random_.chance(0.5) ? seconds(1) : Duration{} - seconds(1)); break;
    default: clock.set_right(); break;
  }
}

// --- disks that fail, and what stands on them ----------------------------------------------------

std::uint32_t Adversary::any_node_to_harm() {
  ++counters_.disk_faults;
  harmed_.push_back(any_node());
  return harmed_.back();
}

// What a failed sync has left only a new start cures (D31): of some nodes, somebody sees to that
// when their disks should work again.
void Adversary::cure_later(std::uint32_t node) {
  Random random = random_.fork("cure");
  if (!random.chance(0.5)) return;
  later(random.between(kHarmedFor, kHarmedFor * 2), [this, node] {
    Host& host = world_.host(node);
    if (!host.running()) return;
    world_.note("start again " + host.name());
    host.kill();
    start_if_down(node);
  });
}

void Adversary::fail_syncs() {
  const std::uint32_t node = any_node_to_harm();
  DiskFaults faults;
  faults.sync_fails = random_.chance(0.3) ? 1 : 0.1 * random_.fraction();
  faults.sync_forgets = drawn(FaultFamily::kFsync, 0) && random_.fork("forgets").chance(0.5);
  harm_disk(node, faults, "failing syncs");
  cure_later(node);
}

void Adversary::fail_calls() {
  const std::uint32_t node = any_node_to_harm();
  DiskFaults faults;
  const double share = random_.chance(0.2) ? 1 : 0.1 * random_.fraction();
  if (drawn(FaultFamily::kIo, 0)) faults.read_fails = share;
  if (drawn(FaultFamily::kIo, 1)) faults.write_fails = share;
  Random more = random_.fork("for ever");
  if (drawn(FaultFamily::kIo, 2) && more.chance(0.3)) faults.file_breaks = 0.05 * more.fraction();
  if (drawn(FaultFamily::kIo, 3) && more.chance(0.2)) {
    Host& host = world_.host(loser_);
    world_.note("read-only disk " + host.name());
    host.disk().read_only = true;
    harmed_.push_back(loser_);
  }
  harm_disk(node, faults, "failing disk");
  cure_later(node);
}

void Adversary::fill_disk() {
  const std::uint32_t node = any_node_to_harm();
  DiskFaults faults;
  faults.capacity = world_.host(node).disk().used_bytes() + random_.below(64 * 1024);
  Random more = random_.fork("any call");
  if (drawn(FaultFamily::kFull, 0) && more.chance(0.5)) faults.no_room = 0.3 * more.fraction();
  harm_disk(node, faults, "full disk");
  cure_later(node);
}

// Records by themselves: in some runs nothing else rots, so that nothing is lost.
bool Adversary::rots_records() const {
  if (!control_.spoil || cloned_ || !drawn(FaultFamily::kRot, 3)) return false;
  return !drawn(FaultFamily::kRot, 4) || random_.fork("rots records").chance(kRecordShare);
}

void Adversary::rot() {
  if (nodes_.size() == 1) return;
  ++counters_.disk_faults;
  Host& host = world_.host(loser_);
  if (rots_records()) {
    // The node knows of each that it cannot read, and gets it back: it answers for all it has.
    world_.note("records rot " + host.name());
    control_.spoil(loser_, random_.fork("records"));
    return;
  }
  switch (options_.menu.choose(FaultFamily::kRot, 3, random_)) {
    case 0:
      world_.note("rot " + host.name());
      host.disk().rot();
      ++spoilt_;
      break;
    case 1:
      world_.note("misdirected write " + host.name());
      host.disk().misdirect_next();
      spoilt_ += 2;  // where it goes, and where it is missing
      break;
    default:
      world_.note("stale read " + host.name());
      host.disk().go_stale();
      ++spoilt_;
  }
  note_loss();  // a log whose end is spoilt looks like one that was never written to the end
}

void Adversary::replace_disk(std::uint32_t node) {
  Host& host = world_.host(node);
  world_.note("new disk " + host.name());
  host.disk().wipe();
  spoilt_ = 0;
  cloned_ = false;
  note_loss();
}

// As by somebody who set up a machine from another one's backup.
void Adversary::clone_disk() {
  Host& host = world_.host(loser_);
  Random random = random_.fork("original");
  std::uint32_t original = loser_;
  while (original == loser_) original = nodes_[random.below(nodes_.size())];
  world_.note("clone of " + world_.host(original).name() + " at " + host.name());
  host.kill();
  host.disk().become_copy_of(world_.host(original).disk());
  spoilt_ = 0;
  cloned_ = true;
  note_loss();
  const bool runs = random_.fork("running copy").chance(kRunningCopyShare);
  if (control_.start_copy && runs && doubled_.empty()) {
    run_copy(original);
    return;
  }
  later(random.between(milliseconds(1), seconds(5)), [this] { start_if_down(loser_); });
}

// Somebody starts what stands on the copied disk as it is, and finds out later. Whoever ran as the
// node is started again then, since its peers may refuse both (D3); the copy gets an empty disk.
void Adversary::run_copy(std::uint32_t original) {
  world_.note("copy of " + world_.host(original).name() + " runs at " + world_.host(loser_).name());
  control_.start_copy(loser_, original);
  doubled_ = {loser_, original};
  const Duration runs = random_.fork("copy runs").between(seconds(1), kCopyRuns);
  later(runs, [this, original] { end_copy(original); });
}

void Adversary::end_copy(std::uint32_t original) {
  world_.note("end of the copy of " + world_.host(original).name());
  doubled_.clear();
  for (const std::uint32_t node : {loser_, original}) {
    Host& host = world_.host(node);
    if (host.running()) host.kill();
    start_if_down(node);
  }
  if (control_.copy_ended) control_.copy_ended(loser_, original);
}

void Adversary::wipe() {
  if (nodes_.size() == 1) return;  // nothing would be left
  ++counters_.disk_faults;
  if (drawn(FaultFamily::kWipe, 2) && random_.fork("clone").chance(kCloneShare)) {
    clone_disk();
    return;
  }
  const std::uint32_t node = loser_;
  Host& host = world_.host(node);
  if (options_.menu.choose(FaultFamily::kWipe, 2, random_) == 0) {
    world_.note("wipe " + host.name());
    host.kill();
    host.disk().wipe();
    spoilt_ = 0;
    cloned_ = false;
    note_loss();
  } else {
    // What is there now comes back later, as from a backup, under the same name.
    world_.note("image " + host.name());
    const Duration age = share_of_rest(milliseconds(100), 2);
    host.disk().keep_image();
    image_spoilt_ = spoilt_;
    image_cloned_ = cloned_;
    later(age, [this, node] {
      Host& old = world_.host(node);
      world_.note("old image " + old.name());
      old.kill();
      old.disk().restore_image();
      spoilt_ = image_spoilt_;
      cloned_ = image_cloned_;
      note_loss();
      start_if_down(node);
    });
    return;
  }
  later(draw_time(milliseconds(1), seconds(10)), [this, node] { start_if_down(node); });
}

// --- the end -----------------------------------------------------------------------------------

// Whatever is wrong with a node itself.
void Adversary::mend(std::uint32_t node) {
  Host& host = world_.host(node);
  host.clock().set_right();
  host.set_slowness(1);
  host.disk().faults = DiskFaults{};
  host.disk().mend();
  host.resume();
  const bool ends = std::erase(stopping_, node) > 0;
  const bool harmed = std::erase(harmed_, node) > 0;
  const bool doubled = std::erase(doubled_, node) > 0;
  if (ends || harmed || doubled) host.kill();
  start_if_down(node);
}

void Adversary::heal() {
  active_ = false;
  world_.note("heal");
  world_.buggify().on = false;
  world_.wire().heal();
  world_.wire().set_faults(NetworkFaults{});
  for (const std::uint32_t node : nodes_) mend(node);
  tell();
}

// How a node is kept away. Without power only where that may happen: copies that are not synced go
// with it.
FaultFamily Adversary::draw_exile(Random& random) const {
  constexpr FaultFamily kWays[] = {FaultFamily::kCuts, FaultFamily::kKill, FaultFamily::kCrash};
  std::vector<FaultFamily> ways;
  for (const FaultFamily way : kWays) {
    if (has(options_.families, way)) ways.push_back(way);
  }
  return ways.empty() ? FaultFamily::kCuts : ways[random.below(ways.size())];
}

// These reach nobody and nobody reaches them; everybody else reaches everybody.
void Adversary::set_apart(std::span<const std::uint32_t> cut_off) {
  const auto apart = [cut_off](std::uint32_t host) {
    return std::ranges::find(cut_off, host) != cut_off.end();
  };
  for (std::uint32_t from = 0; from < world_.hosts(); ++from) {
    for (std::uint32_t to = 0; to < world_.hosts(); ++to) {
      world_.wire().set_cut(from, to, from != to && (apart(from) || apart(to)));
    }
  }
}

void Adversary::heal_core(std::span<const std::uint32_t> core) {
  active_ = false;
  world_.buggify().on = false;
  world_.wire().set_faults(NetworkFaults{});
  Random random = options_.random.fork("outside the core");
  std::vector<std::uint32_t> others;
  std::vector<std::uint32_t> cut_off;
  std::string note = "heal core; outside";
  for (const std::uint32_t node : nodes_) {
    if (std::ranges::find(core, node) != core.end()) continue;
    others.push_back(node);
    Host& host = world_.host(node);
    const FaultFamily way = draw_exile(random);
    note.append(" ").append(host.name()).append(" ").append(to_string(way));
    if (way == FaultFamily::kCuts) cut_off.push_back(node);
    if (way == FaultFamily::kKill) host.kill();
    if (way == FaultFamily::kCrash) host.crash();
  }
  world_.note(note);
  set_apart(cut_off);
  // With settings of all kinds nobody need wait for the silence of one that is gone: where all that
  // a request may take is less than two hedges, it would end with that.
  if (has(options_.families, FaultFamily::kLimits)) {
    for (const std::uint32_t node : others) {
      for (std::uint32_t host = 0; host < world_.hosts(); ++host) {
        if (host != node) world_.wire().reset(node, host);
      }
    }
  }
  for (const std::uint32_t node : core) mend(node);
  tell();
}

}  // namespace stator::sim
