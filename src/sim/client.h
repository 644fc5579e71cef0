#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "env/network.h"
#include "env_sim/process.h"
#include "sim/resp.h"
#include "sim/schedule.h"
#include "sim/workload.h"

namespace stator::sim {

/// One operation of a client, over all its attempts.
struct Operation {
  OperationKind kind{};
  std::uint32_t key = 0;
  std::string value;
  std::string context;   // text; empty: none. Of a walk: where it goes on
  std::string write_id;  // 32 hex digits; empty: none, so that it is never sent again
  MonoTime begin{};
  MonoTime give_up_at{};
  int attempts = 0;
  bool strict = false;    // begun when all was healed, or a core that can give what it asks for
  bool core = false;      // begun when a core was
  bool copy = false;      // of one that another session sends, too
  bool owners = false;    // asks for a quorum of owners
  AskedQuorum asked{};    // what else it asks for
  bool evidence = false;  // asks who stands behind the answer
  MonoTime sent_at{};     // both for the witness
  std::size_t call = 0;
};

/// What an ST. command was told.
struct StAnswer {
  const Reply* context = nullptr;   // nullptr: this is no such answer
  const Reply* siblings = nullptr;  // of a read
  const Reply* evidence = nullptr;  // where it was asked for: four numbers
};
/// `reply` is the answer to `operation`, and no error.
[[nodiscard]] StAnswer parse_st_answer(const Operation& operation, const Reply& reply);

/// Who is told what clients send and hear, on their loop.
class CallWitness {
 public:
  virtual ~CallWitness() = default;
  /// It leaves in this turn. `sent_at` and `call` are the witness's own.
  virtual void sent(Operation& operation) = 0;
  virtual void answered(const Operation& operation, const Reply& reply) = 0;
  /// What was sent has no answer, and never will.
  virtual void unanswered(const Operation& operation) = 0;
};

/// What all clients of a run share: what they were told, so that it can be compared with the log.
struct ClientRecord {
  struct Told {
    std::uint32_t key = 0;
    std::uint64_t value_hash = 0;
    bool ok = false;  // else: refused, at the only attempt
  };
  std::uint64_t begun = 0;
  std::uint64_t answered = 0;
  std::uint64_t done = 0;  // of those begun: answered well, so neither refused nor unknown
  std::uint64_t errors = 0;
  std::uint64_t unknown = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t retried = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t failed = 0;  // of those begun: ended, and not well
  std::uint64_t contexts_refused = 0;
  std::uint64_t too_large_refused = 0;  // over a limit, and refused as that
  std::uint64_t edges_done = 0;         // of those done: just within the limits
  std::vector<Told> told;
  std::vector<std::string> problems;  // each breaks a promise; the first few
  bool strict = false;                // from now on each operation must be ok within 5 s (I15)
  bool patient = false;               // nobody hangs up on what must be, although no more begins
  bool stopped = false;               // begin nothing new
  /// Nodes, by their place among those of a client: no others are used, since only these are
  /// healed. Empty: all are used.
  std::vector<std::uint32_t> core;
  std::uint64_t core_judged = 0;   // strict operations on a core that have ended
  std::uint64_t core_put_off = 0;  // of these, refused as too much, or too late, at that moment
  std::uint64_t open = 0;
  /// Operations are numbered in the order of time. Those that are not among these are not begun.
  NumberSet kept = NumberSet::all();
  /// The key of each by its number, begun or not.
  std::vector<std::uint32_t> keys;
  CallWitness* witness = nullptr;

  void problem(std::string what) {
    if (problems.size() < 10) problems.push_back(std::move(what));
  }
};

class Client;

/// One connection at a time, to one node or another; commands are sent as they come and answered in
/// their order.
class Session final : public env::StreamAcceptor {
 public:
  Session(Client& client, std::uint32_t node) : client_(client), node_(node) {}

  void submit(Operation operation);
  /// The next operation goes to another node. What was sent to this one is still answered by it:
  /// the session says that this was all, and waits.
  void hop();
  [[nodiscard]] std::size_t open() const { return sent_.size() + waiting_.size(); }

  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override;

 private:
  class Handler;
  void connect();
  void on_dial_failed();
  void send(Operation& operation);
  void hang_up();
  void arm();
  void check_patience();
  std::size_t on_data(std::string_view bytes);
  void on_closed(std::uint64_t connection);
  void fail_all();

  Client& client_;
  std::uint32_t node_;       // for the next connection
  std::uint32_t there_ = 0;  // of the present one, or of what is dialled
  env::Stream* stream_ = nullptr;
  bool connecting_ = false;
  bool leaving_ = false;  // the present connection, when all that was sent on it is answered
  std::uint64_t connection_ = 0;   // number of the present one; older ones are deaf
  std::deque<Operation> waiting_;  // for a connection
  std::deque<Operation> sent_;     // for their answers
  env::TimerId patience_timer_{};
};

/// A program that uses the store through the Redis protocol, as somebody else's would: from any
/// node, with or without contexts, impatient, sometimes wrong, repeating itself.
class Client final : public Program {
 public:
  /// All outlive it. `nodes` are where their Redis doors are.
  Client(env::Env& env, const Workload& workload, const std::vector<env::Address>& nodes,
         ClientRecord& record, Random random);

  // For sessions.
  [[nodiscard]] env::Env& env() { return env_; }
  [[nodiscard]] const std::vector<env::Address>& nodes() const { return nodes_; }
  [[nodiscard]] std::uint32_t pick_node();
  [[nodiscard]] bool may_use(std::uint32_t node) const;
  [[nodiscard]] const Workload& workload() const { return workload_; }
  /// How long beyond its patience it waits: when every operation must end well within 5 s, hanging
  /// up on one before that would fail those behind it.
  [[nodiscard]] Duration grace() const {
    return record_.strict || record_.patient ? seconds(6) : Duration{};
  }
  void sending(Operation& operation);
  void answered(const Operation& operation, const Reply& reply);
  /// Sent, and the connection ended before the answer.
  void unanswered(Operation operation);
  /// Not even sent before its time was over.
  void unsent(Operation operation);

 private:
  struct Contexts {
    std::string newest;
    std::string older;
  };
  void tick(std::size_t session);
  void begin_one(std::size_t session);
  [[nodiscard]] Operation draw(std::uint64_t number, Random& random);
  void choose_context(Operation& operation, Random& random);
  [[nodiscard]] Duration lateness(Random& random) const;
  void send_copy(Operation copy, Random& random);
  void take_error(const Operation& operation, const Reply& reply);
  void take_refusal(const Operation& operation, const Reply& reply);
  [[nodiscard]] bool may_repeat(const Operation& operation);
  void retry_or_abandon(Operation operation);
  void remember_context(std::uint32_t key, const std::string& context);
  void check_strict(const Operation& operation, bool ok, const Reply* reply);
  void check_value(const Operation& operation, std::string_view value);
  void note_outcome(const Operation& operation, const Reply& reply);
  void take_siblings(const Operation& operation, const Reply& reply);
  void take_keys(const Reply& reply);

  env::Env& env_;
  const Workload& workload_;
  const std::vector<env::Address>& nodes_;
  ClientRecord& record_;
  const Random operations_;  // forked for each operation
  Random random_;            // for all that befalls them
  /// When a session begins its operations, whatever becomes of them.
  struct Pace {
    Random random;
    std::uint64_t begun = 0;
  };
  std::vector<Pace> paces_;  // by session
  std::vector<std::unique_ptr<Session>> sessions_;
  std::map<std::uint32_t, Contexts> contexts_;
  std::string scan_cursor_ = "0";
  std::set<std::string> names_;  // of all keys
};

}  // namespace stator::sim
