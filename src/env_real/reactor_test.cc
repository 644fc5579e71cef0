#include "env_real/reactor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "env_real/descriptor.h"

namespace stator::env {
namespace {

constexpr std::size_t kEnoughForATurn = std::size_t{1} << 20;

/// One end of a pipe, which notes in `order` when it is told that there is something to read.
class Pipe final : public Watcher {
 public:
  Pipe(Reactor& reactor, int number, std::size_t work, std::vector<int>& order,
       Part part = Part::kDoors)
      : reactor_(reactor), number_(number), work_(work), order_(order) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    write_end_ = Descriptor(ends[1]);
    EXPECT_TRUE(watch_.open(reactor, Descriptor(ends[0]), *this, part));
    watch_.await_readable();
  }
  void write() const { EXPECT_EQ(::write(write_end_.get(), "x", 1), 1); }
  void on_readable() override {
    char byte = 0;
    EXPECT_EQ(::read(watch_.descriptor(), &byte, 1), 1);
    order_.push_back(number_);
    if (takes_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(takes_ms));
    reactor_.worked(work_);
    watch_.await_readable();
  }

  int takes_ms = 0;

 private:
  Reactor& reactor_;
  int number_;
  std::size_t work_;
  std::vector<int>& order_;
  Descriptor write_end_;
  Watch watch_;
};

TEST(Reactor, TellsTheRestInTheNextTurnWhenOneHadEnough) {
  Reactor reactor;
  std::vector<int> order;
  const Pipe small(reactor, 1, 10, order);
  const Pipe large(reactor, 2, kEnoughForATurn, order);
  const Pipe third(reactor, 3, kEnoughForATurn, order);
  const Pipe last(reactor, 4, 10, order);
  for (const Pipe* pipe : {&small, &large, &third, &last}) pipe->write();

  EXPECT_EQ(reactor.wait({-1}), 4U);
  reactor.dispatch(Part::kDoors);
  EXPECT_TRUE(reactor.worked_enough());
  EXPECT_FALSE(reactor.round_over());
  EXPECT_EQ(order, (std::vector{1, 2}));

  small.write();  // whoever comes again comes after those who have not been told yet
  EXPECT_EQ(reactor.wait({-1}), 2U);
  reactor.dispatch(Part::kDoors);
  EXPECT_FALSE(reactor.round_over());
  EXPECT_EQ(order, (std::vector{1, 2, 3}));

  EXPECT_EQ(reactor.wait({-1}), 1U);
  reactor.dispatch(Part::kDoors);
  EXPECT_TRUE(reactor.round_over());
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));

  EXPECT_EQ(reactor.wait({-1}), 1U);
  EXPECT_FALSE(reactor.round_over());
  reactor.dispatch(Part::kDoors);
  EXPECT_TRUE(reactor.round_over());
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4, 1}));
}

TEST(Reactor, HoweverMuchPeersBringEveryTurnHearsTheClients) {  // G21
  Reactor reactor;
  std::vector<int> order;
  const Pipe peer(reactor, 1, kEnoughForATurn, order, Part::kPeers);
  const Pipe other_peer(reactor, 2, kEnoughForATurn, order, Part::kPeers);
  const Pipe client(reactor, 3, 10, order);
  const auto turn = [&] {
    reactor.dispatch(Part::kDoors);
    reactor.dispatch(Part::kPeers);
  };
  for (const Pipe* pipe : {&peer, &other_peer, &client}) pipe->write();
  EXPECT_EQ(reactor.wait({-1}), 3U);
  turn();
  EXPECT_EQ(order, (std::vector{3, 1}));
  EXPECT_FALSE(reactor.round_over());

  // Asked again, though a peer was not told yet; which is not told twice for it.
  client.write();
  peer.write();
  EXPECT_EQ(reactor.wait({-1}), 3U);
  turn();
  EXPECT_EQ(order, (std::vector{3, 1, 3, 2}));
  EXPECT_TRUE(reactor.round_over()) << "what came later is of the next one, or none would end";

  EXPECT_EQ(reactor.wait({-1}), 1U);
  EXPECT_FALSE(reactor.round_over());
  turn();
  EXPECT_EQ(order, (std::vector{3, 1, 3, 2, 1}));
  EXPECT_TRUE(reactor.round_over());
}

TEST(Reactor, APeerIsToldInEveryTurnHoweverManyClientsWait) {
  Reactor reactor;
  std::vector<int> order;
  const Pipe client(reactor, 1, kEnoughForATurn, order);
  const Pipe other_client(reactor, 2, kEnoughForATurn, order);
  const Pipe last_client(reactor, 3, kEnoughForATurn, order);
  const Pipe peer(reactor, 4, kEnoughForATurn, order, Part::kPeers);
  const Pipe other_peer(reactor, 5, kEnoughForATurn, order, Part::kPeers);
  const auto turn = [&] {
    reactor.dispatch(Part::kDoors);
    reactor.dispatch(Part::kPeers);
  };
  for (const Pipe* pipe : {&client, &other_client, &last_client}) pipe->write();
  peer.write();
  peer.write();  // which it reads one by one
  EXPECT_EQ(reactor.wait({-1}), 4U);
  turn();
  EXPECT_EQ(order, (std::vector{1, 4}));
  EXPECT_EQ(reactor.wait({-1}), 3U);
  turn();
  EXPECT_EQ(order, (std::vector{1, 4, 2, 4}));
  other_peer.write();  // while the last client has waited since the beginning
  EXPECT_EQ(reactor.wait({-1}), 2U);
  turn();
  EXPECT_EQ(order, (std::vector{1, 4, 2, 4, 3, 5}));
  EXPECT_EQ(reactor.wait({}), 0U);
}

TEST(Reactor, ARoundThatIsExtendedEndsWhenWhatCameMeanwhileIsToldToo) {  // design 4.4
  Reactor reactor;
  std::vector<int> order;
  const Pipe peer(reactor, 1, kEnoughForATurn, order, Part::kPeers);
  const Pipe other_peer(reactor, 2, kEnoughForATurn, order, Part::kPeers);
  peer.write();
  other_peer.write();
  EXPECT_EQ(reactor.wait({-1}), 2U);
  reactor.dispatch(Part::kPeers);
  peer.write();
  EXPECT_EQ(reactor.wait({-1}), 2U);
  reactor.extend_round();
  reactor.dispatch(Part::kPeers);
  EXPECT_FALSE(reactor.round_over());
  // Once only: who is stopped again and again has timers, too.
  other_peer.write();
  EXPECT_EQ(reactor.wait({-1}), 2U);
  reactor.extend_round();
  reactor.dispatch(Part::kPeers);
  EXPECT_TRUE(reactor.round_over());
  EXPECT_EQ(order, (std::vector{1, 2, 1}));
}

// A process that was stopped hears of its peers before it thinks that they were silent.
TEST(Reactor, ARoundThatIsExtendedHearsOfThoseForWhomNobodyHasAsked) {  // design 4.4
  Reactor reactor;
  std::vector<int> order;
  const Pipe client(reactor, 1, kEnoughForATurn, order);
  const Pipe other_client(reactor, 2, kEnoughForATurn, order);
  const Pipe peer(reactor, 3, kEnoughForATurn, order, Part::kPeers);
  client.write();
  other_client.write();
  EXPECT_EQ(reactor.wait({-1}), 2U);
  reactor.dispatch(Part::kDoors);
  EXPECT_EQ(reactor.wait({-1}), 1U);
  peer.write();
  client.write();
  reactor.extend_round();
  reactor.dispatch(Part::kDoors);
  reactor.dispatch(Part::kPeers);
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_FALSE(reactor.round_over());
  EXPECT_EQ(reactor.wait({-1}), 1U);
  reactor.dispatch(Part::kDoors);
  EXPECT_EQ(order, (std::vector{1, 2, 3, 1}));
  EXPECT_TRUE(reactor.round_over());
}

TEST(Reactor, APartOfATurnEndsInTimeHoweverLittleItTookIn) {  // G21
  constexpr std::size_t kClients = 64;
  Reactor reactor;
  std::vector<int> order;
  std::vector<std::unique_ptr<Pipe>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Pipe>(reactor, static_cast<int>(i), 1, order));
    clients.back()->takes_ms = 1;
    clients.back()->write();
  }
  EXPECT_EQ(reactor.wait({-1}), kClients);
  reactor.dispatch(Part::kDoors);
  const std::size_t told = order.size();
  EXPECT_GT(told, 0U);
  EXPECT_LT(told, kClients);
  EXPECT_EQ(reactor.wait({-1}), kClients - told);
  reactor.dispatch(Part::kDoors);
  EXPECT_GT(order.size(), told);
}

TEST(Reactor, AWatchThatEndsBeforeItsTurnIsNotTold) {
  Reactor reactor;
  std::vector<int> order;
  const Pipe first(reactor, 1, kEnoughForATurn, order);
  auto second = std::make_unique<Pipe>(reactor, 2, 10, order);
  first.write();
  second->write();
  EXPECT_EQ(reactor.wait({-1}), 2U);
  reactor.dispatch(Part::kDoors);
  EXPECT_FALSE(reactor.round_over());
  second.reset();
  EXPECT_EQ(reactor.wait({-1}), 1U);
  reactor.dispatch(Part::kDoors);
  EXPECT_TRUE(reactor.round_over());
  EXPECT_EQ(order, (std::vector{1}));
}

}  // namespace
}  // namespace stator::env
