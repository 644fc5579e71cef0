#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/version/context.h"
#include "core/version/object.h"

// One key on a few nodes, with clients, crashes and lost records, written on the real put and merge
// of this folder and beside it the explicit causal history of every write: the slow truth that the
// clocks must agree with. Executions are sequences of actions, so that a test can walk at random
// and a model checker can try them all. For tests and models only.

namespace stator::testing {

struct WorldLimits {
  unsigned nodes = 3;
  unsigned clients = 2;
  unsigned writes = 3;     // at most 64
  unsigned retries = 1;    // of one client's write at any node
  unsigned losses = 0;     // records lost or set back to an older state
  unsigned restarts = 0;   // with the record intact
  unsigned messages = 1;   // objects in flight, which may arrive late and twice
  unsigned handovers = 0;  // of records that end with it, as hints do
  bool images = false;     // whether records may be set back to an older state, not only lost
};

enum class ActionKind : std::uint8_t {
  kRead,            // client, node
  kPut,             // client, node, partner (== node: no acknowledgement), with its context
  kBlindPut,        // client, node, partner
  kPlainSet,        // client, node, partner: over all, minted once, restamped on acknowledgement
  kRetry,           // write, node, partner
  kAcknowledge,     // write, partner: a write that has waited for it at the node that minted it
  kPush,            // from, to: a whole object
  kSend,            // from, to: the same, into flight
  kDeliver,         // message; stays in flight
  kDeliverAndDrop,  // message
  kHandOver,        // from, to: a hint is delivered and deleted, which ends the record's life
  kRestart,         // node: new incarnation, record intact
  kTakeImage,       // node
  kLoseRecord,      // node: same incarnation
  kLoseDisk,        // node: new incarnation, no record
  kRestoreImage,    // node: new incarnation, the record as it was
};

struct Action {
  ActionKind kind{};
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::uint8_t c = 0;
  auto operator<=>(const Action&) const = default;
};
[[nodiscard]] std::string describe(const Action& action);

class World {
 public:
  explicit World(const WorldLimits& limits);

  /// All that can happen next.
  void actions(std::vector<Action>& out) const;
  void apply(const Action& action);

  /// Lets all nodes exchange what they hold and compares the result with the histories: replicas
  /// equal (I4), no acknowledged write lost (I1), nothing invented (I2), no false sibling (I3), one
  /// live version per write (D7), no dot used twice (I9); without losses the siblings are exactly
  /// the maximal writes. Returns what is wrong.
  [[nodiscard]] std::optional<std::string> violation() const;
  /// Equal keys: equal futures.
  [[nodiscard]] std::string key() const;
  [[nodiscard]] std::string show() const;

  [[nodiscard]] const Object& object(std::size_t node) const { return nodes_[node].object; }
  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }

 private:
  using Writes = std::uint64_t;  // a set, as bits

  struct Node {
    Object object;
    Object image;
    bool has_image = false;
    Actor life{};
    std::uint64_t counter = 0;
    unsigned starts = 0;
  };
  struct Client {
    Context context;
    Writes past = 0;
  };
  struct WriteFacts {
    Write write;
    Context context;
    Writes past = 0;
    std::size_t minted_at = 0;  // by the first attempt
    bool over_all = false;
    bool acknowledged = false;
  };
  struct Message {
    bool used = false;
    std::uint8_t to = 0;
    Object object;
  };

  void new_write(const Action& action);
  void execute(std::size_t write, std::size_t node, std::size_t partner, Client* client);
  bool mint(std::size_t write, Node& node);
  [[nodiscard]] bool waits(std::size_t write) const;
  void renew(std::size_t write, std::size_t node);
  void acknowledge(std::size_t write, std::size_t node, std::size_t partner);
  Dot next_dot(Node& node, const Context& context);
  void note_dot(const Dot& dot);
  void restart(std::size_t node);
  [[nodiscard]] bool may_become(std::size_t node, const Object& remaining) const;
  [[nodiscard]] Writes history_of(const Object& object) const;
  [[nodiscard]] static std::size_t index_of(const WriteId& id);
  [[nodiscard]] std::vector<Writes> closed_pasts() const;
  [[nodiscard]] std::optional<std::string> judge(const Object& settled) const;

  void put_actions(std::vector<Action>& out) const;
  void move_actions(std::vector<Action>& out) const;
  void fault_actions(std::vector<Action>& out) const;

  WorldLimits limits_;
  std::vector<Node> nodes_;
  std::vector<Client> clients_;
  std::vector<WriteFacts> writes_;
  std::vector<Message> messages_;
  std::vector<Dot> dots_;          // all that were ever minted
  std::vector<Dot> acknowledged_;  // those of acknowledged writes
  bool dot_used_twice_ = false;
  bool not_renewed_ = false;
  unsigned retries_used_ = 0;
  unsigned losses_used_ = 0;
  unsigned restarts_used_ = 0;
  unsigned handovers_used_ = 0;
};

}  // namespace stator::testing
