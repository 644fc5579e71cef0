#pragma once

#include "front/redis/testing/fakes.h"

namespace stator::redis::testing {

/// A Redis door on a store that is a double, and one client at it.
struct Door {
  FakeStore store;
  FakeExecutor executor;
  RedisFront front{store, executor, {}};
  Client client{front};
};

}  // namespace stator::redis::testing
