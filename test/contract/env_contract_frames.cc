#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "contract/env_contract.h"

namespace stator::env::contract {

namespace {

class Sink final : public FrameSink {
 public:
  void on_frame(std::string_view frame) override { frames.emplace(frame); }
  std::multiset<std::string> frames;
};

class Events final : public LinkEvents {
 public:
  void on_link_up() override { ++ups; }
  void on_link_down() override { ++downs; }
  int ups = 0;
  int downs = 0;
};

void send(FrameLink& link, std::string_view frame) {
  link.begin_frame().append(frame);
  link.end_frame();
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 257);
  return bytes;
}

}  // namespace

TEST_P(EnvContract, FramesArriveWhole) {
  Sink sink;
  Events events;
  const auto listener = there().network.listen_frames(world().there_address(), sink);
  ASSERT_TRUE(listener.has_value()) << listener.error().detail;
  const auto link = here().network.open_link((*listener)->address(), events);
  ASSERT_TRUE(run_until([&] { return link->up(); }));
  std::multiset<std::string> sent;
  here().executor.post([&] {
    for (const std::size_t size : {1UL, 2UL, 100UL, 65'535UL, 65'536UL, 1'000'003UL, 3UL}) {
      sent.insert(pattern(size));
      send(*link, pattern(size));
    }
  });
  ASSERT_TRUE(run_until([&] { return !sent.empty() && sink.frames.size() == sent.size(); }));
  EXPECT_TRUE(sink.frames == sent);
  EXPECT_EQ(events.ups, 1);
  EXPECT_EQ(events.downs, 0);
}

TEST_P(EnvContract, LargestFrameArrives) {
  Sink sink;
  Events events;
  const auto listener = there().network.listen_frames(world().there_address(), sink);
  ASSERT_TRUE(listener.has_value());
  const auto link = here().network.open_link((*listener)->address(), events);
  ASSERT_TRUE(run_until([&] { return link->up(); }));
  const std::string large = pattern(17UL * 1024 * 1024);
  here().executor.post([&] {
    send(*link, large);
    send(*link, "after it");
  });
  ASSERT_TRUE(run_until([&] { return sink.frames.size() == 2; }));
  EXPECT_TRUE(sink.frames.contains(large));
  EXPECT_TRUE(sink.frames.contains("after it"));
  EXPECT_EQ(link->unsent(), 0U);
}

TEST_P(EnvContract, FramesOfManyTurnsAllArrive) {
  Sink sink;
  Events events;
  const auto listener = there().network.listen_frames(world().there_address(), sink);
  ASSERT_TRUE(listener.has_value());
  const auto link = here().network.open_link((*listener)->address(), events);
  ASSERT_TRUE(run_until([&] { return link->up(); }));
  struct Sender {
    Executor& executor;
    FrameLink& link;
    int left = 500;
    void run() {
      send(link, "frame " + std::to_string(left));
      if (--left > 0) executor.post([this] { run(); });
    }
  } sender{here().executor, *link};
  sender.executor.post([&] { sender.run(); });
  ASSERT_TRUE(run_until([&] { return sink.frames.size() == 500; }));
  EXPECT_EQ(std::set<std::string>(sink.frames.begin(), sink.frames.end()).size(), 500U);
}

TEST_P(EnvContract, LinkGoesDownWithItsPeerAndUpWithTheNextOne) {
  Sink first;
  Sink second;
  Events events;
  auto listener = there().network.listen_frames(world().there_address(), first);
  ASSERT_TRUE(listener.has_value());
  const Address address = (*listener)->address();
  const auto link = here().network.open_link(address, events);
  ASSERT_TRUE(run_until([&] { return link->up(); }));
  here().executor.post([&] { send(*link, "to the first"); });
  ASSERT_TRUE(run_until([&] { return first.frames.size() == 1; }));

  listener->reset();
  world().restart_there();
  ASSERT_TRUE(run_until([&] { return events.downs == 1; }));
  EXPECT_FALSE(link->up());
  here().executor.post([&] { send(*link, "to nobody"); });
  run_for(milliseconds(50));
  EXPECT_EQ(link->unsent(), 0U);

  auto again = there().network.listen_frames(address, second);
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  ASSERT_TRUE(run_until([&] { return link->up(); }));
  EXPECT_EQ(events.ups, 2);
  here().executor.post([&] { send(*link, "to the second"); });
  ASSERT_TRUE(run_until([&] { return second.frames.contains("to the second"); }));
  EXPECT_FALSE(second.frames.contains("to nobody"));
}

TEST_P(EnvContract, LinkComesUpWhenThePeerStartsLater) {
  Sink sink;
  Events events;
  Address address;
  {
    const auto listener = there().network.listen_frames(world().there_address(), sink);
    ASSERT_TRUE(listener.has_value());
    address = (*listener)->address();
  }
  run_for(milliseconds(5));
  const auto link = here().network.open_link(address, events);
  run_for(milliseconds(100));
  EXPECT_FALSE(link->up());
  EXPECT_EQ(events.ups, 0);
  const auto listener = there().network.listen_frames(address, sink);
  ASSERT_TRUE(listener.has_value()) << listener.error().detail;
  ASSERT_TRUE(run_until([&] { return link->up(); }));
  EXPECT_EQ(events.ups, 1);
}

TEST_P(EnvContract, LinkThatIsGoneCallsNobody) {
  Sink sink;
  Events events;
  const auto listener = there().network.listen_frames(world().there_address(), sink);
  ASSERT_TRUE(listener.has_value());
  auto link = here().network.open_link((*listener)->address(), events);
  ASSERT_TRUE(run_until([&] { return link->up(); }));
  here().executor.post([&] { link.reset(); });
  run_for(milliseconds(50));
  EXPECT_EQ(events.ups, 1);
  EXPECT_EQ(events.downs, 0);
}

}  // namespace stator::env::contract
