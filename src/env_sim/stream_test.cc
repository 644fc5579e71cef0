#include "env_sim/stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "env_sim/world.h"

namespace stator::sim {
namespace {

// One end of a connection, remote-controlled by the test through its Process.
struct Side {
  env::Stream* stream = nullptr;  // while open
  std::string received;
  std::size_t keep_back = 0;  // bytes of input that are never consumed
  bool refuse = false;
  int deliveries = 0;
  int drained = 0;
  int input_ends = 0;
  bool says_more = false;  // after the end of the input
  int closed = 0;
  int destroyed = 0;
  std::optional<ErrorCode> failed;
};

class SideHandler final : public env::StreamHandler {
 public:
  explicit SideHandler(Side& side) : side_(side) {}
  ~SideHandler() override { ++side_.destroyed; }
  std::size_t on_data(std::string_view bytes) override {
    ++side_.deliveries;
    if (bytes.size() <= side_.keep_back) return 0;
    const std::size_t taken = bytes.size() - side_.keep_back;
    side_.received.append(bytes.substr(0, taken));
    return taken;
  }
  void on_drained() override { ++side_.drained; }
  bool on_end_of_input() override {
    ++side_.input_ends;
    return side_.says_more;
  }
  void on_closed() override {
    ++side_.closed;
    side_.stream = nullptr;
  }

 private:
  Side& side_;
};

class Acceptor final : public Program, public env::StreamAcceptor {
 public:
  explicit Acceptor(Side& side) : side_(side) {}
  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override {
    if (side_.refuse) return nullptr;
    side_.stream = &stream;
    return std::make_unique<SideHandler>(side_);
  }
  std::unique_ptr<env::Listener> listener;

 private:
  Side& side_;
};

class SimStreamTest : public testing::Test {
 protected:
  SimStreamTest() {
    world_.add_host("client");
    world_.add_host("server");
  }
  void serve() {
    world_.host(1).start([this](env::Env& env) {
      auto acceptor = std::make_unique<Acceptor>(server_);
      acceptor->listener = *env.network.listen_streams({"server", 7379}, *acceptor);
      return acceptor;
    });
    world_.run_for(milliseconds(1));
  }
  void dial(Duration wait = seconds(1)) {
    if (!world_.host(0).running()) {
      world_.host(0).start([this](env::Env&) {
        auto acceptor = std::make_unique<Acceptor>(client_);
        dialler_ = acceptor.get();
        return acceptor;
      });
      world_.run_for(milliseconds(1));
    }
    on(0, [this] {
      world_.host(0).process()->env().network.connect_stream(
          {"server", 7379}, *dialler_, [this](const Error& error) { client_.failed = error.code; });
    });
    world_.run_for(wait);
  }
  void open() {
    serve();
    dial();
    ASSERT_NE(client_.stream, nullptr);
    ASSERT_NE(server_.stream, nullptr);
  }
  // In a turn of that host's process.
  template <typename Action>
  void on(std::uint32_t host, Action action) {
    world_.host(host).process()->loop().post(action);
  }
  void send(std::uint32_t host, std::string bytes) {
    on(host, [this, host, bytes = std::move(bytes)] {
      env::Stream* stream = host == 0 ? client_.stream : server_.stream;
      if (stream != nullptr) stream->output().append(bytes);
    });
  }

  World world_{9};
  Side client_;
  Side server_;
  Acceptor* dialler_ = nullptr;
};

TEST_F(SimStreamTest, BytesArriveInOrderBothWays) {
  open();
  EXPECT_EQ(server_.stream->remote().host, "client");
  send(0, "ping");
  send(0, " pong");
  send(1, "answer");
  world_.run_for(seconds(1));
  EXPECT_EQ(server_.received, "ping pong");
  EXPECT_EQ(client_.received, "answer");
}

TEST_F(SimStreamTest, NobodyListeningIsRefusedAndNobodyThereTimesOut) {
  dial(milliseconds(100));
  EXPECT_EQ(client_.failed, ErrorCode::kIo);
  client_.failed.reset();
  world_.host(1).crash();
  dial(seconds(1));
  EXPECT_FALSE(client_.failed);
  world_.run_for(seconds(2));
  EXPECT_EQ(client_.failed, ErrorCode::kTimeout);
}

TEST_F(SimStreamTest, ARefusedConnectionEnds) {
  server_.refuse = true;
  serve();
  dial();
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.destroyed, 1);
}

TEST_F(SimStreamTest, AwkwardPiecesJoinToTheSameBytes) {
  open();
  NetworkFaults faults;
  faults.chop = 1;
  faults.loss = 0.2;
  world_.wire().set_faults(faults);
  std::string sent;
  for (int i = 0; i < 50; ++i) {
    send(0, "message number " + std::to_string(i) + ";");
    sent += "message number " + std::to_string(i) + ";";
    world_.run_for(milliseconds(3));
  }
  world_.run_for(seconds(30));
  EXPECT_EQ(server_.received, sent);
  EXPECT_GT(server_.deliveries, 100);
}

// As of a system that takes a part of what it is given: the rest stays unsent, leaves by and by,
// and an end waits for it.
TEST_F(SimStreamTest, WhatTheSystemTakesInPartsArrivesWholeAndBeforeTheEnd) {
  open();
  world_.buggify().force("stream: a part is taken");
  std::string bytes;
  for (int i = 0; i < 30'000; ++i) bytes += std::to_string(i);
  send(0, bytes);
  world_.run_for(microseconds(50));
  EXPECT_GT(client_.stream->unsent(), 100'000U);
  on(0, [this] { client_.stream->close_after_flush(); });
  world_.run_for(seconds(5));
  EXPECT_EQ(server_.received, bytes);
  EXPECT_GT(server_.deliveries, 1'000);
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(server_.closed, 1);
}

TEST_F(SimStreamTest, WhatIsNotConsumedComesAgainWithMoreBehindIt) {
  open();
  server_.keep_back = 3;
  send(0, "abcd");
  world_.run_for(milliseconds(100));
  EXPECT_EQ(server_.received, "a");
  send(0, "ef");
  world_.run_for(milliseconds(100));
  EXPECT_EQ(server_.received, "abc");
}

TEST_F(SimStreamTest, APausedReaderHoldsTheSenderBackAndResumesWithNothingLost) {
  open();
  on(1, [this] { server_.stream->pause_reading(); });
  world_.run_for(milliseconds(10));
  std::string big;
  for (int i = 0; big.size() < 1'000'000; ++i) big += std::to_string(i) + ",";
  send(0, big);
  world_.run_for(seconds(1));
  EXPECT_EQ(server_.received, "");
  EXPECT_EQ(client_.stream->unsent(), big.size() - world_.wire().limits.socket_buffer);
  EXPECT_EQ(client_.drained, 0);
  on(1, [this] { server_.stream->resume_reading(); });
  world_.run_for(seconds(1));
  EXPECT_EQ(server_.received, big);
  EXPECT_EQ(client_.stream->unsent(), 0U);
  EXPECT_EQ(client_.drained, 1);
}

TEST_F(SimStreamTest, CloseAfterFlushDeliversAllThenEndsBothSides) {
  open();
  on(0, [this] {
    client_.stream->output().append(600'000, 'x');
    client_.stream->close_after_flush();
  });
  world_.run_for(seconds(1));
  EXPECT_EQ(server_.received.size(), 600'000U);
  EXPECT_EQ(server_.closed, 1);
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.destroyed, 1);
}

TEST_F(SimStreamTest, CloseNowEndsBothSides) {
  open();
  on(1, [this] { server_.stream->close_now(); });
  world_.run_for(seconds(1));
  EXPECT_EQ(server_.closed, 1);
  EXPECT_EQ(client_.closed, 1);
}

TEST_F(SimStreamTest, TheEndOfTheOutputCrossesACutWhenItHeals) {
  server_.says_more = true;
  open();
  world_.wire().set_cut(0, 1, true);
  on(0, [this] {
    client_.stream->output().append("all");
    client_.stream->end_output();
  });
  world_.run_for(seconds(2));
  EXPECT_EQ(server_.received, "");
  EXPECT_EQ(server_.input_ends, 0);
  world_.wire().heal();
  world_.run_for(seconds(2));
  EXPECT_EQ(server_.received, "all");
  EXPECT_EQ(server_.input_ends, 1);
  EXPECT_EQ(client_.closed, 0);
  send(1, "answer");
  on(1, [this] { server_.stream->close_after_flush(); });
  world_.run_for(seconds(2));
  EXPECT_EQ(client_.received, "answer");
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(server_.closed, 1);
}

TEST_F(SimStreamTest, APeerThatTakesNothingHoldsAClosingStreamForSomeSecondsOnly) {
  server_.says_more = true;
  open();
  on(0, [this] {
    client_.stream->pause_reading();
    client_.stream->end_output();
  });
  world_.run_for(seconds(1));
  on(1, [this] {
    server_.stream->output().append(2'000'000, 'x');
    server_.stream->close_after_flush();
  });
  world_.run_for(seconds(4));
  EXPECT_EQ(server_.closed, 0);
  world_.run_for(seconds(2));
  EXPECT_EQ(server_.closed, 1);
}

TEST_F(SimStreamTest, ACutStallsAndHealingDelivers) {
  open();
  world_.wire().set_cut(0, 1, true);
  send(0, "late");
  world_.run_for(seconds(2));
  EXPECT_EQ(server_.received, "");
  EXPECT_EQ(client_.stream->unsent(), 4U);
  world_.wire().heal();
  world_.run_for(seconds(60));
  EXPECT_EQ(server_.received, "late");
  EXPECT_EQ(client_.closed, 0);
}

TEST_F(SimStreamTest, ALongCutEndsBothSidesEachInItsTime) {
  open();
  world_.wire().set_cut(1, 0, true);
  world_.run_for(seconds(1));
  EXPECT_EQ(client_.closed + server_.closed, 0);
  world_.run_for(seconds(30));
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(server_.closed, 1);
}

TEST_F(SimStreamTest, AKilledServerResetsAndACrashedOneIsSilent) {
  open();
  world_.host(1).kill();
  EXPECT_EQ(server_.destroyed, 1);
  EXPECT_EQ(server_.closed, 0);  // the dead are not told
  world_.run_for(milliseconds(100));
  EXPECT_EQ(client_.closed, 1);
  serve();
  dial();
  world_.host(1).crash();
  world_.run_for(seconds(1));
  EXPECT_EQ(client_.closed, 1);
  world_.run_for(seconds(30));
  EXPECT_EQ(client_.closed, 2);
}

TEST_F(SimStreamTest, AServerThatRestartedBehindACutIsNoticedWhenTheCutHeals) {
  open();
  world_.wire().set_cut(0, 1, true);
  world_.wire().set_cut(1, 0, true);
  world_.host(1).kill();
  serve();
  world_.run_for(seconds(1));
  EXPECT_EQ(client_.closed, 0);
  world_.wire().heal();
  world_.run_for(seconds(1));
  EXPECT_EQ(client_.closed, 1);
}

TEST_F(SimStreamTest, AClientThatDiesBeforeItIsAcceptedLeavesNothingBehind) {
  serve();
  dial(Duration{});
  world_.host(1).pause();
  world_.run_for(milliseconds(50));
  world_.host(0).kill();
  world_.host(1).resume();
  world_.run_for(seconds(1));
  EXPECT_EQ(server_.stream, nullptr);
}

}  // namespace
}  // namespace stator::sim
