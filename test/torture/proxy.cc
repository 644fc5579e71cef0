#include "proxy.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "socket_owner.h"

namespace stator::torture {
namespace {

// What may wait in a direction before its sender is left unread, and what may be unsent at its end.
constexpr std::size_t kWaitingMax = 1 << 20;
// Of whose process nothing was said.
constexpr const char* kNobody = "?";
// A thin path passes what it may in steps of this length.
constexpr Duration kStep = milliseconds(5);

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

/// One direction of a connection: bytes on their way, oldest first.
struct Proxy::Flow {
  struct Chunk {
    MonoTime due{};
    std::string bytes;
    std::size_t sent = 0;
  };
  Path* path = nullptr;
  env::Stream* from = nullptr;
  env::Stream* to = nullptr;
  std::deque<Chunk> chunks{};
  std::size_t waiting = 0;
  bool paused = false;
  bool ended = false;  // `from` has said all
  env::TimerId timer{};
};

/// A connection that came in, and the one that was made for it.
class Proxy::Pair : public std::enable_shared_from_this<Proxy::Pair>, public env::StreamAcceptor {
 public:
  Pair(Proxy& proxy, const Route& route, env::Stream& inner)
      : proxy_(proxy), to_(route.node), door_(route.listen.port), port_(inner.remote().port) {
    there_.from = back_.to = &inner;
    find_owner();
  }
  ~Pair() override {
    for (Flow* flow : {&there_, &back_}) proxy_.env_.executor.cancel(flow->timer);
  }

  // A process may dial before the proxy was told whose it is.
  void find_owner() {
    from_ = proxy_.owner_of(port_, door_);
    there_.path = &proxy_.path(from_, to_);
    back_.path = &proxy_.path(to_, from_);
    ++there_.path->connections;
  }
  [[nodiscard]] const std::string& from() const { return from_; }
  [[nodiscard]] const std::string& to() const { return to_; }

  void dial(const env::Address& target) {
    proxy_.env_.network.connect_stream(target, *this,
                                       [self = shared_from_this()](const Error&) { self->end(); });
  }
  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& outer) override;

  void take(bool inner, std::string_view bytes) {
    Flow& flow = inner ? there_ : back_;
    flow.chunks.push_back({proxy_.env_.executor.now() + flow.path->delay, std::string(bytes)});
    flow.waiting += bytes.size();
    pump(flow);
    const Path& path = *flow.path;
    if (path.cut || path.delay.ns > 0 || path.rate > 0) {
      flow.path->held += std::min(flow.waiting, bytes.size());
    }
  }
  void pump_both() {
    pump(there_);
    pump(back_);
  }
  void closed(bool inner) {
    (inner ? there_ : back_).from = nullptr;
    (inner ? back_ : there_).to = nullptr;
    end();
  }
  void end();

 private:
  void pump(Flow& flow);
  [[nodiscard]] std::size_t allowance(Path& path);
  void set_paused(Flow& flow);
  void later(Flow& flow, Duration delay);

  Proxy& proxy_;
  std::string from_;
  std::string to_;
  std::uint16_t door_;
  std::uint16_t port_;
  Flow there_;
  Flow back_;
};

/// What the network owns of one side of a pair.
class Proxy::End final : public env::StreamHandler {
 public:
  End(std::shared_ptr<Pair> pair, bool inner) : pair_(std::move(pair)), inner_(inner) {}
  std::size_t on_data(std::string_view bytes) override {
    pair_->take(inner_, bytes);
    return bytes.size();
  }
  void on_drained() override { pair_->pump_both(); }
  void on_closed() override { pair_->closed(inner_); }

 private:
  std::shared_ptr<Pair> pair_;
  bool inner_;
};

class Proxy::Door final : public env::StreamAcceptor {
 public:
  Door(Proxy& proxy, Route route) : proxy_(proxy), route_(std::move(route)) {}
  [[nodiscard]] Result<void> open() {
    auto listener = proxy_.env_.network.listen_streams(route_.listen, *this);
    if (!listener) return std::unexpected(std::move(listener.error()));
    listener_ = std::move(*listener);
    return {};
  }
  [[nodiscard]] const Route& route() const { return route_; }
  void lead_to(std::uint16_t port) { route_.target.port = port; }
  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override {
    return proxy_.accept(*this, stream);
  }

 private:
  Proxy& proxy_;
  Route route_;
  std::unique_ptr<env::Listener> listener_;
};

std::unique_ptr<env::StreamHandler> Proxy::Pair::on_accept(env::Stream& outer) {
  if (there_.from == nullptr) return nullptr;  // who came in has left
  there_.to = back_.from = &outer;
  auto end = std::make_unique<End>(shared_from_this(), false);
  pump_both();
  return end;
}

void Proxy::Pair::end() {
  for (env::Stream* stream : {there_.from, back_.from}) {
    if (stream != nullptr) stream->close_now();
  }
  proxy_.pairs_.erase(this);
}

std::size_t Proxy::Pair::allowance(Path& path) {
  if (path.rate <= 0) return SIZE_MAX;
  const MonoTime now = proxy_.env_.executor.now();
  const double seconds_passed = static_cast<double>((now - path.credited).ns) / 1e9;
  const double most = std::max(1500.0, path.rate * static_cast<double>(kStep.ns) / 1e9);
  path.credit = std::min(most, path.credit + seconds_passed * path.rate);
  path.credited = now;
  return static_cast<std::size_t>(path.credit);
}

void Proxy::Pair::pump(Flow& flow) {
  const MonoTime now = proxy_.env_.executor.now();
  Path& path = *flow.path;
  while (flow.to != nullptr && !path.cut && !flow.chunks.empty()) {
    Flow::Chunk& chunk = flow.chunks.front();
    if (flow.to->unsent() > kWaitingMax) break;  // on_drained calls again
    if (chunk.due > now) {
      later(flow, chunk.due - now);
      break;
    }
    const std::size_t size = std::min(allowance(path), chunk.bytes.size() - chunk.sent);
    if (size == 0) {
      later(flow, kStep);
      break;
    }
    flow.to->output().append(chunk.bytes, chunk.sent, size);
    if (path.rate > 0) path.credit -= static_cast<double>(size);
    chunk.sent += size;
    flow.waiting -= size;
    path.bytes += size;
    if (chunk.sent == chunk.bytes.size()) flow.chunks.pop_front();
  }
  set_paused(flow);
}

void Proxy::Pair::set_paused(Flow& flow) {
  const bool full = flow.waiting > kWaitingMax;
  if (flow.from == nullptr || full == flow.paused) return;
  flow.paused = full;
  full ? flow.from->pause_reading() : flow.from->resume_reading();
}

void Proxy::Pair::later(Flow& flow, Duration delay) {
  if (flow.timer) return;
  flow.timer = proxy_.env_.executor.after(delay, [this, &flow] {
    flow.timer = {};
    pump(flow);
  });
}

Proxy::Proxy(env::Env& env) : env_(env) {}

Proxy::~Proxy() = default;

Result<void> Proxy::open(const std::vector<Route>& routes) {
  for (const Route& route : routes) {
    doors_.push_back(std::make_unique<Door>(*this, route));
    if (auto opened = doors_.back()->open(); !opened) return opened;
  }
  return {};
}

std::string Proxy::owner_of(std::uint16_t port, std::uint16_t door) const {
  if (const std::uint32_t socket = socket_between(port, door); socket != 0) {
    for (const auto& [node, pid] : pids_) {
      if (owns_socket(pid, socket)) return node;
    }
  }
  return kNobody;
}

std::unique_ptr<env::StreamHandler> Proxy::accept(Door& door, env::Stream& stream) {
  auto pair = std::make_shared<Pair>(*this, door.route(), stream);
  pairs_.emplace(pair.get(), pair);
  pair->dial(door.route().target);
  return std::make_unique<End>(std::move(pair), true);
}

template <typename Change>
void Proxy::each_path(std::string_view from, std::string_view to, Change change) {
  const auto is = [](std::string_view pattern, std::string_view name) {
    return pattern == "*" || pattern == name;
  };
  for (const auto& a : doors_) {
    for (const auto& b : doors_) {
      const std::string& source = a->route().node;
      const std::string& target = b->route().node;
      if (source != target && is(from, source) && is(to, target)) change(path(source, target));
    }
  }
}

void Proxy::pump_all() {
  const auto all = pairs_;  // which may end meanwhile
  for (const auto& [key, pair] : all) pair->pump_both();
}

std::string Proxy::counts() const {
  std::string text;
  for (const auto& [ends, path] : paths_) {
    text += (text.empty() ? "" : " ") + ends.first + ">" + ends.second + "=" +
            std::to_string(path.connections) + "/" + std::to_string(path.bytes) + "/" +
            std::to_string(path.held);
  }
  return text;
}

std::string Proxy::order(std::string_view line) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() == 1 && words[0] == "count") return counts();
  if (words.size() == 3 && words[0] == "pid") {
    const auto pid = number_of(words[2]);
    if (!pid) return "no pid: " + words[2];
    pids_[words[1]] = static_cast<int>(*pid);
    for (const auto& [key, pair] : pairs_) {
      if (pair->from() == kNobody) pair->find_owner();
    }
    return "ok";
  }
  if (words.size() == 3 && words[0] == "target") {
    const auto port = number_of(words[2]);
    const auto door = std::find_if(doors_.begin(), doors_.end(), [&](const auto& each) {
      return each->route().node == words[1];
    });
    if (door == doors_.end()) return "no node: " + words[1];
    if (!port || *port == 0 || *port > UINT16_MAX) return "no port: " + words[2];
    (*door)->lead_to(static_cast<std::uint16_t>(*port));
    return "ok";
  }
  const std::string name = words.empty() ? "" : words[0];
  const std::size_t wanted = name == "delay" || name == "rate" ? 4 : 3;
  const auto number = wanted == 4 && words.size() == 4 ? number_of(words[3]) : 0;
  if (words.size() != wanted || !number) return "no such order: " + std::string(line);
  if (name == "reset") {
    const auto all = pairs_;
    for (const auto& [key, pair] : all) {
      const bool from = words[1] == "*" || words[1] == pair->from();
      if (from && (words[2] == "*" || words[2] == pair->to())) pair->end();
    }
  } else if (name == "cut" || name == "mend") {
    each_path(words[1], words[2], [&](Path& each) { each.cut = name == "cut"; });
  } else if (name == "delay") {
    each_path(words[1], words[2], [&](Path& each) { each.delay = milliseconds(*number); });
  } else if (name == "rate") {
    each_path(words[1], words[2], [&](Path& each) { each.rate = static_cast<double>(*number); });
  } else {
    return "no such order: " + std::string(line);
  }
  pump_all();
  return "ok";
}

}  // namespace stator::torture
