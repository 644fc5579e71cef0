#include "contract/env_contract.h"
#include "env_sim/world.h"

// The contract of src/env in the simulated world: two hosts on virtual time.

namespace stator::env::contract {
namespace {

class SimWorld final : public World {
 public:
  SimWorld() {
    world_.add_host("here");
    world_.add_host("there");
    start(0);
    start(1);
    world_.run_for(milliseconds(1));
    EXPECT_TRUE(world_.host(0).disk().create_directories("/data"));
    world_.host(0).disk().sync_all();
  }

  Env& here() override { return world_.host(0).process()->env(); }
  Env& there() override { return world_.host(1).process()->env(); }
  Address here_address() override { return {"here", 0}; }
  Address there_address() override { return {"there", 0}; }
  void restart_there() override {
    world_.host(1).kill();
    start(1);
  }
  bool run_until(const std::function<bool()>& done, Duration limit) override {
    const MonoTime end = world_.now() + limit;
    while (!done()) {
      if (world_.now() >= end) return false;
      // In small steps, so that time passes where nothing happens.
      const MonoTime step_end = world_.now() + milliseconds(1);
      while (world_.now() < step_end && !done()) world_.run_for(microseconds(10));
    }
    return true;
  }
  std::string directory() override { return "/data"; }

 private:
  void start(std::uint32_t host) {
    world_.host(host).start([](Env&) { return std::make_unique<sim::Program>(); });
  }
  sim::World world_{1};
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Sim, EnvContract, testing::Values(WorldFactory([] {
                           return std::unique_ptr<World>(std::make_unique<SimWorld>());
                         })));

}  // namespace stator::env::contract
