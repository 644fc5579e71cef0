#include "env_real/reactor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

#include "env_real/descriptor.h"

namespace stator::env {
namespace {

constexpr std::size_t kEnoughForATurn = std::size_t{1} << 20;

/// One end of a pipe, which notes in `order` when it is told that there is something to read.
class Pipe final : public Watcher {
 public:
  Pipe(Reactor& reactor, int number, std::size_t work, std::vector<int>& order)
      : reactor_(reactor), number_(number), work_(work), order_(order) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    write_end_ = Descriptor(ends[1]);
    EXPECT_TRUE(watch_.open(reactor, Descriptor(ends[0]), *this));
    watch_.await_readable();
  }
  void write() const { EXPECT_EQ(::write(write_end_.get(), "x", 1), 1); }
  void on_readable() override {
    char byte = 0;
    EXPECT_EQ(::read(watch_.descriptor(), &byte, 1), 1);
    order_.push_back(number_);
    reactor_.worked(work_);
    watch_.await_readable();
  }

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
  EXPECT_FALSE(reactor.dispatch());
  EXPECT_TRUE(reactor.worked_enough());
  EXPECT_EQ(order, (std::vector{1, 2}));

  small.write();  // whoever comes again comes after those who have not been told yet
  EXPECT_EQ(reactor.wait({-1}), 2U);
  EXPECT_FALSE(reactor.worked_enough());
  EXPECT_FALSE(reactor.dispatch());
  EXPECT_EQ(order, (std::vector{1, 2, 3}));

  EXPECT_EQ(reactor.wait({-1}), 1U);
  EXPECT_TRUE(reactor.dispatch());
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));

  EXPECT_EQ(reactor.wait({-1}), 1U);
  EXPECT_TRUE(reactor.dispatch());
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4, 1}));
}

TEST(Reactor, AWatchThatEndsBeforeItsTurnIsNotTold) {
  Reactor reactor;
  std::vector<int> order;
  const Pipe first(reactor, 1, kEnoughForATurn, order);
  auto second = std::make_unique<Pipe>(reactor, 2, 10, order);
  first.write();
  second->write();
  EXPECT_EQ(reactor.wait({-1}), 2U);
  EXPECT_FALSE(reactor.dispatch());
  second.reset();
  EXPECT_EQ(reactor.wait({-1}), 1U);
  EXPECT_TRUE(reactor.dispatch());
  EXPECT_EQ(order, (std::vector{1}));
}

}  // namespace
}  // namespace stator::env
