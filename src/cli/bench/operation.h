#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace stator::bench {

enum class OpKind : std::uint8_t {
  kGet,       // GET
  kSet,       // SET
  kDel,       // DEL
  kStGet,     // ST.GET: all siblings and the context
  kStPut,     // ST.PUT without a context: a sibling of what is there
  kStUpdate,  // ST.GET, then ST.PUT with the context that it gave; one operation
  kSlots,     // CLUSTER SLOTS: not of the load, never counted
};
inline constexpr std::size_t kOpKinds = 6;  // of the load
/// As written in --mix and in the report.
inline constexpr std::array<std::string_view, kOpKinds> kOpNames = {
    "get", "set", "del", "st.get", "st.put", "st.update"};

/// One operation, from its start to its answer.
struct Operation {
  OpKind kind = OpKind::kGet;
  bool counted = false;   // not of the warm-up, nor of the filling
  bool answered = false;  // st.update: the first half is done
  std::uint32_t client = 0;
  std::uint32_t value_bytes = 0;
  std::uint64_t key = 0;
  MonoTime begun{};  // what latency counts from: meant to start, or sent
  MonoTime sent{};
  std::uint64_t write = 0;  // number of a write whose visibility is checked; 0: none
  std::uint64_t floor = 0;  // stale_check.h
};

}  // namespace stator::bench
