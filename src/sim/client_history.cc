#include "sim/client_history.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "core/version/context.h"
#include "front/redis/text.h"

namespace stator::sim {
namespace {

constexpr std::string_view kBucket = "default";

bool is_write(OperationKind kind) {
  return kind != OperationKind::kGet && kind != OperationKind::kStGet &&
         kind != OperationKind::kScan;
}

// A context that is none of this key's is refused, or the store is wrong.
bool must_be_refused(OperationKind kind) {
  return kind == OperationKind::kWrongContext || kind == OperationKind::kBadContext;
}

bool is_text(const Reply& reply) {
  return reply.type == Reply::Type::kBulk;
}

template <typename Number>
bool take_number(std::string_view& text, int base, char end, Number& out) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  if (end == 0) return text.empty();
  if (!text.starts_with(end)) return false;
  text.remove_prefix(1);
  return true;
}

// One of the siblings of ST.GET: [value, dot, time_ms, write_id, content_type, expires_ms].
std::optional<VersionSeen> parse_sibling(const Reply& reply) {
  if (reply.members.size() != 6) return std::nullopt;
  const auto id = redis::parse_write_id(reply.members[3].text);
  const Dot dot = parse_dot(reply.members[1].text);
  if (!id || dot.counter == 0) return std::nullopt;
  return VersionSeen{dot, *id, hash_of_value(reply.members[0].text, false), false};
}

// The value of `name` in a map, which RESP2 writes as a list of names and values.
const Reply* field(const Reply& map, std::string_view name) {
  for (std::size_t i = 0; i + 1 < map.members.size(); i += 2) {
    if (map.members[i].text == name) return &map.members[i + 1];
  }
  return nullptr;
}

// All siblings and, behind the context, the tombstones: those are of writes with an id, which a
// context names.
bool read_versions(const Reply& siblings, const Context& context,
                   SmallVector<VersionSeen, 2>& out) {
  for (const Reply& each : siblings.members) {
    const auto version = parse_sibling(each);
    if (!version) return false;
    out.push_back(*version);
  }
  const std::size_t living = out.size();
  for (const SeenVersion& each : context.seen) {
    if (!each.write_id) continue;
    bool shown = false;
    for (std::size_t i = 0; i < living; ++i) shown = shown || out[i].id == each.write_id;
    if (!shown) out.push_back({each.dot, each.write_id, hash_of_value({}, true), true});
  }
  return true;
}

}  // namespace

Dot parse_dot(std::string_view text) {
  Dot dot;
  const bool whole = take_number(text, 16, '.', dot.actor.incarnation.value) &&
                     take_number(text, 10, ':', dot.actor.life) &&
                     take_number(text, 10, 0, dot.counter);
  return whole ? dot : Dot{};
}

std::uint32_t ClientHistory::index_of(std::uint32_t key) {
  return log_.key_index(kBucket, key_name(key));
}

bool ClientHistory::decode(std::uint32_t key, std::string_view text, Context& out) const {
  return decode_context_text(text, kBucket, key_name(key), cluster_tag_, out).has_value();
}

// How many owners must be among those that answered. Of a plain command nobody can ask that.
std::uint8_t ClientHistory::owners_asked(const Operation& operation, std::uint8_t quorum) {
  return operation.owners && operation.kind != OperationKind::kSet ? quorum : std::uint8_t{0};
}

// As the answer tells it (`told`), where it was asked to. Else it says nothing of stand-ins: owners
// are counted where they were asked for.
QuorumEvidence ClientHistory::evidence(const Operation& operation, const Reply* told,
                                       std::uint8_t quorum) {
  if (told == nullptr) {
    const std::uint8_t owners = owners_asked(operation, quorum);
    return {owners, static_cast<std::uint8_t>(quorum - owners), quorum, 1};
  }
  const auto number = [told](std::size_t i) {
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(told->members[i].integer, 0, 255));
  };
  return {number(0), number(1), number(2), number(3)};
}

void ClientHistory::sent(Operation& operation) {
  operation.sent_at = now_();
  if (!is_write(operation.kind)) return;
  STATOR_ASSERT(operation.kind != OperationKind::kDel &&
                operation.kind != OperationKind::kStDelBlind);
  const std::uint32_t index = index_of(operation.key);
  WriteCall call;
  call.plain = operation.kind == OperationKind::kSet;
  call.tombstone = operation.kind == OperationKind::kStDel;
  call.value_hash = hash_of_value(operation.value, call.tombstone);
  if (!call.plain) call.id = redis::parse_write_id(operation.write_id).value_or(WriteId{});
  if (must_be_refused(operation.kind)) {
    call.outcome = Outcome::kNotApplied;
  } else if (!operation.context.empty()) {
    Context context;
    const bool known = decode(operation.key, operation.context, context);
    const SeenIds* seen = known ? log_.find_context(index, context) : nullptr;
    if (seen != nullptr) call.seen = *seen;
    call.forged = seen == nullptr;
  }
  call.begin = operation.sent_at;
  call.quorum = w_;
  std::vector<WriteCall>& calls = log_.key(index).writes;
  operation.call = calls.size();
  calls.push_back(call);
}

void ClientHistory::answered(const Operation& operation, const Reply& reply) {
  if (is_write(operation.kind)) {
    write_answered(operation, reply);
  } else if (operation.kind == OperationKind::kStGet && !reply.is_error()) {
    read_answered(operation, reply);
  }
}

void ClientHistory::read_answered(const Operation& operation, const Reply& reply) {
  const StAnswer answer = parse_st_answer(operation, reply);
  if (answer.context == nullptr) return;  // which the client has noticed
  const std::uint32_t index = index_of(operation.key);
  Context context;
  ReadCall call{operation.sent_at, now_(), evidence(operation, answer.evidence, r_), r_, {}};
  call.owners = owners_asked(operation, r_);
  if (!decode(operation.key, answer.context->text, context) ||
      !read_versions(*answer.siblings, context, call.versions)) {
    // Judged as what it is: bytes that nobody wrote.
    call.versions.push_back(VersionSeen{});
  }
  SeenIds seen;
  for (const VersionSeen& version : call.versions) seen.push_back(version.id);
  log_.context_given(index, context, seen);
  log_.key(index).reads.push_back(call);
}

void ClientHistory::write_answered(const Operation& operation, const Reply& reply) {
  const std::uint32_t index = index_of(operation.key);
  WriteCall& call = log_.key(index).writes.at(operation.call);
  call.end = now_();
  if (reply.is_error()) {
    if (must_be_refused(operation.kind)) return;
    const bool unknown = reply.error_prefix() == "UNKNOWN";
    call.outcome = unknown ? Outcome::kUnknown : Outcome::kNotApplied;
    if (!unknown || call.id) return;
    std::string_view rest = std::string_view(reply.text).substr(reply.error_prefix().size() + 1);
    call.id = redis::parse_write_id(rest.substr(0, rest.find(' '))).value_or(WriteId{});
    return;
  }
  call.outcome = Outcome::kOk;
  const StAnswer answer = call.plain ? StAnswer{} : parse_st_answer(operation, reply);
  call.evidence = evidence(operation, answer.evidence, w_);
  call.owners = owners_asked(operation, w_);
  call.forged = call.forged || must_be_refused(operation.kind);
  Context context;
  if (answer.context == nullptr || !decode(operation.key, answer.context->text, context)) return;
  SeenIds seen = call.seen;
  seen.push_back(call.id);
  log_.context_given(index, context, seen);
}

std::string ClientHistory::take_final(std::uint32_t key, const Reply& siblings,
                                      const Reply& explained, std::uint8_t owners) {
  const std::string name = "key " + std::to_string(key);
  Context context;
  SmallVector<VersionSeen, 2> living;
  if (siblings.members.size() != 2 || !is_text(siblings.members[0]) ||
      !decode(key, siblings.members[0].text, context) ||
      !read_versions(siblings.members[1], context, living)) {
    return "I15: " + name + " cannot be read from all its owners: " + siblings.text;
  }
  const Reply* replicas = field(explained, "replicas");
  const Reply* merged = field(explained, "merged");
  const Reply* versions = merged != nullptr ? field(*merged, "versions") : nullptr;
  if (versions == nullptr || replicas == nullptr) {
    return "I15: " + name + " cannot be explained: " + explained.text;
  }
  std::optional<std::string> digest;
  std::uint8_t count = 0;
  for (const Reply& replica : replicas->members) {
    const Reply* role = field(replica, "role");
    const Reply* its_digest = field(replica, "digest");
    const Reply* answered = field(replica, "answered");
    if (role == nullptr || role->text != "owner" || its_digest == nullptr) continue;
    ++count;
    if (answered == nullptr || answered->integer == 0)
      return "I15: an owner of " + name + " is silent";
    if (digest && *digest != its_digest->text) return "I4: the owners of " + name + " differ";
    digest = its_digest->text;
  }
  if (count != owners) return "I4: " + name + " does not have N owners";
  KeyLog& log = log_.key(index_of(key));
  log.final_known = true;
  log.final_versions.clear();
  for (const Reply& each : versions->members) {
    const Reply* id = field(each, "write_id");
    const auto parsed = id != nullptr ? redis::parse_write_id(id->text) : std::nullopt;
    const Reply* dot = field(each, "dot");
    if (!parsed || dot == nullptr) return "I4: " + name + " is explained without an id";
    VersionSeen seen{parse_dot(dot->text), *parsed, hash_of_value({}, true), true};
    for (const VersionSeen& version : living) {
      if (version.id == seen.id) seen = version;
    }
    log.final_versions.push_back(seen);
  }
  return {};
}

void ClientHistory::name_plain_writes() {
  for (std::uint32_t index = 0; index < log_.keys().size(); ++index) {
    KeyLog& log = log_.key(index);
    std::unordered_map<std::uint64_t, WriteId> by_value;
    const auto note = [&by_value](const VersionSeen& version) {
      if (!version.tombstone) by_value.try_emplace(version.value_hash, version.id);
    };
    for (const ReadCall& read : log.reads) {
      for (const VersionSeen& version : read.versions) note(version);
    }
    for (const VersionSeen& version : log.final_versions) note(version);
    for (WriteCall& call : log.writes) {
      if (call.id) continue;
      const auto found = by_value.find(call.value_hash);
      call.id = found != by_value.end() ? found->second : WriteId{UINT64_MAX, ++unseen_};
    }
  }
}

}  // namespace stator::sim
