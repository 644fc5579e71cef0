#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/client.h"
#include "sim/operation_log.h"

namespace stator::sim {

/// Writes an OperationLog from what clients sent and heard, for the checker of the simulator to
/// judge processes into which nobody can see. What a RecordingStore knows for certain is told here
/// by the protocol: a context is decoded for the ids that it names, a write of unknown outcome is
/// answered with its id, and a plain write is recognised by its value wherever a read shows it,
/// since no two values are equal. What the protocol does not tell is not guessed: evidence counts
/// as it was told where a command asked for it, or as a quorum of owners where that was asked for,
/// and a plain delete, which nobody could recognise, may not be part of the workload.
class ClientHistory final : public CallWitness {
 public:
  /// `now`: one clock for all clients. `cluster_tag`: seals contexts (core/membership/history.h).
  /// `r`, `w`: the cluster's quorums. The log outlives it.
  ClientHistory(OperationLog& log, std::function<MonoTime()> now, std::uint64_t cluster_tag,
                std::uint8_t r, std::uint8_t w)
      : log_(log), now_(std::move(now)), cluster_tag_(cluster_tag), r_(r), w_(w) {}

  void sent(Operation& operation) override;
  void answered(const Operation& operation, const Reply& reply) override;
  void unanswered(const Operation&) override {}  // stays unknown

  /// What is left of a key when all is quiet: the answers to ST.GET and to ST.EXPLAIN. An error
  /// says what is wrong with them; owners that differ are told as "I4: ...".
  [[nodiscard]] std::string take_final(std::uint32_t key, const Reply& siblings,
                                       const Reply& explained, std::uint8_t owners);

  /// Gives each plain write the id under which its value was seen, or one of its own. Once, before
  /// the log is judged.
  void name_plain_writes();

 private:
  void read_answered(const Operation& operation, const Reply& reply);
  void write_answered(const Operation& operation, const Reply& reply);
  [[nodiscard]] static std::uint8_t owners_asked(const Operation& operation, std::uint8_t quorum);
  [[nodiscard]] static QuorumEvidence evidence(const Operation& operation, const Reply* told,
                                               std::uint8_t quorum);
  [[nodiscard]] bool decode(std::uint32_t key, std::string_view text, Context& out) const;
  [[nodiscard]] std::uint32_t index_of(std::uint32_t key);

  OperationLog& log_;
  std::function<MonoTime()> now_;
  std::uint64_t cluster_tag_;
  std::uint8_t r_;
  std::uint8_t w_;
  std::uint64_t unseen_ = 0;  // plain writes that no read showed
};

/// `<incarnation, hex>.<life>:<counter>`, as ST.GET and ST.EXPLAIN show it; dot 0 if it is none.
[[nodiscard]] Dot parse_dot(std::string_view text);

}  // namespace stator::sim
