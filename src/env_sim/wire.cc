#include "env_sim/wire.h"

#include <algorithm>
#include <utility>

#include "env_sim/network.h"
#include "env_sim/world.h"

namespace stator::sim {
namespace {

constexpr std::size_t kKeptFrames = 16;
constexpr double kKeepFrame = 0.1;

// A packet's share of the trace: equal bytes on equal paths at equal times are equal events.
std::uint64_t hash_of(const Packet& packet) {
  return hash64(packet.bytes, packet.ends.size());
}

}  // namespace

Wire::Wire(World& world, Random random) : world_(world), random_(random) {}

PacketPool& Wire::packets() {
  return world_.packets();
}

void Wire::host_added(const std::string& name) {
  names_[name] = static_cast<std::uint32_t>(hosts_);
  ++hosts_;
  STATOR_ASSERT(world_.now().ns == 0);  // the table of paths is laid out anew
  paths_.clear();
  paths_.resize(hosts_ * hosts_);
}

void Wire::set_faults(const NetworkFaults& faults) {
  for (Path& each : paths_) each.faults = faults;
}

void Wire::set_faults(std::uint32_t from, std::uint32_t to, const NetworkFaults& faults) {
  path(from, to).faults = faults;
}

const NetworkFaults& Wire::faults(std::uint32_t from, std::uint32_t to) {
  return path(from, to).faults;
}

void Wire::set_cut(std::uint32_t from, std::uint32_t to, bool cut) {
  if (from == to || path(from, to).cut == cut) return;
  path(from, to).cut = cut;
  check_connections(from, to);
}

void Wire::heal() {
  for (std::uint32_t from = 0; from < hosts_; ++from) {
    for (std::uint32_t to = 0; to < hosts_; ++to) set_cut(from, to, false);
  }
}

void Wire::check_connections(std::uint32_t a, std::uint32_t b) {
  const bool cut = path(a, b).cut || path(b, a).cut;
  for (const auto& [near, other] : {std::pair{a, b}, std::pair{b, a}}) {
    Process* process = world_.host(near).process();
    if (process == nullptr) continue;
    process->each_network([far = other, cut](ShardNetwork& each) { each.path_changed(far, cut); });
  }
}

void Wire::reset(std::uint32_t a, std::uint32_t b) {
  reset_end(a, b);
  reset_end(b, a);
}

void Wire::reset_end(std::uint32_t a, std::uint32_t b) {
  ++counters_.resets;
  ++path(a, b).resets;
  Process* process = world_.host(a).process();
  if (process == nullptr) return;
  process->each_network([b](ShardNetwork& each) { each.reset_all(b); });
}

void Wire::host_started(std::uint32_t host) {
  // The kernel answers what still comes for the process before: the peers learn that it is gone.
  for (std::uint32_t other = 0; other < hosts_; ++other) {
    if (other == host) continue;
    if (Process* process = world_.host(other).process()) {
      process->each_network([&](ShardNetwork& each) { each.peer_gone(host, nullptr, true); });
    }
  }
}

void Wire::process_ended(Process& process, bool reset_connections) {
  for (std::uint32_t other = 0; other < hosts_; ++other) {
    Process* peer = world_.host(other).process();
    if (peer == nullptr || peer == &process) continue;
    peer->each_network([&](ShardNetwork& each) {
      each.peer_gone(process.host().index(), &process, reset_connections);
    });
  }
}

std::uint32_t Wire::resolve(std::uint32_t from, const env::Address& address) const {
  if (address.host == "localhost" || address.host == "127.0.0.1") return from;
  const auto found = names_.find(address.host);
  return found == names_.end() ? kNowhere : found->second;
}

Duration Wire::delay(std::uint32_t from, std::uint32_t to) {
  const NetworkFaults& faults = path(from, to).faults;
  Duration delay = faults.delay_min + random_.exponential(faults.delay_mean);
  if (random_.chance(faults.tail)) delay = delay + random_.exponential(faults.tail_mean);
  return delay;
}

MonoTime Wire::arrival(std::uint32_t from, std::uint32_t to, std::size_t bytes) {
  Path& used = path(from, to);
  MonoTime leaves = world_.now();
  if (used.faults.bytes_per_second > 0) {
    leaves = std::max(leaves, used.free_at) +
             nanoseconds(static_cast<std::int64_t>(bytes * 1'000'000'000ULL /
                                                   used.faults.bytes_per_second));
    used.free_at = leaves;
  }
  return leaves + delay(from, to);
}

Duration Wire::keep_alive() {
  return random_.between(limits.keep_alive_min, limits.keep_alive_max);
}

MonoTime Wire::send_frames(ShardLoop& from, ShardLoop& to, std::uint16_t port, PacketRef packet,
                           MonoTime& in_order) {
  const std::uint32_t near = from.host().index();
  const std::uint32_t far = to.host().index();
  Path& used = path(near, far);
  counters_.frames += packet->ends.size();
  if (used.cut) {
    counters_.cut += packet->ends.size();
    return {INT64_MAX};
  }
  if (used.faults.bytes_per_second > 0 && used.free_at - world_.now() > used.faults.queue_max) {
    counters_.lost += packet->ends.size();
    return world_.now();
  }
  const MonoTime arrives = std::max(arrival(near, far, packet->bytes.size()), in_order);
  in_order = arrives;
  // The connection is given up before that, and what is under way with it.
  if (arrives - world_.now() > limits.keep_alive_min) {
    counters_.lost += packet->ends.size();
    return {INT64_MAX};
  }
  if (used.faults.replay > 0) maybe_replay(used, far, port, *packet);
  if (used.faults.frames_suffer()) suffer(used, to, port, *packet, arrives);
  if (packet->ends.empty()) return arrives;
  const std::uint64_t hash = hash_of(*packet);
  ShardNetwork* network = &to.network();
  to.schedule(
      arrives, EventKind::kFrames,
      [network, port, packet = std::move(packet)] { network->deliver(port, *packet); }, hash);
  return arrives;
}

void Wire::break_off(Packet& packet) {
  const std::uint64_t left = random_.below(packet.bytes.size() + 1);
  std::size_t whole = 0;
  std::uint32_t end = 0;
  while (whole < packet.ends.size() && packet.ends[whole] <= left) end = packet.ends[whole++];
  if (end < left) ++counters_.torn;
  packet.ends.resize(whole);
  packet.bytes.resize(end);
}

Wire::Fate Wire::draw_fate(const NetworkFaults& faults) {
  double draw = random_.fraction();
  const std::pair<double, Fate> table[] = {{faults.loss, Fate::kLost},
                                           {faults.duplicate, Fate::kDuplicated},
                                           {faults.reorder, Fate::kReordered},
                                           {faults.corrupt, Fate::kCorrupt},
                                           {faults.truncate, Fate::kTruncated}};
  for (const auto& [probability, fate] : table) {
    if (draw < probability) return fate;
    draw -= probability;
  }
  return Fate::kArrives;
}

// Takes out of the packet what does not simply arrive, and sends that on ways of its own.
void Wire::suffer(Path& path, ShardLoop& to, std::uint16_t port, Packet& packet, MonoTime arrives) {
  PacketRef whole(packets());
  std::uint32_t begin = 0;
  for (const std::uint32_t end : packet.ends) {
    const std::string_view frame = std::string_view(packet.bytes).substr(begin, end - begin);
    begin = end;
    const Duration later = random_.between(Duration{}, path.faults.reorder_delay_max);
    switch (draw_fate(path.faults)) {
      case Fate::kLost: ++counters_.lost; continue;
      case Fate::kReordered:
        ++counters_.reordered;
        send_alone(to, port, frame, arrives + later);
        continue;
      case Fate::kCorrupt: {
        ++counters_.corrupted;
        std::string damaged(frame);
        if (!damaged.empty()) {
          char& byte = damaged[random_.below(damaged.size())];
          byte = static_cast<char>(byte ^ (1 << random_.below(8)));
        }
        send_alone(to, port, damaged, arrives);
        continue;
      }
      case Fate::kTruncated:
        ++counters_.truncated;
        send_alone(to, port, frame.substr(0, random_.below(frame.size() + 1)), arrives);
        continue;
      case Fate::kDuplicated:
        ++counters_.duplicated;
        send_alone(to, port, frame, arrives + later);
        break;
      case Fate::kArrives: break;
    }
    whole->bytes.append(frame);
    whole->ends.push_back(static_cast<std::uint32_t>(whole->bytes.size()));
  }
  std::swap(packet, *whole);
}

void Wire::send_alone(ShardLoop& to, std::uint16_t port, std::string_view frame, MonoTime when) {
  PacketRef packet(packets());
  packet->bytes.assign(frame);
  packet->ends.push_back(static_cast<std::uint32_t>(frame.size()));
  const std::uint64_t hash = hash_of(*packet);
  ShardNetwork* network = &to.network();
  to.schedule(
      when, EventKind::kFrames,
      [network, port, packet = std::move(packet)] { network->deliver(port, *packet); }, hash);
}

void Wire::maybe_replay(Path& path, std::uint32_t to, std::uint16_t port, const Packet& packet) {
  if (random_.chance(kKeepFrame)) {
    const std::size_t end = packet.ends.front();
    if (path.kept.size() < kKeptFrames) {
      path.kept.emplace_back(packet.bytes, 0, end);
    } else {
      path.kept[random_.below(kKeptFrames)].assign(packet.bytes, 0, end);
    }
  }
  if (path.kept.empty() || !random_.chance(path.faults.replay)) return;
  ++counters_.replayed;
  PacketRef old(packets());
  old->bytes = path.kept[random_.below(path.kept.size())];
  old->ends.push_back(static_cast<std::uint32_t>(old->bytes.size()));
  const Duration later = random_.between(Duration{}, path.faults.replay_delay_max);
  world_.after(later, [this, &path, to, port, old = std::move(old)]() mutable {
    // Not when that fault has ended meanwhile.
    if (path.faults.replay > 0) replay(to, port, std::move(old));
  });
}

// Whoever listens there by now gets it, even another shard or a later process than the one that it
// was meant for.
void Wire::replay(std::uint32_t to, std::uint16_t port, PacketRef packet) {
  Process* process = world_.host(to).process();
  if (process == nullptr) return;
  SimListener* listener = process->listeners().next(ListenTable::Kind::kFrames, port);
  if (listener == nullptr) return;
  const std::uint64_t hash = hash_of(*packet);
  ShardNetwork* network = &listener->network();
  network->loop().schedule(
      world_.now(), EventKind::kFrames,
      [network, port, packet = std::move(packet)] { network->deliver(port, *packet); }, hash);
}

}  // namespace stator::sim
