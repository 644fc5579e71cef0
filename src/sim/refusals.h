#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "sim/checker.h"
#include "sim/reach.h"

namespace stator::sim {

/// One call of a write by a client, as the node that was asked has answered it.
struct AnsweredWrite {
  std::uint32_t node = 0;  // from 0: 2 is n3
  std::uint32_t key = 0;   // in the log
  WriteId id{};
  MonoTime begin{};
  MonoTime end{};
  std::uint8_t quorum = 0;   // nodes that it needs (W)
  std::uint8_t owners = 0;   // owners among them (PW)
  std::uint8_t durable = 0;  // nodes that have it on a disk (DW)
  Outcome outcome = Outcome::kOk;
  ErrorCode code = ErrorCode::kIo;  // where that is not ok
  std::uint8_t got = 0;             // nodes that there were, where the code has it
};

/// Who is told of each at the moment of its answer, in the turn of that node.
class AnswerWitness {
 public:
  virtual ~AnswerWitness() = default;
  virtual void on_answered(const AnsweredWrite& write) = 0;
};

/// The judge of P5: a write is not refused while W nodes can be reached from the node asked. It is
/// *owed* where those nodes were plainly there from its beginning to its answer (reach.h), and an
/// owed write that was `not_applied` must have been so for a reason that P5 names: the request
/// itself, a limit, overload. One that asks for owners (PW) is owed where all nodes are there:
/// whose the key is the judge does not know.
///
/// Not judged: `unknown`, which is no refusal; a time that was too short; a record that cannot be
/// read (D30); and whatever is not plain. So it counts what it judged, lest it judge nothing. Pure.
class Refusals {
 public:
  /// `spare`: so many nodes more than are needed must be there. For clusters that now and then take
  /// a node for silent which is only late.
  explicit Refusals(std::size_t spare) : spare_(spare) {}

  /// `reach` is of the moment of its answer.
  void judge(const AnsweredWrite& write, const Reach& reach);

  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  /// Of these.
  [[nodiscard]] std::uint64_t owed() const { return owed_; }
  /// Of these, with other nodes away.
  [[nodiscard]] std::uint64_t owed_by_few() const { return owed_by_few_; }
  /// The first few.
  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }

  /// A write that was given less time than this may say that it was not enough.
  static constexpr Duration kTimeEnough = seconds(1);

 private:
  std::size_t spare_;
  std::uint64_t answered_ = 0;
  std::uint64_t owed_ = 0;
  std::uint64_t owed_by_few_ = 0;
  std::vector<Violation> violations_;
};

}  // namespace stator::sim
