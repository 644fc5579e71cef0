#pragma once

#include <gtest/gtest.h>

#include "front/redis/testing/fakes.h"

namespace stator::redis::testing {

/// A Redis door on a store that is a double, and one client at it.
class Door : public ::testing::Test {
 public:
  FakeStore store;
  FakeExecutor executor;
  RedisFront front{store, executor, {}};
  Client client{front};
};

}  // namespace stator::redis::testing
