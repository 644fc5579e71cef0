#include "env_real/tcp_network.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "env_real/endpoint.h"
#include "env_real/frames.h"
#include "env_real/runtime.h"
#include "env_real/turn_share.h"

// What only real sockets can be asked; the rest is the contract's (test/contract).

namespace stator::env {
namespace {

const Address kAnyPort{"127.0.0.1", 0};

struct Counts {
  int accepted = 0;
  int closed = 0;
  std::size_t received = 0;
};

class CountingAcceptor final : public StreamAcceptor {
 public:
  explicit CountingAcceptor(Counts& counts) : counts_(counts) {}
  std::unique_ptr<StreamHandler> on_accept(Stream& stream) override {
    ++counts_.accepted;
    last = &stream;
    return std::make_unique<Handler>(counts_);
  }
  Stream* last = nullptr;

 private:
  class Handler final : public StreamHandler {
   public:
    explicit Handler(Counts& counts) : counts_(counts) {}
    std::size_t on_data(std::string_view bytes) override {
      counts_.received += bytes.size();
      return bytes.size();
    }
    void on_closed() override { ++counts_.closed; }

   private:
    Counts& counts_;
  };
  Counts& counts_;
};

/// What any of its streams receives goes to one function.
class Door final : public StreamAcceptor {
 public:
  using OnData = std::function<std::size_t(Stream&, std::string_view)>;
  explicit Door(OnData on_data) : on_data_(std::move(on_data)) {}
  std::unique_ptr<StreamHandler> on_accept(Stream& stream) override {
    streams.push_back(&stream);
    return std::make_unique<Handler>(on_data_, stream);
  }
  std::vector<Stream*> streams;

 private:
  class Handler final : public StreamHandler {
   public:
    Handler(const OnData& on_data, Stream& stream) : on_data_(on_data), stream_(stream) {}
    std::size_t on_data(std::string_view bytes) override { return on_data_(stream_, bytes); }
    void on_closed() override {}

   private:
    const OnData& on_data_;
    Stream& stream_;
  };
  OnData on_data_;
};

class Sink final : public FrameSink {
 public:
  void on_frame(std::string_view frame) override { frames.emplace_back(frame); }
  std::vector<std::string> frames;
};

class NoEvents final : public LinkEvents {
 public:
  void on_link_up() override {}
  void on_link_down() override {}
};

// A blocking client that is no part of the environment.
Descriptor plain_client(const Address& address) {
  const Endpoint endpoint = resolve(address)->front();
  Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(client.get(), &endpoint.any, endpoint.size()), 0);
  return client;
}

void send_all(const Descriptor& client, std::string_view bytes) {
  EXPECT_EQ(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

std::string framed(std::string_view frame) {
  std::string bytes;
  append_u32(bytes, static_cast<std::uint32_t>(frame.size()));
  return bytes.append(frame);
}

bool is_closed_by_peer(const Descriptor& client) {
  char byte = 0;
  return ::recv(client.get(), &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

TEST(TcpNetwork, AnswerOfTheTurnInWhichThePeerEndedStillLeaves) {
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  Door echo([](Stream& stream, std::string_view bytes) {
    stream.output().append(bytes);
    return bytes.size();
  });
  const auto listener = env.network.listen_streams(kAnyPort, echo);
  ASSERT_TRUE(listener.has_value());
  const Descriptor client = plain_client((*listener)->address());
  send_all(client, "PING\r\n");
  ::shutdown(client.get(), SHUT_WR);
  std::string answer;
  ASSERT_TRUE(runtime.run_until(
      [&] {
        char buffer[64];
        const ssize_t got = ::recv(client.get(), buffer, sizeof buffer, MSG_DONTWAIT);
        if (got > 0) answer.append(buffer, static_cast<std::size_t>(got));
        return got == 0;
      },
      seconds(60)));
  EXPECT_EQ(answer, "PING\r\n");
}

// Keeps its streams at the end of their input, and closes none.
class PatientAcceptor final : public StreamAcceptor {
 public:
  std::unique_ptr<StreamHandler> on_accept(Stream& stream) override {
    last = &stream;
    return std::make_unique<Handler>(*this);
  }
  Stream* last = nullptr;
  int input_ends = 0;
  int closed = 0;

 private:
  class Handler final : public StreamHandler {
   public:
    explicit Handler(PatientAcceptor& owner) : owner_(owner) {}
    std::size_t on_data(std::string_view bytes) override { return bytes.size(); }
    bool on_end_of_input() override {
      ++owner_.input_ends;
      return true;
    }
    void on_closed() override { ++owner_.closed; }

   private:
    PatientAcceptor& owner_;
  };
};

TEST(TcpNetwork, AHalfClosedConnectionCostsNoTurnsUntilItIsReset) {
  Runtime runtime;
  PatientAcceptor acceptor;
  const auto listener = runtime.shard_env(0).network.listen_streams(kAnyPort, acceptor);
  ASSERT_TRUE(listener.has_value());
  Descriptor client = plain_client((*listener)->address());
  // Urgent data is never read here, and must not wake the loop again and again either.
  ASSERT_EQ(::send(client.get(), "!", 1, MSG_OOB), 1);
  ::shutdown(client.get(), SHUT_WR);
  ASSERT_TRUE(runtime.run_until([&] { return acceptor.input_ends == 1; }, seconds(60)));
  int turns = 0;
  EXPECT_FALSE(runtime.run_until([&] { return ++turns < 0; }, milliseconds(200)));
  EXPECT_LT(turns, 20);
  EXPECT_EQ(acceptor.closed, 0);
}

TEST(TcpNetwork, AResetOfAHalfClosedConnectionEndsItThoughNothingIsSent) {
  Runtime runtime;
  PatientAcceptor acceptor;
  const auto listener = runtime.shard_env(0).network.listen_streams(kAnyPort, acceptor);
  ASSERT_TRUE(listener.has_value());
  Descriptor client = plain_client((*listener)->address());
  send_all(client, "question");
  ::shutdown(client.get(), SHUT_WR);
  ASSERT_TRUE(runtime.run_until([&] { return acceptor.input_ends == 1; }, seconds(60)));
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
  client = Descriptor();
  EXPECT_TRUE(runtime.run_until([&] { return acceptor.closed == 1; }, seconds(60)));
  EXPECT_EQ(acceptor.input_ends, 1);
}

TEST(TcpNetwork, RunTellsOpenStreamsThatTheLoopEnds) {
  Counts counts;
  CountingAcceptor acceptor(counts);
  Runtime runtime;
  const auto listener = runtime.shard_env(0).network.listen_streams(kAnyPort, acceptor);
  ASSERT_TRUE(listener.has_value());
  const Descriptor client = plain_client((*listener)->address());
  ASSERT_TRUE(runtime.run_until([&] { return counts.accepted == 1; }, seconds(60)));
  runtime.stop();
  runtime.run();
  EXPECT_EQ(counts.closed, 1);
  EXPECT_TRUE(is_closed_by_peer(client));
}

// Whatever is read from its connection, more is sent, up to a sum that takes thousands of turns.
struct Flood {
  static constexpr std::size_t kEnd = 256 << 20;
  Descriptor sender;
  std::size_t sent = 0;
  std::function<void()> on_read;

  void send_more() {
    static const std::string bytes(1 << 20, 'f');
    if (sent >= kEnd) return;
    const ssize_t taken =
        ::send(sender.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken > 0) sent += static_cast<std::size_t>(taken);
  }
};

class FloodedAcceptor final : public StreamAcceptor {
 public:
  explicit FloodedAcceptor(Flood& flood) : flood_(flood) {}
  std::unique_ptr<StreamHandler> on_accept(Stream&) override {
    return std::make_unique<Handler>(flood_);
  }

 private:
  class Handler final : public StreamHandler {
   public:
    explicit Handler(Flood& flood) : flood_(flood) {}
    std::size_t on_data(std::string_view bytes) override {
      flood_.send_more();
      flood_.on_read();
      return bytes.size();
    }
    void on_closed() override {}

   private:
    Flood& flood_;
  };
  Flood& flood_;
};

TEST(TcpNetwork, WhoSendsWithoutEndKeepsNobodyFromBeingHeardAndNoTimerFromFiring) {  // P9
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  Flood flood;
  FloodedAcceptor flooded(flood);
  Counts counts;
  CountingAcceptor quiet(counts);
  const auto flooded_door = env.network.listen_streams(kAnyPort, flooded);
  const auto quiet_door = env.network.listen_streams(kAnyPort, quiet);
  ASSERT_TRUE(flooded_door.has_value() && quiet_door.has_value());
  flood.sender = plain_client((*flooded_door)->address());
  const Descriptor other = plain_client((*quiet_door)->address());
  ASSERT_TRUE(runtime.run_until([&] { return counts.accepted == 1; }, seconds(60)));
  bool fired = false;
  bool asked = false;
  flood.on_read = [&] {
    if (asked || flood.sent < 4 << 20) return;
    asked = true;  // in the midst of it
    send_all(other, "x");
    env.executor.after({}, [&] { fired = true; });
  };
  flood.send_more();
  ASSERT_TRUE(runtime.run_until([&] { return counts.received == 1 && fired; }, seconds(60)));
  EXPECT_LT(flood.sent, Flood::kEnd / 8);
}

/// One client's input of `size` is left where it is, and then taken in bites, one per turn, while
/// another one says a word. How many bites later is it heard?
std::size_t bites_until_heard(std::size_t bite, std::size_t size, std::size_t bites_max) {
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  std::size_t kept = 0;
  std::size_t bites = 0;
  bool hungry = false;
  Door nibbler([&](Stream& stream, std::string_view bytes) -> std::size_t {
    kept = bytes.size();
    if (!hungry) return 0;
    ++bites;
    stream.pause_reading();
    env.executor.post([&stream] { stream.resume_reading(); });
    return std::min(bite, bytes.size());
  });
  Counts counts;
  CountingAcceptor quiet(counts);
  const auto large_door = env.network.listen_streams(kAnyPort, nibbler);
  const auto quiet_door = env.network.listen_streams(kAnyPort, quiet);
  EXPECT_TRUE(large_door.has_value() && quiet_door.has_value());
  const Descriptor large = plain_client((*large_door)->address());
  const Descriptor other = plain_client((*quiet_door)->address());
  EXPECT_TRUE(runtime.run_until([&] { return counts.accepted == 1; }, seconds(60)));
  const std::string bytes(16 * 1024, 'x');
  const auto send_more = [&] {
    return ::send(large.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  };
  EXPECT_TRUE(runtime.run_until(
      [&] {
        if (kept < size) static_cast<void>(send_more());
        return kept >= size;
      },
      seconds(60)));
  hungry = true;
  send_all(large, "x");
  EXPECT_TRUE(runtime.run_until([&] { return bites > 2; }, seconds(60)));
  send_all(other, "x");
  const std::size_t before = bites;
  EXPECT_TRUE(runtime.run_until([&] { return counts.received == 1 || bites - before > bites_max; },
                                seconds(60)));
  return bites - before;
}

TEST(TcpNetwork, WhatIsKeptForOneTakesNoPartOfTheTurnFromOthers) {  // P9
  constexpr std::size_t kBitesMax = 20'000;
  EXPECT_LT(bites_until_heard(1, 256 * 1024, kBitesMax), kBitesMax);
}

// As a pipeline of large writes on one key: each turn it is handed what it had to leave.
TEST(TcpNetwork, WhoIsHandedMuchInEveryTurnKeepsNobodyFromBeingHeard) {  // P9
  constexpr std::size_t kBite = 2 * TurnShare::kBytes;
  constexpr std::size_t kBites = 100;
  EXPECT_LT(bites_until_heard(kBite, kBites * kBite, kBites / 2), kBites / 2);
}

// What is left for a later turn because others had theirs comes then.
TEST(TcpNetwork, AllThatAreHandedMuchHaveTheirTurn) {
  constexpr std::size_t kStreams = 20;
  constexpr std::size_t kBytes = 3 * TurnShare::kBytes;
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  std::size_t full = 0;
  std::size_t handed = 0;
  bool open = false;
  Door keeper([&](Stream& stream, std::string_view bytes) -> std::size_t {
    if (open) {
      ++handed;
      return bytes.size();
    }
    if (bytes.size() < kBytes) return 0;
    ++full;
    stream.pause_reading();
    return 0;
  });
  const auto door = env.network.listen_streams(kAnyPort, keeper);
  ASSERT_TRUE(door.has_value());
  std::vector<Descriptor> clients;
  std::vector<std::size_t> sent(kStreams, 0);
  const std::string bytes(kBytes, 'x');
  for (std::size_t i = 0; i < kStreams; ++i) clients.push_back(plain_client((*door)->address()));
  ASSERT_TRUE(runtime.run_until(
      [&] {
        for (std::size_t i = 0; i < kStreams; ++i) {
          const ssize_t taken =
              ::send(clients[i].get(), bytes.data(), kBytes - sent[i], MSG_DONTWAIT | MSG_NOSIGNAL);
          if (taken > 0) sent[i] += static_cast<std::size_t>(taken);
        }
        return full == kStreams;
      },
      seconds(60)));
  open = true;
  env.executor.post([&] {
    for (Stream* stream : keeper.streams) stream->resume_reading();
  });
  runtime.turn({});
  EXPECT_GT(handed, 0U);
  EXPECT_LT(handed, kStreams) << "each is a whole share";
  EXPECT_TRUE(runtime.run_until([&] { return handed == kStreams; }, seconds(60)));
}

TEST(TcpNetwork, WhatIsSentNowDoesNotWaitForTheEndOfTheTurn) {  // G21
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  bool asked = false;
  Door refuser([&](Stream& stream, std::string_view bytes) {
    stream.output().append("no");
    stream.send_now();
    stream.output().append("!");
    asked = true;
    return bytes.size();
  });
  const auto door = env.network.listen_streams(kAnyPort, refuser);
  ASSERT_TRUE(door.has_value());
  const Descriptor client = plain_client((*door)->address());
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  ASSERT_EQ(::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  std::string heard;
  const auto hear = [&] {
    char buffer[16];
    const ssize_t got = ::recv(client.get(), buffer, sizeof buffer, 0);
    if (got > 0) heard.append(buffer, static_cast<std::size_t>(got));
  };
  env.executor.at_turn_end([&] {
    if (asked && heard.empty()) hear();  // it would wait in vain for the end of the turn
    return false;
  });
  send_all(client, "may I?");
  ASSERT_TRUE(runtime.run_until([&] { return asked; }, seconds(60)));
  EXPECT_EQ(heard, "no");
  hear();
  EXPECT_EQ(heard, "no!");
}

TEST(TcpNetwork, DestroyedRuntimeCallsNobody) {
  Counts counts;
  CountingAcceptor acceptor(counts);
  {
    Runtime runtime;
    const auto listener = runtime.shard_env(0).network.listen_streams(kAnyPort, acceptor);
    ASSERT_TRUE(listener.has_value());
    const Descriptor client = plain_client((*listener)->address());
    ASSERT_TRUE(runtime.run_until([&] { return counts.accepted == 1; }, seconds(60)));
  }
  EXPECT_EQ(counts.closed, 0);
}

TEST(TcpNetwork, FramesCutAnywhereArriveWhole) {
  Runtime runtime;
  Sink sink;
  const auto listener = runtime.shard_env(0).network.listen_frames(kAnyPort, sink);
  ASSERT_TRUE(listener.has_value());
  const Descriptor client = plain_client((*listener)->address());
  const std::string bytes = framed("") + framed("abc") + framed(std::string(100'000, 'x'));
  for (std::size_t cut = 0; cut <= 12; ++cut) {
    sink.frames.clear();
    send_all(client, bytes.substr(0, cut));
    runtime.turn(milliseconds(5));
    send_all(client, bytes.substr(cut));
    ASSERT_TRUE(runtime.run_until([&] { return sink.frames.size() == 3; }, seconds(60))) << cut;
    EXPECT_EQ(sink.frames[0], "");
    EXPECT_EQ(sink.frames[1], "abc");
    EXPECT_EQ(sink.frames[2], std::string(100'000, 'x'));
  }
}

long resident_kib() {
  long pages = 0;
  long resident = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  EXPECT_EQ(std::fscanf(file, "%ld %ld", &pages, &resident), 2);
  std::fclose(file);
  return resident * 4;
}

TEST(TcpNetwork, AnnouncedSizesCostNothing) {
  Runtime runtime;
  Sink sink;
  const auto listener = runtime.shard_env(0).network.listen_frames(kAnyPort, sink);
  ASSERT_TRUE(listener.has_value());
  const long before = resident_kib();
  std::vector<Descriptor> boasters;
  for (int i = 0; i < 100; ++i) {
    boasters.push_back(plain_client((*listener)->address()));
    std::string bytes;
    append_u32(bytes, FrameLink::kFrameMax);
    send_all(boasters.back(), bytes + "x");
  }
  const Descriptor liar = plain_client((*listener)->address());
  std::string bytes;
  append_u32(bytes, FrameLink::kFrameMax + 1);
  send_all(liar, bytes);
  ASSERT_TRUE(runtime.run_until([&] { return is_closed_by_peer(liar); }, seconds(60)));
  EXPECT_FALSE(is_closed_by_peer(boasters.front()));
  EXPECT_LT(resident_kib() - before, 20'000);
}

TEST(TcpNetwork, StrangersAtThePeersPortDoNotKeepTheirPlaces) {
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  Sink sink;
  const auto listener = env.network.listen_frames(kAnyPort, sink);
  ASSERT_TRUE(listener.has_value());
  const Descriptor silent = plain_client((*listener)->address());
  const Descriptor boasting = plain_client((*listener)->address());
  const Descriptor peer = plain_client((*listener)->address());
  send_all(boasting, framed("never whole").substr(0, 6));
  send_all(peer, framed("a frame"));
  EXPECT_TRUE(
      runtime.run_until([&] { return is_closed_by_peer(silent) && is_closed_by_peer(boasting); },
                        kFirstFrameWait + seconds(10)));
  send_all(peer, framed("another"));
  EXPECT_TRUE(runtime.run_until([&] { return sink.frames.size() == 2; }, seconds(10)));
  EXPECT_FALSE(is_closed_by_peer(peer));
}

TEST(TcpNetwork, ALargeFirstFrameOverAThinLineIsWaitedFor) {
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  Sink sink;
  const auto listener = env.network.listen_frames(kAnyPort, sink);
  ASSERT_TRUE(listener.has_value());
  const Descriptor peer = plain_client((*listener)->address());
  const std::string frame = framed(std::string(7 * kFirstFrameProgress, 'x'));
  for (std::size_t sent = 0; sent < frame.size(); sent += kFirstFrameProgress) {
    send_all(peer, frame.substr(sent, kFirstFrameProgress));
    ASSERT_FALSE(runtime.run_until([&] { return is_closed_by_peer(peer); }, kFirstFrameWait / 4));
  }
  EXPECT_TRUE(runtime.run_until([&] { return sink.frames.size() == 1; }, seconds(10)));
}

TEST(TcpNetwork, LinkDropsFramesAboveItsLimitAndRecovers) {
  Runtime runtime;
  Env& env = runtime.shard_env(0);
  NoEvents events;
  // A peer that takes nothing until it is told to.
  Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Endpoint endpoint = resolve(kAnyPort)->front();
  ASSERT_EQ(::bind(listening.get(), &endpoint.any, endpoint.size()), 0);
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  const auto link = env.network.open_link(local_address(listening.get()), events);
  ASSERT_TRUE(runtime.run_until([&] { return link->up(); }, seconds(60)));
  const Descriptor peer(::accept(listening.get(), nullptr, nullptr));

  const std::string frame(1024 * 1024, 'x');
  const auto send = [&](std::string_view bytes) {
    link->begin_frame().append(bytes);
    link->end_frame();
  };
  std::vector<char> buffer(4 * 1024 * 1024);
  std::size_t taken = 0;
  const auto take = [&] {
    const ssize_t got = ::recv(peer.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) taken += static_cast<std::size_t>(got);
    return got;
  };
  for (int i = 0; link->unsent() <= kLinkUnsentMax && i < 1'000; ++i) {
    send(frame);
    runtime.turn({});
    // One that takes nothing for five seconds is given up, and a machine may need them for this.
    if (i % 8 == 0) static_cast<void>(take());
  }
  for (int i = 0; i < 10; ++i) {
    send(frame);
    runtime.turn({});
  }
  EXPECT_LE(link->unsent(), kLinkUnsentMax + frame.size() + kFrameHeaderBytes);
  EXPECT_GT(link->unsent(), kLinkUnsentMax / 2);
  const std::size_t full = link->unsent();
  send(std::string(FrameLink::kFrameMax + 1, 'y'));
  EXPECT_EQ(link->unsent(), full);

  // What the link has handed over may wait in the kernel until it asks again whether there is room.
  for (int idle = 0; idle < 1'000;) {
    const ssize_t got = take();
    idle = got > 0 ? 0 : idle + 1;
    runtime.turn(milliseconds(1));
    const bool whole = taken % (frame.size() + kFrameHeaderBytes) == 0;
    if (link->unsent() == 0 && whole && idle > 20) break;
  }
  ASSERT_TRUE(link->up());
  EXPECT_GT(taken, kLinkUnsentMax);
  EXPECT_EQ(taken % (frame.size() + kFrameHeaderBytes), 0U);
  send(std::string(FrameLink::kFrameMax + 1, 'y'));
  EXPECT_EQ(link->unsent(), 0U);
}

TEST(TcpNetwork, AcceptingPausesWithoutDescriptorsAndResumes) {
  Counts counts;
  CountingAcceptor acceptor(counts);
  Runtime runtime;
  const auto listener = runtime.shard_env(0).network.listen_streams(kAnyPort, acceptor);
  ASSERT_TRUE(listener.has_value());
  const Descriptor client = plain_client((*listener)->address());
  // Use up every number below the limit.
  std::vector<Descriptor> hogs;
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit low{.rlim_cur = 64, .rlim_max = old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  for (;;) {
    Descriptor hog(::dup(client.get()));
    if (!hog) break;
    hogs.push_back(std::move(hog));
  }
  int turns = 0;
  EXPECT_FALSE(runtime.run_until([&] { return ++turns < 0; }, milliseconds(250)));
  EXPECT_EQ(counts.accepted, 0);
  EXPECT_LT(turns, 30);  // it waits instead of asking again and again
  hogs.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_TRUE(runtime.run_until([&] { return counts.accepted == 1; }, seconds(60)));
}

TEST(TcpNetwork, NamesThatAreNoneFailToListenAndToDial) {
  Counts counts;
  CountingAcceptor acceptor(counts);
  Runtime runtime;
  Network& network = runtime.shard_env(0).network;
  // A label of more than 63 letters: no name server is asked.
  const std::string name = std::string(64, 'x') + ".invalid";
  const Address nowhere{name, 1};
  const auto listener = network.listen_streams(nowhere, acceptor);
  ASSERT_FALSE(listener.has_value());
  EXPECT_THAT(listener.error().detail, testing::HasSubstr(name));
  std::string failed;
  network.connect_stream(nowhere, acceptor, [&](const Error& error) { failed = error.detail; });
  ASSERT_TRUE(runtime.run_until([&] { return !failed.empty(); }, seconds(60)));
  EXPECT_THAT(failed, testing::HasSubstr(name));
}

TEST(TcpNetwork, LocalhostIsLoopbackWithoutAskingAnybody) {
  EXPECT_TRUE(resolves_at_once({"localhost", 1}));
  EXPECT_FALSE(resolves_at_once({"example", 1}));
  Counts counts;
  CountingAcceptor acceptor(counts);
  Runtime runtime;
  Network& network = runtime.shard_env(0).network;
  const auto listener = network.listen_streams({"localhost", 0}, acceptor);
  ASSERT_TRUE(listener.has_value());
  EXPECT_EQ((*listener)->address().host, "127.0.0.1");
  const Address address{"localhost", (*listener)->address().port};
  network.connect_stream(address, acceptor, [](const Error&) {});
  EXPECT_TRUE(runtime.run_until([&] { return counts.accepted == 2; }, seconds(60)));
}

TEST(TcpNetwork, Ipv6WorksOrTheMachineHasNone) {
  Counts counts;
  CountingAcceptor acceptor(counts);
  Runtime runtime;
  Network& network = runtime.shard_env(0).network;
  const auto listener = network.listen_streams({"::1", 0}, acceptor);
  if (!listener) {
    EXPECT_THAT(listener.error().detail, testing::HasSubstr("cannot listen on [::1]:0"));
    return;
  }
  network.connect_stream((*listener)->address(), acceptor, [](const Error&) {});
  ASSERT_TRUE(runtime.run_until([&] { return counts.accepted == 2; }, seconds(60)));
  EXPECT_EQ(acceptor.last->remote().host, "::1");
}

TEST(TcpNetworkShards, ConnectionsAreDealtOutInTurn) {
  constexpr int kClients = 40;
  Runtime runtime(2);
  Counts counts[2];  // each touched by its shard only
  CountingAcceptor acceptors[2] = {CountingAcceptor(counts[0]), CountingAcceptor(counts[1])};
  auto first = runtime.shard_env(0).network.listen_streams(kAnyPort, acceptors[0]);
  auto second = runtime.shard_env(1).network.listen_streams(kAnyPort, acceptors[1]);
  ASSERT_TRUE(first.has_value() && second.has_value());
  const Address address = (*first)->address();
  EXPECT_EQ((*second)->address(), address);
  std::vector<Descriptor> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(plain_client(address));
    send_all(clients.back(), "hello");
  }
  // Shard 1 reports; shard 0 asks again until all have come.
  std::size_t received_by_one = 0;
  std::function<void()> ask = [&] {
    runtime.shard_env(0).executor.post_to(1, [&] {
      runtime.shard_env(1).executor.post_to(0, [&, received = counts[1].received] {
        received_by_one = received;
        ask();
      });
    });
  };
  runtime.shard_env(0).executor.post([&] { ask(); });
  ASSERT_TRUE(runtime.run_until(
      [&] { return counts[0].received + received_by_one == kClients * 5; }, seconds(60)));
  runtime.shut_down();
  EXPECT_EQ(counts[0].accepted, kClients / 2);
  EXPECT_EQ(counts[1].accepted, kClients / 2);
  EXPECT_EQ(counts[0].closed + counts[1].closed, kClients);
}

TEST(TcpNetworkShards, ShardThatLeftGetsNoMoreAndTheLastOneClosesTheSocket) {
  Runtime runtime(2);
  Counts counts[2];
  CountingAcceptor acceptors[2] = {CountingAcceptor(counts[0]), CountingAcceptor(counts[1])};
  auto binder = runtime.shard_env(0).network.listen_streams(kAnyPort, acceptors[0]);
  auto joined = runtime.shard_env(1).network.listen_streams(kAnyPort, acceptors[1]);
  ASSERT_TRUE(binder.has_value() && joined.has_value());
  const Address address = (*binder)->address();
  joined->reset();
  std::vector<Descriptor> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(plain_client(address));
  ASSERT_TRUE(runtime.run_until([&] { return counts[0].accepted == 4; }, seconds(60)));
  binder->reset();
  const Endpoint endpoint = resolve(address)->front();
  const Descriptor late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(::connect(late.get(), &endpoint.any, endpoint.size()), 0);
  runtime.shut_down();
  EXPECT_EQ(counts[1].accepted, 0);
}

}  // namespace
}  // namespace stator::env
