#include "core/version/world.h"

#include <algorithm>

#include "base/bytes.h"
#include "core/version/object_codec.h"

namespace stator::testing {
namespace {

constexpr WallTime kNow{1'800'000'000'000'000};

constexpr std::uint64_t bit(std::size_t write) {
  return std::uint64_t{1} << write;
}

Action action(ActionKind kind, std::size_t a, std::size_t b = 0, std::size_t c = 0) {
  return {kind, static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
          static_cast<std::uint8_t>(c)};
}

bool has_content(const Object& object) {
  return !object.empty() || !object.guards.empty();
}

}  // namespace

std::string describe(const Action& action) {
  static constexpr const char* kNames[] = {
      "read",       "put",         "blind put",        "plain set",    "retry",     "acknowledge",
      "push",       "send",        "deliver and keep", "deliver",      "hand over", "restart",
      "take image", "lose record", "lose disk",        "restore image"};
  return std::string(kNames[static_cast<std::size_t>(action.kind)]) + " " +
         std::to_string(action.a) + " " + std::to_string(action.b) + " " + std::to_string(action.c);
}

World::World(const WorldLimits& limits)
    : limits_(limits), nodes_(limits.nodes), clients_(limits.clients), messages_(limits.messages) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) restart(i);
}

std::size_t World::index_of(const WriteId& id) {
  return static_cast<std::size_t>(id.low & 0xFFFF);
}

World::Writes World::history_of(const Object& object) const {
  Writes all = 0;
  for (const Version& version : object.versions) {
    const std::size_t write = index_of(version.write_id);
    all |= bit(write) | writes_[write].past;
  }
  return all;
}

void World::restart(std::size_t node) {
  Node& one = nodes_[node];
  one.life = {{(node + 1) * 1000 + one.starts++}, 0};
  one.counter = 0;
}

void World::note_dot(const Dot& dot) {
  if (std::ranges::find(dots_, dot) != dots_.end()) dot_used_twice_ = true;
  dots_.push_back(dot);
}

Dot World::next_dot(Node& node, const Context& context) {
  const Dot dot = choose_dot(node.object, context, node.life, ++node.counter);
  node.life = dot.actor;
  note_dot(dot);
  return dot;
}

bool World::mint(std::size_t write, Node& node) {
  WriteFacts& facts = writes_[write];
  const PutEffect effect = probe(node.object, facts.write.id);
  if (effect == PutEffect::kMinted) {
    if (facts.over_all) {
      facts.past |= history_of(node.object) & ~bit(write);
      put_over_all(node.object, facts.write, next_dot(node, {}), kNow);
    } else {
      put(node.object, facts.write, facts.context, next_dot(node, facts.context), kNow);
    }
  }
  return effect != PutEffect::kAlreadySuperseded;
}

// Nobody has answered yet, and nobody has overwritten it meanwhile.
bool World::waits(std::size_t write) const {
  const WriteFacts& facts = writes_[write];
  return !facts.acknowledged && nodes_[facts.minted_at].object.find(facts.write.id) != nullptr;
}

void World::renew(std::size_t write, std::size_t node) {
  Object& here = nodes_[node].object;
  WriteFacts& facts = writes_[write];
  const Object before = here;
  const bool renewed = restamp(here, facts.write.id, next_dot(nodes_[node], {}), {});
  if (!renewed || here.latest()->write_id != facts.write.id) not_renewed_ = true;
  for (const Version& version : before.versions) {
    if (here.find(version.write_id) != nullptr) continue;
    const std::size_t covered = index_of(version.write_id);
    facts.past |= bit(covered) | writes_[covered].past;
  }
}

// The partner stores the object and answers with its own; what that shows is covered by a plain
// write before anybody hears of it.
void World::acknowledge(std::size_t write, std::size_t node, std::size_t partner) {
  Object& here = nodes_[node].object;
  Object& there = nodes_[partner].object;
  WriteFacts& facts = writes_[write];
  const Dot minted = here.find(facts.write.id)->dot;
  merge(there, here);
  if (facts.over_all) {
    merge(here, there);
    const Version* live = here.find(facts.write.id);
    const bool ours = live != nullptr && live->dot.actor == nodes_[node].life;
    if (ours && here.versions.size() > 1) renew(write, node);
    merge(there, here);
  }
  const Version* live = here.find(facts.write.id);
  acknowledged_.push_back(live != nullptr ? live->dot : minted);
  facts.acknowledged = true;
}

void World::execute(std::size_t write, std::size_t node, std::size_t partner, Client* client) {
  if (!mint(write, nodes_[node])) return;
  Version own = *nodes_[node].object.find(writes_[write].write.id);
  if (partner == node) return;
  acknowledge(write, node, partner);
  if (client == nullptr) return;
  const Version* live = nodes_[node].object.find(own.write_id);
  if (live != nullptr) own = *live;
  extend_context(client->context, own);
  client->past |= bit(write) | writes_[write].past;
}

void World::new_write(const Action& next) {
  const bool over_all = next.kind == ActionKind::kPlainSet;
  const std::size_t index = writes_.size();
  Client& client = clients_[next.a];
  WriteFacts facts;
  // Ids rise with time in life, but clients' clocks differ: the order of ids must not matter.
  facts.write.id = WriteId::make(static_cast<std::uint64_t>(kNow.ms()) + index * 7 % 5,
                                 over_all ? WriteId::kMintedOnce : WriteId::kRetryable, 0, index);
  facts.write.time = {1000 - index * 3 % 7};  // and so do the nodes'
  facts.over_all = over_all;
  facts.minted_at = next.b;
  if (next.kind == ActionKind::kPut) {
    facts.context = client.context;
    facts.past = client.past;
  }
  writes_.push_back(facts);
  execute(index, next.b, next.c, next.kind == ActionKind::kPut ? &client : nullptr);
}

// Faults are tolerated as long as another node still holds what was acknowledged, and remembers
// the guards: with W = 2 that excludes losing two records of one key within the retry window.
bool World::may_become(std::size_t node, const Object& remaining) const {
  const auto held = [&](auto knows) {
    if (knows(remaining)) return true;
    for (std::size_t other = 0; other < nodes_.size(); ++other) {
      if (other != node && knows(nodes_[other].object)) return true;
    }
    return false;
  };
  for (const Dot& dot : acknowledged_) {
    if (!held([&](const Object& object) { return object.clock.covers(dot); })) return false;
  }
  for (const WriteId& id : nodes_[node].object.guards) {
    if (!held([&](const Object& object) { return object.guards_id(id); })) return false;
  }
  return true;
}

void World::put_actions(std::vector<Action>& out) const {
  for (std::size_t client = 0; client < clients_.size(); ++client) {
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (has_content(nodes_[node].object)) out.push_back(action(ActionKind::kRead, client, node));
      if (writes_.size() == limits_.writes) continue;
      for (std::size_t partner = 0; partner < nodes_.size(); ++partner) {
        if (!clients_[client].context.empty()) {
          out.push_back(action(ActionKind::kPut, client, node, partner));
        }
        if (client > 0) continue;  // the rest does not depend on the client
        for (const ActionKind kind : {ActionKind::kBlindPut, ActionKind::kPlainSet}) {
          out.push_back(action(kind, client, node, partner));
        }
      }
    }
  }
  for (std::size_t write = 0; write < writes_.size(); ++write) {
    if (!waits(write)) continue;
    for (std::size_t partner = 0; partner < nodes_.size(); ++partner) {
      if (partner == writes_[write].minted_at) continue;
      out.push_back(action(ActionKind::kAcknowledge, write, partner));
    }
  }
  if (retries_used_ == limits_.retries) return;
  for (std::size_t write = 0; write < writes_.size(); ++write) {
    if (!writes_[write].write.id.retryable()) continue;
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      for (std::size_t partner = 0; partner < nodes_.size(); ++partner) {
        out.push_back(action(ActionKind::kRetry, write, node, partner));
      }
    }
  }
}

void World::move_actions(std::vector<Action>& out) const {
  const auto idle = std::ranges::find(messages_, false, &Message::used);
  for (std::size_t from = 0; from < nodes_.size(); ++from) {
    if (!has_content(nodes_[from].object)) continue;
    for (std::size_t to = 0; to < nodes_.size(); ++to) {
      if (from == to) continue;
      out.push_back(action(ActionKind::kPush, from, to));
      if (handovers_used_ < limits_.handovers) {
        out.push_back(action(ActionKind::kHandOver, from, to));
      }
      if (idle != messages_.end()) out.push_back(action(ActionKind::kSend, from, to));
    }
  }
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    if (!messages_[i].used) continue;
    out.push_back(action(ActionKind::kDeliver, i));
    out.push_back(action(ActionKind::kDeliverAndDrop, i));
  }
}

void World::fault_actions(std::vector<Action>& out) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (restarts_used_ < limits_.restarts && node.life.life != 0) {
      out.push_back(action(ActionKind::kRestart, i));
    }
    if (losses_used_ == limits_.losses) continue;
    if (has_content(node.object) && may_become(i, {})) {
      out.push_back(action(ActionKind::kLoseRecord, i));
      out.push_back(action(ActionKind::kLoseDisk, i));
    }
    if (!limits_.images) continue;
    if (has_content(node.object)) out.push_back(action(ActionKind::kTakeImage, i));
    if (node.has_image && may_become(i, node.image)) {
      out.push_back(action(ActionKind::kRestoreImage, i));
    }
  }
}

void World::actions(std::vector<Action>& out) const {
  out.clear();
  put_actions(out);
  move_actions(out);
  fault_actions(out);
}

void World::apply(const Action& next) {
  switch (next.kind) {
    case ActionKind::kRead:
      make_context(nodes_[next.b].object, {}, clients_[next.a].context);
      clients_[next.a].past = history_of(nodes_[next.b].object);
      break;
    case ActionKind::kPut:
    case ActionKind::kBlindPut:
    case ActionKind::kPlainSet: new_write(next); break;
    case ActionKind::kRetry:
      ++retries_used_;
      execute(next.a, next.b, next.c, nullptr);
      break;
    case ActionKind::kAcknowledge: acknowledge(next.a, writes_[next.a].minted_at, next.b); break;
    case ActionKind::kPush: merge(nodes_[next.b].object, nodes_[next.a].object); break;
    case ActionKind::kSend:
      *std::ranges::find(messages_, false, &Message::used) = {true, next.b, nodes_[next.a].object};
      break;
    case ActionKind::kDeliver:
    case ActionKind::kDeliverAndDrop:
      merge(nodes_[messages_[next.a].to].object, messages_[next.a].object);
      if (next.kind == ActionKind::kDeliverAndDrop) messages_[next.a] = {};
      break;
    case ActionKind::kHandOver:
      ++handovers_used_;
      merge(nodes_[next.b].object, nodes_[next.a].object);
      nodes_[next.a].object = {};
      nodes_[next.a].life.life = 0;
      break;
    case ActionKind::kRestart:
      ++restarts_used_;
      restart(next.a);
      break;
    case ActionKind::kTakeImage:
      nodes_[next.a].image = nodes_[next.a].object;
      nodes_[next.a].has_image = true;
      break;
    case ActionKind::kLoseRecord:
    case ActionKind::kLoseDisk:
    case ActionKind::kRestoreImage:
      ++losses_used_;
      nodes_[next.a].object =
          next.kind == ActionKind::kRestoreImage ? nodes_[next.a].image : Object{};
      nodes_[next.a].life.life = 0;
      if (next.kind != ActionKind::kLoseRecord) restart(next.a);
      break;
  }
}

std::vector<World::Writes> World::closed_pasts() const {
  std::vector<Writes> pasts;
  for (const WriteFacts& facts : writes_) pasts.push_back(facts.past);
  for (bool grown = true; grown;) {
    grown = false;
    for (Writes& past : pasts) {
      Writes all = past;
      for (std::size_t i = 0; i < pasts.size(); ++i) {
        if ((past & bit(i)) != 0) all |= pasts[i];
      }
      grown = grown || all != past;
      past = all;
    }
  }
  return pasts;
}

std::optional<std::string> World::judge(const Object& settled) const {
  const std::vector<Writes> pasts = closed_pasts();
  Writes live = 0;
  Writes below = 0;   // superseded by something live
  Writes proven = 0;  // superseded by something live or acknowledged
  for (const Version& version : settled.versions) {
    const std::size_t write = index_of(version.write_id);
    if (write >= writes_.size()) return "I2: a write that nobody issued";
    if ((live & bit(write)) != 0) return "D7: two live versions of w" + std::to_string(write);
    live |= bit(write);
    below |= pasts[write];
  }
  Writes superseded = 0;  // by anything at all
  for (std::size_t i = 0; i < writes_.size(); ++i) {
    superseded |= pasts[i];
    if ((live & bit(i)) != 0 || writes_[i].acknowledged) proven |= pasts[i];
    if (writes_[i].acknowledged && ((live | below) & bit(i)) == 0) {
      return "I1: lost the acknowledged w" + std::to_string(i);
    }
  }
  if ((live & proven) != 0) return "I3: a false sibling";
  const Writes all = writes_.size() == 64 ? ~Writes{0} : bit(writes_.size()) - 1;
  if (losses_used_ == 0 && live != (all & ~superseded)) return "I3: not the maximal writes";
  return std::nullopt;
}

std::optional<std::string> World::violation() const {
  if (dot_used_twice_) return "I9: a dot used twice";
  if (not_renewed_) return "2.4: a plain write that is not the latest after its renewal";
  std::vector<Object> objects;
  for (const Node& node : nodes_) objects.push_back(node.object);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t from = 0; from < objects.size(); ++from) {
      for (std::size_t to = 0; to < objects.size(); ++to) {
        if (from != to) merge(objects[to], objects[from]);
      }
    }
  }
  for (const Object& object : objects) {
    if (digest(object) != digest(objects[0])) return "I4: replicas differ";
    if (object.guards != objects[0].guards) return "I4: guards differ";
  }
  return judge(objects[0]);
}

std::string World::key() const {
  std::string out;
  for (const Node& node : nodes_) {
    encode_object(node.object, out);
    append_u64(out, node.life.incarnation.value);
    append_u64(out, node.life.life);
    append_u64(out, node.counter);
    append_u8(out, node.has_image ? 1 : 0);
    if (node.has_image) encode_object(node.image, out);
  }
  for (const Client& client : clients_) {
    encode_context(client.context, {}, {}, 0, out);
    append_u64(out, client.past);
  }
  for (const WriteFacts& facts : writes_) {
    encode_context(facts.context, {}, {}, 0, out);
    append_u64(out, facts.past);
    append_u64(out, facts.write.id.high);
    append_u8(out,
              static_cast<std::uint8_t>((facts.over_all ? 1 : 0) | (facts.acknowledged ? 2 : 0) |
                                        (facts.minted_at << 2)));
  }
  for (const Message& message : messages_) {
    append_u8(out, message.used ? static_cast<std::uint8_t>(message.to + 1) : 0);
    if (message.used) encode_object(message.object, out);
  }
  std::vector<Dot> acknowledged = acknowledged_;
  std::ranges::sort(acknowledged);
  for (const Dot& dot : acknowledged) {
    append_u64(out, dot.actor.incarnation.value);
    append_u64(out, dot.actor.life);
    append_u64(out, dot.counter);
  }
  for (const unsigned used : {retries_used_, losses_used_, restarts_used_, handovers_used_}) {
    append_u32(out, used);
  }
  return out;
}

std::string World::show() const {
  std::string out;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Object& object = nodes_[i].object;
    out += " n" + std::to_string(i) + "={";
    for (const Version& version : object.versions) {
      out += "w" + std::to_string(index_of(version.write_id)) + "@" +
             std::to_string(version.dot.actor.incarnation.value) + "." +
             std::to_string(version.dot.actor.life) + ":" + std::to_string(version.first_counter) +
             "-" + std::to_string(version.dot.counter) + " ";
    }
    out += "|";
    for (const Dot& dot : object.clock.entries()) {
      out += " " + std::to_string(dot.actor.incarnation.value) + "." +
             std::to_string(dot.actor.life) + ":" + std::to_string(dot.counter);
    }
    out += " | cloud " + std::to_string(object.cloud.size()) + " guards";
    for (const WriteId& id : object.guards) out += " w" + std::to_string(index_of(id));
    out += "}";
  }
  return out;
}

}  // namespace stator::testing
