#include <time.h>

#include <charconv>
#include <string>

#include "limit/node.h"

namespace stator::limit {

namespace {

// W of the quorum, the own copy included; R = 2 is the own copy and the first answer of a peer.
constexpr std::uint8_t kCopiesNeeded = 2;
constexpr std::size_t kKeySizeMax = 65'535;  // the frame header has 16 bits for it

// Versions follow the wall clock, so that a write through one node supersedes an earlier one
// through another; next_version breaks ties.
std::uint64_t mint_version(std::uint64_t previous, std::uint32_t node) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::uint64_t now_us = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
                               static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
  return std::max(next_version(previous, node), (now_us << 2) | node);
}

void append_bulk(Buffer& out, std::string_view bytes) {
  char* area = out.write_area(bytes.size() + 32);
  char* end = area;
  *end++ = '$';
  end = std::to_chars(end, area + 24, bytes.size()).ptr;
  *end++ = '\r';
  *end++ = '\n';
  if (!bytes.empty()) std::memcpy(end, bytes.data(), bytes.size());
  end += bytes.size();
  *end++ = '\r';
  *end++ = '\n';
  out.wrote(static_cast<std::size_t>(end - area));
}

}  // namespace

void Node::read_commands(Connection& client) {
  Command command;
  while (!client.paused) {
    const ParseResult result = parse_command(client.in.view(), command);
    if (result == ParseResult::kIncomplete) return;
    if (result == ParseResult::kMalformed) {
      client.out.append("-ERR Protocol error: an array of at most 8 bulk strings is expected\r\n");
      flush(client);
      if (client.socket.get() >= 0) close_connection(client);
      return;
    }
    if (!execute(client, command)) {
      client.paused = true;
      return;
    }
    client.in.consume(command.bytes);
  }
}

// False when the command must wait until all before it are answered.
bool Node::execute(Connection& client, const Command& command) {
  const auto& arguments = command.arguments;
  const bool key_fits = command.argument_count > 1 && arguments[1].size() <= kKeySizeMax;
  if (key_fits && command.argument_count == 2 && command.is("GET")) {
    submit_get(client, arguments[1]);
    return true;
  }
  if (key_fits && command.argument_count == 3 && command.is("SET")) {
    submit_set(client, arguments[1], arguments[2]);
    return true;
  }
  if (!client.pending.empty()) return false;
  execute_other(client, command);
  return true;
}

void Node::execute_other(Connection& client, const Command& command) {
  mark_dirty(client);
  if (command.is("PING")) {
    client.out.append("+PONG\r\n");
  } else if (command.is("CONFIG") && command.argument_count == 3) {
    // Load generators ask for `save` and `appendonly` to print them: neither exists here.
    client.out.append("*2\r\n");
    append_bulk(client.out, command.arguments[2]);
    append_bulk(client.out, "");
  } else if (command.is("COMMAND")) {
    client.out.append("*0\r\n");
  } else if (command.is("STATS")) {
    append_bulk(client.out, describe(counters_));
  } else {
    client.out.append("-ERR only GET key, SET key value, PING, CONFIG GET, COMMAND and STATS\r\n");
  }
}

void Node::submit_set(Connection& client, std::string_view key, std::string_view value) {
  Record& record = store_.at(key);
  const std::uint64_t version = mint_version(record.version, options_.node);
  Store::merge(record, version, value);
  const bool logged = options_.durability != Durability::kMemory;
  Operation operation;
  operation.acks = logged ? 0 : 1;
  operation.client = client.id;
  operation.record = &record;
  const OperationId id = operations_.add(operation);
  client.pending.push(id);
  if (logged) log_waiters_.push({log_->append(version, key, value), nullptr, id});

  FrameHeader put;
  put.type = FrameType::kPut;
  put.slot = id.slot;
  put.generation = id.generation;
  put.version = version;
  for (Connection* peer : peers_) {
    append_frame(peer->out, put, key, value);
    mark_dirty(*peer);
  }
}

void Node::submit_get(Connection& client, std::string_view key) {
  Operation operation;
  operation.is_get = true;
  operation.client = client.id;
  operation.record = &store_.at(key);
  const OperationId id = operations_.add(operation);
  client.pending.push(id);

  FrameHeader get;
  get.type = options_.read_digest ? FrameType::kGetDigest : FrameType::kGetFull;
  get.slot = id.slot;
  get.generation = id.generation;
  // Where one peer is enough, all reads of a turn ask the same one: fewer packets and wake-ups.
  for (std::uint32_t i = 0; i < options_.read_fan; ++i) {
    Connection& peer = *peers_[(counters_.turns + i) % peers_.size()];
    append_frame(peer.out, get, key);
    mark_dirty(peer);
  }
}

// Answers all operations of the client that have nothing unfinished before them.
void Node::finish(Operation& operation) {
  operation.done = true;
  Connection* client = find(operation.client);
  STATOR_ASSERT(client != nullptr);  // closing a connection removes its operations
  while (!client->pending.empty()) {
    const OperationId id = client->pending.front();
    const Operation* first = operations_.find(id);
    STATOR_ASSERT(first != nullptr);
    if (!first->done) break;
    answer(*client, *first);
    client->pending.pop();
    operations_.remove(id);
  }
  if (client->paused && client->pending.empty()) {
    client->paused = false;
    read_commands(*client);
  }
}

// A get is answered from the own record, which by now holds the newest of R answers.
void Node::answer(Connection& client, const Operation& operation) {
  mark_dirty(client);
  if (!operation.is_get) {
    ++counters_.sets;
    client.out.append("+OK\r\n");
    return;
  }
  ++counters_.gets;
  if (operation.record->version == 0) {
    client.out.append("$-1\r\n");
  } else {
    append_bulk(client.out, operation.record->value);
  }
}

void Node::count_copy(OperationId id) {
  Operation* operation = operations_.find(id);
  if (operation == nullptr || operation->done) return;  // the third copy, after the answer
  if (++operation->acks == kCopiesNeeded) finish(*operation);
}

}  // namespace stator::limit
