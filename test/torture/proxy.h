#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/env.h"

namespace stator::torture {

/// Between nodes, in user space, since kernels that could spoil a connection (netem) are not at
/// hand everywhere: each node announces an address of the proxy, which forwards bytes and
/// understands none of them. What goes from one node to another is a path, of which each direction
/// can be made late, thin or silent. A connection through a path that is cut stands and carries
/// nothing, as over a network that drops every packet. On the loop.
class Proxy {
 public:
  struct Route {
    std::string node;
    env::Address listen;
    env::Address target;
  };

  explicit Proxy(env::Env& env);
  ~Proxy();
  [[nodiscard]] Result<void> open(const std::vector<Route>& routes);

  /// One order, answered by "ok" or by what is wrong with it; `*` is any node:
  ///   pid NODE PID        connections of this process are those of this node
  ///   cut FROM TO         nothing passes
  ///   mend FROM TO        everything does, at once
  ///   delay FROM TO MS    each byte is so late
  ///   rate FROM TO BYTES  per second, all connections of the path together; 0: any number
  ///   reset FROM TO       connections end at once
  ///   target NODE PORT    who dials this node from now on reaches that port of this machine
  ///   count               by path: connections, forwarded bytes, and those that an order held up
  [[nodiscard]] std::string order(std::string_view line);

 private:
  struct Path {
    bool cut = false;
    Duration delay{};
    double rate = 0;
    double credit = 0;  // bytes that may pass now
    MonoTime credited{};
    std::uint64_t bytes = 0;
    std::uint64_t held = 0;  // of those that came, so many had to wait since the path is spoiled
    std::uint64_t connections = 0;
  };
  class Door;
  class Pair;
  class End;
  struct Flow;

  Path& path(const std::string& from, const std::string& to) { return paths_[{from, to}]; }
  [[nodiscard]] std::string owner_of(std::uint16_t port, std::uint16_t door) const;
  std::unique_ptr<env::StreamHandler> accept(Door& door, env::Stream& stream);
  template <typename Change>
  void each_path(std::string_view from, std::string_view to, Change change);
  void pump_all();
  [[nodiscard]] std::string counts() const;

  env::Env& env_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::map<std::pair<std::string, std::string>, Path> paths_;
  std::map<std::string, int> pids_;
  std::map<Pair*, std::shared_ptr<Pair>> pairs_;
};

}  // namespace stator::torture
