#include "env_sim/network.h"

#include <algorithm>
#include <utility>

#include "env_sim/link.h"
#include "env_sim/world.h"

namespace stator::sim {

using Kind = ListenTable::Kind;

ShardNetwork::ShardNetwork(Wire& wire, ShardLoop& loop) : wire_(wire), loop_(loop) {}

ShardNetwork::~ShardNetwork() = default;

std::uint32_t ShardNetwork::host() const {
  return loop_.host().index();
}

Result<std::unique_ptr<env::Listener>> ShardNetwork::listen(const env::Address& address,
                                                            env::StreamAcceptor* acceptor,
                                                            env::FrameSink* sink) {
  Process& process = loop_.process();
  process.check_caller(loop_);
  if (!process.alive()) return std::unexpected(Error{.code = ErrorCode::kClosed});
  const bool any = address.host == "0.0.0.0" || address.host == "::";
  if (!any && wire_.resolve(host(), address) != host()) {
    return std::unexpected(
        Error{.code = ErrorCode::kIo, .detail = address.host + " is no address of this machine"});
  }
  const Kind kind = sink != nullptr ? Kind::kFrames : Kind::kStreams;
  auto bound = process.listeners().bind(kind, address, loop_.shard());
  if (!bound) return std::unexpected(std::move(bound.error()));
  auto listener = std::make_unique<SimListener>(*this, std::move(*bound), acceptor, sink);
  process.listeners().add(kind, address, *listener);
  listeners_.push_back(listener.get());
  if (sink != nullptr) set_sink(listener->address().port, *sink);
  return listener;
}

Result<std::unique_ptr<env::Listener>> ShardNetwork::listen_streams(const env::Address& address,
                                                                    env::StreamAcceptor& acceptor) {
  return listen(address, &acceptor, nullptr);
}

Result<std::unique_ptr<env::Listener>> ShardNetwork::listen_frames(const env::Address& address,
                                                                   env::FrameSink& sink) {
  return listen(address, nullptr, &sink);
}

std::unique_ptr<env::FrameLink> ShardNetwork::open_link(const env::Address& address,
                                                        env::LinkEvents& events) {
  loop_.process().check_caller(loop_);
  auto link =
      std::make_unique<SimLink>(*this, wire_.resolve(host(), address), address.port, events);
  links_.push_back(link.get());
  return link;
}

void ShardNetwork::connect_stream(const env::Address& address, env::StreamAcceptor& acceptor,
                                  Callback<void(const Error&)> failed) {
  loop_.process().check_caller(loop_);
  if (!loop_.alive()) return;
  SimStream& stream = add_stream(wire_.resolve(host(), address), address);
  stream.connect(address.port, acceptor, std::move(failed));
}

void ShardNetwork::mark_dirty(SimLink& link) {
  loop_.process().check_caller(loop_);
  dirty_links_.push_back(&link);
  loop_.request_turn();
}

void ShardNetwork::mark_dirty(SimStream& stream) {
  loop_.process().check_caller(loop_);
  dirty_streams_.push_back(stream.self());
  loop_.request_turn();
}

void ShardNetwork::flush() {
  // Sending calls nobody back, so neither list grows while it is walked.
  for (SimLink* link : dirty_links_) link->flush();
  dirty_links_.clear();
  for (const StreamEnd& end : dirty_streams_) {
    if (SimStream* stream = find(end)) stream->flush();
  }
  dirty_streams_.clear();
}

void ShardNetwork::set_sink(std::uint16_t port, env::FrameSink& sink) {
  std::erase_if(sinks_, [port](const auto& known) { return known.first == port; });
  sinks_.emplace_back(port, &sink);
}

void ShardNetwork::deliver(std::uint16_t port, const Packet& packet) {
  const auto sink = std::find_if(sinks_.begin(), sinks_.end(),
                                 [port](const auto& known) { return known.first == port; });
  if (sink == sinks_.end()) return;
  env::FrameSink& taker = *sink->second;
  if (packet.ends.size() == 1) {
    taker.on_frame(packet.bytes);
    return;
  }
  frames_.clear();
  std::uint32_t begin = 0;
  for (const std::uint32_t end : packet.ends) {
    frames_.push_back(std::string_view(packet.bytes).substr(begin, end - begin));
    begin = end;
  }
  taker.on_frames_ahead(frames_);
  for (const std::string_view frame : frames_) taker.on_frame(frame);
}

template <typename Action>
void ShardNetwork::for_each_stream(std::uint32_t far, Action action) {
  for (const StreamSlot& slot : streams_) {
    if (slot.stream && slot.stream->far() == far) action(*slot.stream);
  }
}

void ShardNetwork::path_changed(std::uint32_t far, bool cut) {
  for (SimLink* link : links_) {
    if (link->far() == far) link->path_changed(cut);
  }
  for_each_stream(far, [cut](SimStream& stream) { stream.path_changed(cut); });
}

void ShardNetwork::reset_all(std::uint32_t far) {
  for (SimLink* link : links_) {
    if (link->far() == far) link->reset();
  }
  for_each_stream(far, [](SimStream& stream) { stream.reset(); });
}

void ShardNetwork::peer_gone(std::uint32_t far, const Process* peer, bool reset) {
  for (SimLink* link : links_) {
    if (link->far() == far) link->peer_gone(peer, reset);
  }
  for_each_stream(far, [reset](SimStream& stream) { stream.peer_gone(reset); });
}

void ShardNetwork::abandon() {
  dirty_links_.clear();
  dirty_streams_.clear();
  streams_.clear();
  free_streams_.clear();
}

ShardNetwork::Held ShardNetwork::held() const {
  Held held{.listeners = listeners_.size(), .links = links_.size()};
  for (const SimLink* link : links_) {
    held.link_bytes = std::max(held.link_bytes, link->unsent_at_most());
  }
  for (const StreamSlot& slot : streams_) {
    if (!slot.stream) continue;
    ++held.streams;
    held.stream_bytes = std::max(held.stream_bytes, slot.stream->unsent());
  }
  return held;
}

ShardNetwork::Dialled ShardNetwork::dial(std::uint32_t far, std::uint16_t port, Kind kind) {
  using Answer = Dialled::Answer;
  if (far == Wire::kNowhere) return {Answer::kRefused};
  Host& there = wire_.world().host(far);
  if (wire_.is_cut(host(), far) || wire_.is_cut(far, host()) || !there.powered()) {
    return {Answer::kSilent};
  }
  Process* process = there.process();
  SimListener* listener = process == nullptr ? nullptr : process->listeners().next(kind, port);
  if (listener == nullptr) return {Answer::kRefused};
  return {Answer::kAccepted, &listener->network().loop()};
}

SimListener* ShardNetwork::find_stream_listener(std::uint16_t port) {
  for (SimListener* listener : listeners_) {
    if (listener->address().port == port && listener->acceptor() != nullptr) return listener;
  }
  return nullptr;
}

void ShardNetwork::remove(const SimListener& listener) {
  loop_.process().check_caller(loop_);
  loop_.process().listeners().remove(listener);
  std::erase(listeners_, &listener);
}

void ShardNetwork::remove(SimLink* link) {
  std::erase(links_, link);
  std::erase(dirty_links_, link);
}

SimStream& ShardNetwork::add_stream(std::uint32_t far, env::Address remote) {
  if (free_streams_.empty()) {
    free_streams_.push_back(static_cast<std::uint32_t>(streams_.size()));
    streams_.emplace_back();
  }
  const std::uint32_t index = free_streams_.back();
  free_streams_.pop_back();
  StreamSlot& slot = streams_[index];
  ++slot.generation;
  const StreamEnd self{host(), loop_.process().number(), loop_.shard(), index, slot.generation};
  slot.stream = std::make_unique<SimStream>(*this, self, far, std::move(remote));
  return *slot.stream;
}

SimStream* ShardNetwork::find(const StreamEnd& end) {
  if (end.process != loop_.process().number() || end.slot >= streams_.size()) return nullptr;
  const StreamSlot& slot = streams_[end.slot];
  return slot.generation == end.generation ? slot.stream.get() : nullptr;
}

void ShardNetwork::destroy(const StreamEnd& end) {
  STATOR_ASSERT(find(end) != nullptr);
  // The handler's destructor may look at other streams: empty the slot first.
  const std::unique_ptr<SimStream> ended = std::move(streams_[end.slot].stream);
  free_streams_.push_back(end.slot);
}

}  // namespace stator::sim
