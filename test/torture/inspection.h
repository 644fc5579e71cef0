#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "env/env.h"
#include "sim/client_history.h"
#include "sim/resp.h"

namespace stator::torture {

/// Reads every key of a cluster that is whole again from all its owners, so that they agree, and
/// puts down what each holds in the end, which must be the same everywhere (I4): the simulator's
/// Audit, through the door that everybody has. One connection per node, many questions on their
/// way. On the loop.
class Inspection {
 public:
  /// `keys`: 0 .. keys - 1. `n`: owners of each. `done` gets the problems, the first few in full.
  Inspection(env::Env& env, std::vector<env::Address> nodes, std::uint32_t keys, std::uint8_t n,
             sim::ClientHistory& history, std::function<void(std::vector<std::string>)> done);
  ~Inspection();
  void start();

 private:
  class Line;
  enum class Pass : std::uint8_t { kRead, kCompare };
  void begin(Pass pass, std::vector<std::uint32_t> keys);
  void begin_more();
  void read(std::uint32_t key);
  void compare(std::uint32_t key);
  void answered(std::uint32_t key, std::string problem);
  void finished_pass();
  void give_up(const std::string& why);
  void problem(const std::string& what);
  Line& line_of(std::uint32_t key);

  env::Env& env_;
  std::uint32_t keys_;
  std::uint8_t n_;
  sim::ClientHistory& history_;
  std::function<void(std::vector<std::string>)> done_;
  std::vector<std::unique_ptr<Line>> lines_;
  Pass pass_ = Pass::kRead;
  std::uint32_t round_ = 0;
  std::vector<std::uint32_t> wanted_;
  std::size_t next_ = 0;
  std::size_t open_ = 0;
  std::vector<std::pair<std::uint32_t, std::string>> differing_;
  std::vector<std::string> problems_;
  bool over_ = false;
};

}  // namespace stator::torture
