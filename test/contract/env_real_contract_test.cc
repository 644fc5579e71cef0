#include <cstdlib>
#include <filesystem>

#include "contract/env_contract.h"
#include "env_real/runtime.h"

// The contract of src/env on real sockets and files: two runtimes in one process, on loopback.

namespace stator::env::contract {
namespace {

class RealWorld final : public World {
 public:
  RealWorld() {
    std::string name = (std::filesystem::temp_directory_path() / "stator_env_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~RealWorld() override { std::filesystem::remove_all(directory_); }
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  Env& here() override { return here_->shard_env(0); }
  Env& there() override { return there_->shard_env(0); }
  Address here_address() override { return {"127.0.0.1", 0}; }
  Address there_address() override { return {"127.0.0.1", 0}; }
  void restart_there() override {
    there_.reset();
    there_ = std::make_unique<Runtime>();
  }
  bool run_until(const std::function<bool()>& done, Duration limit) override {
    here_->turn({});
    const MonoTime end = here().executor.now() + limit;
    while (!done()) {
      if (here().executor.now() >= end) return false;
      const bool here_busy = here_->turn({});
      const bool there_busy = there_->turn({});
      if (!here_busy && !there_busy) here_->turn(milliseconds(1));
    }
    return true;
  }
  std::string directory() override { return directory_; }

 private:
  std::unique_ptr<Runtime> here_ = std::make_unique<Runtime>();
  std::unique_ptr<Runtime> there_ = std::make_unique<Runtime>();
  std::string directory_;
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Real, EnvContract, testing::Values(WorldFactory([] {
                           return std::unique_ptr<World>(std::make_unique<RealWorld>());
                         })));

}  // namespace stator::env::contract
