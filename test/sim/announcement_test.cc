#include <gtest/gtest.h>

#include "cluster.h"
#include "wire/messages.h"

// What a node tells its peers about itself.

namespace stator::test {
namespace {

/// Takes the place of a member and keeps what pings tell it.
class Listening final : public sim::Program, public env::FrameSink {
 public:
  Listening(env::Env& env, const std::string& host, std::vector<std::string>& versions)
      : versions_(versions), listener_(*env.network.listen_frames({host, 7381}, *this)) {}
  void on_frame(std::string_view bytes) override {
    const auto frame = wire::decode_frame(bytes);
    ASSERT_TRUE(frame);
    if (frame->header.type != wire::MessageType::kPing) return;
    wire::Ping ping;
    ASSERT_TRUE(wire::decode_body(frame->body, ping));
    versions_.emplace_back(ping.info.version);
  }

 private:
  std::vector<std::string>& versions_;
  std::unique_ptr<env::Listener> listener_;
};

// Field 22 of a ping (docs/format/frames.md).
TEST(Announcement, TellsTheVersionOfTheProgram) {
  std::vector<std::string> versions;
  Cluster cluster(5, 2, 2, 1, 1, 16,
                  [](node::NodeOptions& options) { options.program_version = "9.8.7"; });
  cluster.host(1).kill();
  cluster.host(1).start(
      [&](env::Env& env) { return std::make_unique<Listening>(env, "n2", versions); });
  ASSERT_TRUE(cluster.run_until([&] { return versions.size() >= 2; }));
  for (const std::string& version : versions) EXPECT_EQ(version, "9.8.7");
}

}  // namespace
}  // namespace stator::test
