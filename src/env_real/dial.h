#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/callback.h"
#include "base/error.h"
#include "env/network.h"
#include "env_real/descriptor.h"
#include "env_real/endpoint.h"
#include "env_real/loop.h"
#include "env_real/reactor.h"

namespace stator::env {

/// One attempt to connect: looks the name up (beside the loop), then tries its addresses one after
/// the other. Destroying it gives the attempt up.
class Dial final : private Watcher {
 public:
  /// `done` is called once, in a later turn, and may destroy the dial.
  Dial(Loop& loop, Address address, Callback<void(Result<Descriptor>)> done);
  ~Dial() override;
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  /// The name is looked up, and somebody is being asked.
  [[nodiscard]] bool connecting() const { return next_ > 0; }
  /// Since when; only then.
  [[nodiscard]] MonoTime connecting_since() const { return connecting_since_; }

  /// For all addresses of a name together.
  static constexpr Duration kTimeout = seconds(3);

 private:
  struct Lookup;

  void on_readable() override {}
  void on_writable() override;
  void look_up();
  void try_next();
  void finish(Result<Descriptor> result);

  Loop& loop_;
  const Address address_;
  Callback<void(Result<Descriptor>)> done_;
  std::shared_ptr<Lookup> lookup_;
  std::vector<Endpoint> endpoints_;
  std::size_t next_ = 0;
  MonoTime connecting_since_{};
  Error last_error_;
  Watch watch_;
  TimerId timeout_;
  TimerId begin_;
};

}  // namespace stator::env
