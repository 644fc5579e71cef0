#include "env_sim/network.h"

#include <algorithm>
#include <utility>

#include "env_sim/link.h"
#include "env_sim/world.h"

namespace stator::sim {

ProcessNetwork::ProcessNetwork(Wire& wire, Process& process) : wire_(wire), process_(process) {}

ProcessNetwork::~ProcessNetwork() = default;

std::uint32_t ProcessNetwork::host() const {
  return process_.host().index();
}

Result<std::unique_ptr<env::Listener>> ProcessNetwork::listen(const env::Address& address,
                                                              env::StreamAcceptor* acceptor,
                                                              env::FrameSink* sink) {
  if (!process_.alive()) return std::unexpected(Error{.code = ErrorCode::kClosed});
  const bool any = address.host == "0.0.0.0" || address.host == "::";
  if (!any && wire_.resolve(host(), address) != host()) {
    return std::unexpected(
        Error{.code = ErrorCode::kIo, .detail = address.host + " is no address of this machine"});
  }
  env::Address bound = address;
  if (bound.port == 0) bound.port = next_port_++;
  for (const SimListener* listener : listeners_) {
    if (listener->address().port == bound.port) {
      return std::unexpected(
          Error{.code = ErrorCode::kConflict, .detail = env::to_string(bound) + " is in use"});
    }
  }
  return std::make_unique<SimListener>(*this, std::move(bound), acceptor, sink);
}

Result<std::unique_ptr<env::Listener>> ProcessNetwork::listen_streams(
    const env::Address& address, env::StreamAcceptor& acceptor) {
  return listen(address, &acceptor, nullptr);
}

Result<std::unique_ptr<env::Listener>> ProcessNetwork::listen_frames(const env::Address& address,
                                                                     env::FrameSink& sink) {
  return listen(address, nullptr, &sink);
}

std::unique_ptr<env::FrameLink> ProcessNetwork::open_link(const env::Address& address,
                                                          env::LinkEvents& events) {
  auto link =
      std::make_unique<SimLink>(*this, wire_.resolve(host(), address), address.port, events);
  links_.push_back(link.get());
  return link;
}

void ProcessNetwork::connect_stream(const env::Address& address, env::StreamAcceptor& acceptor,
                                    Callback<void(const Error&)> failed) {
  if (!process_.alive()) return;
  SimStream& stream = add_stream(wire_.resolve(host(), address), address);
  stream.connect(address.port, acceptor, std::move(failed));
}

void ProcessNetwork::mark_dirty(SimLink& link) {
  dirty_links_.push_back(&link);
  process_.request_turn();
}

void ProcessNetwork::mark_dirty(SimStream& stream) {
  dirty_streams_.push_back(stream.self());
  process_.request_turn();
}

void ProcessNetwork::flush() {
  // Sending calls nobody back, so neither list grows while it is walked.
  for (SimLink* link : dirty_links_) link->flush();
  dirty_links_.clear();
  for (const StreamEnd& end : dirty_streams_) {
    if (SimStream* stream = find(end)) stream->flush();
  }
  dirty_streams_.clear();
}

void ProcessNetwork::deliver(std::uint16_t port, const Packet& packet) {
  std::uint32_t begin = 0;
  for (const std::uint32_t end : packet.ends) {
    // Looked up for each: a frame may make the program stop listening.
    const SimListener* listener = find_listener(port, true);
    if (listener == nullptr) return;
    listener->sink()->on_frame(std::string_view(packet.bytes).substr(begin, end - begin));
    begin = end;
  }
}

template <typename Action>
void ProcessNetwork::for_each_stream(std::uint32_t far, Action action) {
  for (const StreamSlot& slot : streams_) {
    if (slot.stream && slot.stream->far() == far) action(*slot.stream);
  }
}

void ProcessNetwork::path_changed(std::uint32_t far, bool cut) {
  for (SimLink* link : links_) {
    if (link->far() == far) link->path_changed(cut);
  }
  for_each_stream(far, [cut](SimStream& stream) { stream.path_changed(cut); });
}

void ProcessNetwork::reset_all(std::uint32_t far) {
  for (SimLink* link : links_) {
    if (link->far() == far) link->reset();
  }
  for_each_stream(far, [](SimStream& stream) { stream.reset(); });
}

void ProcessNetwork::peer_gone(std::uint32_t far, const Process* peer, bool reset) {
  for (SimLink* link : links_) {
    if (link->far() == far) link->peer_gone(peer, reset);
  }
  for_each_stream(far, [reset](SimStream& stream) { stream.peer_gone(reset); });
}

void ProcessNetwork::abandon() {
  dirty_links_.clear();
  dirty_streams_.clear();
  streams_.clear();
  free_streams_.clear();
}

ProcessNetwork::Dialled ProcessNetwork::dial(std::uint32_t far, std::uint16_t port, bool frames) {
  using Answer = Dialled::Answer;
  if (far == Wire::kNowhere) return {Answer::kRefused};
  Host& there = wire_.world().host(far);
  if (wire_.is_cut(host(), far) || wire_.is_cut(far, host()) || !there.powered()) {
    return {Answer::kSilent};
  }
  Process* process = there.process();
  if (process == nullptr || process->network().find_listener(port, frames) == nullptr) {
    return {Answer::kRefused};
  }
  return {Answer::kAccepted, process};
}

SimListener* ProcessNetwork::find_listener(std::uint16_t port, bool frames) {
  for (SimListener* listener : listeners_) {
    if (listener->address().port == port && (listener->sink() != nullptr) == frames) {
      return listener;
    }
  }
  return nullptr;
}

void ProcessNetwork::remove(SimListener* listener) {
  std::erase(listeners_, listener);
}

void ProcessNetwork::remove(SimLink* link) {
  std::erase(links_, link);
  std::erase(dirty_links_, link);
}

SimStream& ProcessNetwork::add_stream(std::uint32_t far, env::Address remote) {
  if (free_streams_.empty()) {
    free_streams_.push_back(static_cast<std::uint32_t>(streams_.size()));
    streams_.emplace_back();
  }
  const std::uint32_t index = free_streams_.back();
  free_streams_.pop_back();
  StreamSlot& slot = streams_[index];
  ++slot.generation;
  const StreamEnd self{host(), process_.number(), index, slot.generation};
  slot.stream = std::make_unique<SimStream>(*this, self, far, std::move(remote));
  return *slot.stream;
}

SimStream* ProcessNetwork::find(const StreamEnd& end) {
  if (end.process != process_.number() || end.slot >= streams_.size()) return nullptr;
  const StreamSlot& slot = streams_[end.slot];
  return slot.generation == end.generation ? slot.stream.get() : nullptr;
}

void ProcessNetwork::destroy(const StreamEnd& end) {
  STATOR_ASSERT(find(end) != nullptr);
  // The handler's destructor may look at other streams: empty the slot first.
  const std::unique_ptr<SimStream> ended = std::move(streams_[end.slot].stream);
  free_streams_.push_back(end.slot);
}

}  // namespace stator::sim
