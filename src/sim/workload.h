#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "env_sim/random.h"

namespace stator::sim {

/// What a client may do next.
enum class OperationKind : std::uint8_t {
  kGet,
  kSet,
  kDel,
  kStGet,
  kStPut,         // with the newest context that this client has of the key
  kStPutStale,    // with an old one
  kStPutBlind,    // with none: makes a sibling
  kStDel,         // with the newest context
  kStDelBlind,    // deletes what is there
  kWrongContext,  // a context of another key: must be refused
  kBadContext,    // a cut or changed one: must be refused
  kScan,          // the next step of a walk over all keys
};
inline constexpr std::size_t kOperationKinds = 12;
[[nodiscard]] const char* to_string(OperationKind kind);

/// How the clients of one run behave: drawn once, from the seed.
struct Workload {
  bool dense = false;  // many operations on few keys for a shorter time; else few, for long
  Duration length{};
  double operations_per_second = 10;  // of all clients together
  std::uint32_t clients = 3;          // hosts
  std::uint32_t sessions = 2;         // connections per host
  std::uint32_t keys = 100;
  double hot = 0;                  // share of operations that go to the first key
  Duration patience = seconds(5);  // until a client gives up waiting and hangs up
  double retry = 0.7;              // of a write with an id that ended unknown, on another node
  double duplicate = 0.02;         // of writes with an id: sent to two nodes at once
  double hop = 0.01;               // of operations: the session moves to another node first
  double large = 0.002;            // of values: up to 64 KiB
  // For a judge who sees inside the nodes (draw_extremes):
  double empty = 0;  // of values: not a byte
  double huge = 0;   // of values: up to 1 MiB, the most that a node takes, and one byte over it
  double edge = 0;   // of operations: on keys at the edge of what a node takes (kEdgeKeys)
  /// In the mean, of a copy of a write (`duplicate`) and of a retry; 0: at once.
  Duration lateness{};
  double quorums = 0;  // of ST. commands: ask for R, W, PR, PW, DW of their own, each by chance
  std::uint8_t replicas = 0;    // so many at most, which is N
  std::uint8_t acks_least = 1;  // W is not less
  // What only real processes are asked for; the simulator sees inside its nodes instead.
  double owners = 0;        // share of ST. commands that ask for a quorum of owners (PR, PW)
  std::uint8_t quorum = 2;  // how many they ask for
  double evidence = 0;      // share of ST. commands that ask who stands behind the answer
  Duration persistence{};   // every operation is repeated until it ends well, for so long; 0: never
  Duration redial{};        // before a connection that failed is tried again
  std::array<double, kOperationKinds> weights{};  // sums to 1
};

/// More than half of the seeds are dense, so that half of them are answered 500 operations per
/// second on at most 100 keys even though some few are broken too badly for that: those that are
/// even or end in 5 or 9.
[[nodiscard]] bool is_dense(std::uint64_t seed);
/// `minutes` is the length of a sparse run; a dense one takes two at most, since there the work is
/// in the operations: hours of few operations find what takes long, minutes of many what is rare.
[[nodiscard]] Workload draw_workload(Random& random, double minutes, bool dense);
[[nodiscard]] OperationKind draw_operation(const Workload& workload, Random& random);
[[nodiscard]] std::uint32_t draw_key(const Workload& workload, Random& random);

/// Adds in some of the runs what real processes are not asked for: keys and values of no byte, as
/// large as a node takes them, and one byte larger; and quorums of every size up to `n`, but for W
/// at least `acks_least`. From a stream of its own.
void draw_extremes(Workload& workload, std::uint8_t n, std::uint8_t acks_least, Random random);

/// What one operation asks of replicas; 0: nothing.
struct AskedQuorum {
  std::uint8_t nodes = 0;    // R, W
  std::uint8_t owners = 0;   // PR, PW
  std::uint8_t durable = 0;  // DW
};
[[nodiscard]] AskedQuorum draw_quorum(const Workload& workload, OperationKind kind, Random random);

/// Keys at the edge of what a node takes have indices from this one on.
inline constexpr std::uint32_t kEdgeKeys = 1U << 20;
inline constexpr std::uint32_t kEmptyKey = kEdgeKeys;  // of no byte
inline constexpr std::uint32_t kLongestKeys = kEmptyKey + 1;
inline constexpr std::uint32_t kLongestKeyCount = 3;
inline constexpr std::uint32_t kTooLongKey = kLongestKeys + kLongestKeyCount;  // by one byte
inline constexpr std::uint32_t kEdgeKeyCount = kTooLongKey + 1 - kEdgeKeys;
/// Most are short and plain; some are long, binary, or share a hash tag.
[[nodiscard]] std::string key_name(std::uint32_t index);

/// Where an operation stands to the limits of key and value (D35).
enum class Edge : std::uint8_t {
  kNone,
  kWithin,  // its key has no byte or as many as are taken, or its value has as many
  kOver,    // its key or its value has more: it must be refused
};
/// `value_size`: 0 where it brings none.
[[nodiscard]] Edge edge_of(OperationKind kind, std::uint32_t key, std::size_t value_size);
/// Of all keys that clients may use.
[[nodiscard]] std::vector<std::uint32_t> all_keys(const Workload& workload);
/// Begins with what tells key and write apart.
[[nodiscard]] std::string make_value(std::uint32_t key, std::uint64_t number, std::size_t size);
[[nodiscard]] bool is_value_of(std::string_view value, std::uint32_t key);
[[nodiscard]] std::size_t draw_value_size(const Workload& workload, Random& random);
/// It has not even what tells key and write apart.
[[nodiscard]] bool draws_empty_value(const Workload& workload, const Random& random);

}  // namespace stator::sim
