#include "sim/client.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/ids.h"
#include "sim/operation_log.h"

namespace stator::sim {
namespace {

constexpr std::size_t kOpenPerSessionMax = 12;
constexpr int kAttemptsMax = 4;
constexpr Duration kStrictLimit = seconds(5);
constexpr Duration kLatest = seconds(8);  // so that all has ended when a run does

bool is_read(OperationKind kind) {
  return kind == OperationKind::kGet || kind == OperationKind::kStGet ||
         kind == OperationKind::kScan;
}

constexpr std::string_view kBadContext = "BADCONTEXT";
constexpr std::string_view kTooLarge = "TOOLARGE";

// With which word it must be refused; none: it must not be. A door looks at the context first.
std::string_view refusal_of(const Operation& operation) {
  switch (operation.kind) {
    case OperationKind::kWrongContext:
    case OperationKind::kBadContext: return kBadContext;
    default: break;
  }
  const Edge edge = edge_of(operation.kind, operation.key, operation.value.size());
  return edge == Edge::kOver ? kTooLarge : std::string_view();
}

// Of a request that is too large as well: the node takes none at all now, or cannot tell what
// became of an earlier attempt, since another process runs under its name.
bool goes_before_size(std::string_view word) {
  return word == "TRYAGAIN" || word == "NOTMEMBER" || word == "UNKNOWN";
}

bool has_value(OperationKind kind) {
  switch (kind) {
    case OperationKind::kSet:
    case OperationKind::kStPut:
    case OperationKind::kStPutStale:
    case OperationKind::kStPutBlind:
    case OperationKind::kWrongContext:
    case OperationKind::kBadContext: return true;
    default: return false;
  }
}

bool has_write_id(OperationKind kind) {
  return kind == OperationKind::kStDel || (has_value(kind) && kind != OperationKind::kSet);
}

// What every core can give. Its nodes stand in for owners and do not count as such; one of just so
// many as are usual has none for more; and of a range whose owners are away no walk can tell.
bool asks_for_usual(const Operation& operation) {
  const AskedQuorum& asked = operation.asked;
  return operation.kind != OperationKind::kScan && !operation.owners && asked.nodes == 0 &&
         asked.owners == 0 && asked.durable == 0;
}

bool is_list(const Reply& reply, std::size_t members) {
  return reply.type == Reply::Type::kArray && reply.members.size() == members;
}

std::string hex(const WriteId& id) {
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(id.high),
                static_cast<unsigned long long>(id.low));
  return text;
}

}  // namespace

StAnswer parse_st_answer(const Operation& operation, const Reply& reply) {
  const bool read = operation.kind == OperationKind::kStGet;
  const std::size_t parts = read ? 2 : 1;
  StAnswer answer;
  if (operation.evidence) {
    if (!is_list(reply, parts + 1) || !is_list(reply.members.back(), 4)) return {};
    answer.evidence = &reply.members.back();
  } else if (!read) {
    if (reply.type == Reply::Type::kBulk) answer.context = &reply;
    return answer;
  } else if (!is_list(reply, parts)) {
    return {};
  }
  answer.context = &reply.members[0];
  if (read) answer.siblings = &reply.members[1];
  return answer;
}

Client::Client(env::Env& env, const Workload& workload, const std::vector<env::Address>& nodes,
               ClientRecord& record, Random random)
    : env_(env),
      workload_(workload),
      nodes_(nodes),
      record_(record),
      operations_(random.fork("operation")),
      random_(random) {
  for (const std::uint32_t key : all_keys(workload)) {
    if (key != kTooLongKey) names_.insert(key_name(key));
  }
  for (std::uint32_t i = 0; i < workload.sessions; ++i) {
    paces_.push_back({random.fork("pace", i)});
    sessions_.push_back(
        std::make_unique<Session>(*this, static_cast<std::uint32_t>(random_.below(nodes.size()))));
    tick(i);
  }
}

std::uint32_t Client::pick_node() {
  const std::vector<std::uint32_t>& core = record_.core;
  if (!core.empty()) return core[random_.below(core.size())];
  return static_cast<std::uint32_t>(random_.below(nodes_.size()));
}

bool Client::may_use(std::uint32_t node) const {
  return record_.core.empty() || std::ranges::find(record_.core, node) != record_.core.end();
}

void Client::tick(std::size_t session) {
  const double sessions = static_cast<double>(workload_.clients) * workload_.sessions;
  const Duration mean{static_cast<std::int64_t>(1e9 * sessions / workload_.operations_per_second)};
  env_.executor.after(paces_[session].random.exponential(mean), [this, session] {
    if (!record_.stopped) begin_one(session);
    tick(session);
  });
}

void Client::begin_one(std::size_t index) {
  Random random = operations_.fork("session", (std::uint64_t{index} << 32) | paces_[index].begun++);
  const std::uint64_t number = record_.keys.size();
  Operation operation = draw(number, random);
  record_.keys.push_back(operation.key);
  if (!record_.kept.contains(number)) return;
  Session& session = *sessions_[index];
  if (session.open() >= kOpenPerSessionMax) return;
  if (random.chance(workload_.hop)) session.hop();
  if (has_write_id(operation.kind) && random.chance(workload_.duplicate)) {
    Operation copy = operation;
    copy.copy = true;
    send_copy(std::move(copy), random);
  }
  ++record_.begun;
  ++record_.open;
  session.submit(std::move(operation));
}

Duration Client::lateness(Random& random) const {
  return std::min(random.exponential(workload_.lateness), kLatest);
}

void Client::send_copy(Operation copy, Random& random) {
  Session& session = *sessions_[random.below(sessions_.size())];
  const auto send = [this, &session](Operation sent) {
    ++record_.duplicated;
    ++record_.open;
    session.submit(std::move(sent));
  };
  if (workload_.lateness.ns == 0) return send(std::move(copy));
  copy.strict = false;  // it may be too old when it comes
  auto held = std::make_unique<Operation>(std::move(copy));
  env_.executor.after(lateness(random), [this, send, held = std::move(held)] {
    if (!record_.stopped) send(std::move(*held));
  });
}

Operation Client::draw(std::uint64_t number, Random& random) {
  Operation operation;
  operation.kind = draw_operation(workload_, random);
  operation.key = draw_key(workload_, random);
  operation.begin = env_.executor.now();
  choose_context(operation, random);
  if (has_value(operation.kind)) {
    operation.value = make_value(operation.key, number, draw_value_size(workload_, random));
    if (draws_empty_value(workload_, random)) operation.value.clear();
  }
  operation.owners = random.chance(workload_.owners);
  if (workload_.quorums > 0) {
    operation.asked = draw_quorum(workload_, operation.kind, random.fork("quorum"));
  }
  operation.core = !record_.core.empty();
  operation.strict = record_.strict && (!operation.core || asks_for_usual(operation));
  operation.evidence = random.chance(workload_.evidence);
  if (has_write_id(operation.kind)) {
    const auto now_ms = static_cast<std::uint64_t>(env_.executor.wall_now().ms());
    operation.write_id =
        hex(WriteId::make(now_ms, WriteId::kRetryable, random.next(), random.next()));
  }
  return operation;
}

// Where there is no such context yet, a read fetches one instead.
void Client::choose_context(Operation& operation, Random& random) {
  const auto own = contexts_.find(operation.key);
  switch (operation.kind) {
    case OperationKind::kStPut:
    case OperationKind::kStDel:
    case OperationKind::kBadContext:
      if (own != contexts_.end()) operation.context = own->second.newest;
      break;
    case OperationKind::kStPutStale:
      if (own != contexts_.end()) operation.context = own->second.older;
      break;
    case OperationKind::kWrongContext: {
      const auto other = contexts_.find(draw_key(workload_, random));
      if (other != contexts_.end() && other->first != operation.key) {
        operation.context = other->second.newest;
      }
      break;
    }
    case OperationKind::kScan: operation.context = scan_cursor_; return;
    default: return;
  }
  if (operation.context.empty()) {
    operation.kind = OperationKind::kStGet;
  } else if (operation.kind == OperationKind::kBadContext) {
    std::string& text = operation.context;
    if (random.chance(0.5)) {
      text.resize(random.below(text.size() - 1) + 1);
    } else {
      char& letter = text[random.below(text.size())];
      letter = letter == 'A' ? 'B' : 'A';
    }
  }
}

void Client::remember_context(std::uint32_t key, const std::string& context) {
  if (context.empty()) return;
  Contexts& known = contexts_[key];
  // The old one stays old for a while.
  if (known.older.empty() || random_.chance(0.2)) known.older = known.newest;
  known.newest = context;
}

void Client::sending(Operation& operation) {
  if (record_.witness != nullptr) record_.witness->sent(operation);
}

void Client::answered(const Operation& operation, const Reply& reply) {
  if (reply.is_error() && reply.text == "PROTOCOL") {
    record_.problem("a node sent what is no answer of the Redis protocol");
    return;
  }
  if (record_.witness != nullptr) record_.witness->answered(operation, reply);
  --record_.open;
  ++record_.answered;
  if (!refusal_of(operation).empty()) return take_refusal(operation, reply);
  note_outcome(operation, reply);
  check_strict(operation, !reply.is_error(), &reply);
  if (reply.is_error()) return take_error(operation, reply);
  if (!operation.copy) {
    ++record_.done;
    const Edge edge = edge_of(operation.kind, operation.key, operation.value.size());
    if (edge == Edge::kWithin) ++record_.edges_done;
  }
  switch (operation.kind) {
    case OperationKind::kGet:
      if (reply.type == Reply::Type::kBulk) check_value(operation, reply.text);
      break;
    case OperationKind::kStGet: take_siblings(operation, reply); break;
    case OperationKind::kScan: take_keys(reply); break;
    case OperationKind::kSet:
    case OperationKind::kDel: break;
    case OperationKind::kStDelBlind: break;  // the context of a delete that saw everything
    default: {
      const StAnswer answer = parse_st_answer(operation, reply);
      if (answer.context == nullptr) {
        record_.problem("ST.PUT or ST.DEL did not answer a context");
      } else {
        remember_context(operation.key, answer.context->text);
      }
    }
  }
}

// A refusal is the right answer. That nothing comes of what was refused is the checker's (I2).
void Client::take_refusal(const Operation& operation, const Reply& reply) {
  const std::string_view word = refusal_of(operation);
  const std::string_view told = reply.is_error() ? reply.error_prefix() : std::string_view();
  const std::string what = std::string(to_string(operation.kind)) + " on key " +
                           std::to_string(operation.key) + " with a value of " +
                           std::to_string(operation.value.size()) + " bytes";
  if (told == word) {
    ++(word == kTooLarge ? record_.too_large_refused : record_.contexts_refused);
    if (!operation.copy) ++record_.done;
  } else if (told.empty()) {
    record_.problem(what + " was accepted");
  } else if (!operation.copy) {
    ++record_.failed;
  }
  if (word != kTooLarge) return;
  if (!told.empty() && told != word && !goes_before_size(told)) {
    record_.problem("D35: " + what + " is over a limit, and was told " + reply.text);
  }
  note_outcome(operation, reply);
  check_strict(operation, told == word, &reply);
}

void Client::take_error(const Operation& operation, const Reply& reply) {
  const bool unknown = reply.error_prefix() == "UNKNOWN";
  ++(unknown ? record_.unknown : record_.errors);
  if (unknown || workload_.persistence.ns > 0) {
    ++record_.open;
    retry_or_abandon(operation);
  } else if (!operation.copy) {
    ++record_.failed;
  }
}

void Client::take_siblings(const Operation& operation, const Reply& reply) {
  const StAnswer answer = parse_st_answer(operation, reply);
  if (answer.context == nullptr) {
    record_.problem("ST.GET did not answer context and siblings");
    return;
  }
  remember_context(operation.key, answer.context->text);
  for (const Reply& sibling : answer.siblings->members) {
    if (!sibling.members.empty()) check_value(operation, sibling.members[0].text);
  }
}

void Client::take_keys(const Reply& reply) {
  if (reply.type != Reply::Type::kArray || reply.members.size() != 2) {
    record_.problem("SCAN did not answer cursor and keys");
    return;
  }
  scan_cursor_ = reply.members[0].text;
  for (const Reply& key : reply.members[1].members) {
    if (!names_.contains(key.text)) record_.problem("I2: SCAN named a key that nobody writes");
  }
}

void Client::check_value(const Operation& operation, std::string_view value) {
  if (is_value_of(value, operation.key) || (value.empty() && workload_.empty > 0)) return;
  record_.problem("I2: a read of key " + std::to_string(operation.key) +
                  " returned bytes that were never written to it");
}

// What the client was told of a write, for the comparison with the log.
void Client::note_outcome(const Operation& operation, const Reply& reply) {
  if (!has_value(operation.kind)) return;
  if (operation.value.empty()) return;  // nothing tells this write from others
  const bool refused = reply.is_error() && reply.error_prefix() != "UNKNOWN";
  if (reply.is_error() && !refused) return;
  if (refused && has_write_id(operation.kind)) return;  // another attempt may have been applied
  record_.told.push_back({operation.key, hash_of_value(operation.value, false), !refused});
}

void Client::check_strict(const Operation& operation, bool ok, const Reply* reply) {
  if (!operation.strict) return;
  const Duration took = env_.executor.now() - operation.begin;
  const std::string_view told = reply == nullptr ? std::string_view() : reply->error_prefix();
  // A few nodes that do the work of all may have too much of it for a moment. And nodes repeat a
  // forwarded write themselves: of a key that was overwritten too often meanwhile nobody knows
  // whether it was applied (D7). ClusterRun looks at how often.
  const bool put_off = operation.core && !ok && (told == "TRYAGAIN" || told == "WIDEXPIRED");
  const bool allowed =
      reply != nullptr && (told == "TOOMANYSIBLINGS" || operation.attempts > 1 || put_off);
  if (operation.core) ++record_.core_judged;
  if (put_off) ++record_.core_put_off;
  if ((ok || allowed) && took <= kStrictLimit) return;
  record_.problem("I15: " + std::string(to_string(operation.kind)) + " of key " +
                  std::to_string(operation.key) + ", begun when " +
                  (operation.core ? "a core" : "all") + " was healed, " +
                  (reply == nullptr ? "had no answer"
                   : ok             ? "took too long"
                                    : "failed: " + reply->text) +
                  " after " + std::to_string(took.ms()) + " ms");
}

void Client::unanswered(Operation operation) {
  if (record_.witness != nullptr) record_.witness->unanswered(operation);
  unsent(std::move(operation));
}

void Client::unsent(Operation operation) {
  check_strict(operation, false, nullptr);
  retry_or_abandon(std::move(operation));
}

bool Client::may_repeat(const Operation& operation) {
  if (!refusal_of(operation).empty()) return false;
  if (workload_.persistence.ns > 0 && (is_read(operation.kind) || has_write_id(operation.kind))) {
    return env_.executor.now() - operation.begin < workload_.persistence;
  }
  return has_write_id(operation.kind) && operation.attempts < kAttemptsMax && !record_.stopped &&
         random_.chance(workload_.retry);
}

void Client::retry_or_abandon(Operation operation) {
  if (!may_repeat(operation)) {
    --record_.open;
    if (!operation.copy) ++record_.failed;
    if (!is_read(operation.kind)) ++record_.abandoned;
    return;
  }
  ++record_.retried;
  const Duration wait =
      workload_.lateness.ns > 0 ? lateness(random_) : random_.exponential(milliseconds(100));
  auto held = std::make_unique<Operation>(std::move(operation));
  env_.executor.after(wait, [this, held = std::move(held)] {
    Session& session = *sessions_[random_.below(sessions_.size())];
    session.submit(std::move(*held));
  });
}

}  // namespace stator::sim
