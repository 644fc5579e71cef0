#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "env/env.h"

// What src/env promises, as tests that run on every implementation of it. The tests are compiled
// once (env_contract_*.cc, library stator_env_contract); a binary per implementation instantiates
// them:
//
//   INSTANTIATE_TEST_SUITE_P(Real, EnvContract, testing::Values(WorldFactory(make_real_world)));
//
// inside namespace stator::env::contract, and links stator_env_contract.

namespace stator::env::contract {

/// Two machines that reach each other over a healthy network, driven by the test's thread. All
/// objects that a test makes on a machine are gone before that machine is.
class World {
 public:
  virtual ~World() = default;

  [[nodiscard]] virtual Env& here() = 0;
  [[nodiscard]] virtual Env& there() = 0;
  /// Host of a machine with port 0, to listen on.
  [[nodiscard]] virtual Address here_address() = 0;
  [[nodiscard]] virtual Address there_address() = 0;

  /// The process on `there` ends without a word and a new one starts on the same machine: its
  /// connections are broken, its listeners gone, its tasks and timers never run. Afterwards there()
  /// is the new process, and a port that the old one listened on can be listened on again.
  virtual void restart_there() = 0;

  /// Runs both machines until `done` says true (asked between turns). False when that did not
  /// happen within `limit` of their time.
  [[nodiscard]] virtual bool run_until(const std::function<bool()>& done, Duration limit) = 0;

  /// An existing, empty directory on the disk of here(), without a slash at its end.
  [[nodiscard]] virtual std::string directory() = 0;
};

/// Makes a fresh world for each test.
using WorldFactory = std::function<std::unique_ptr<World>()>;

class EnvContract : public testing::TestWithParam<WorldFactory> {
 protected:
  World& world() { return *world_; }
  Env& here() { return world_->here(); }
  Env& there() { return world_->there(); }
  [[nodiscard]] bool run_until(const std::function<bool()>& done, Duration limit = seconds(60)) {
    return world_->run_until(done, limit);
  }
  /// Lets both machines run for a while, for what must not happen.
  void run_for(Duration span) {
    const MonoTime start = here().executor.now();
    static_cast<void>(run_until([&] { return here().executor.now() - start >= span; }, span * 4));
  }

 private:
  std::unique_ptr<World> world_ = GetParam()();
};

}  // namespace stator::env::contract
