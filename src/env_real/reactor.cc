#include "env_real/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "env_real/signal_pipe.h"
#include "env_real/system_error.h"
#include "env_real/turn_share.h"

namespace stator::env {

namespace {

// So that hooks and flushes come round under full load.
constexpr int kEventsMax = 256;
// Come whether asked for or not.
constexpr std::uint32_t kBroken = EPOLLERR | EPOLLHUP;

enum Direction : unsigned { kRead = 0, kWrite = 1 };

int milliseconds_of(Duration limit) {
  if (limit.ns < 0) return -1;
  const std::int64_t rounded = (limit.ns + 999'999) / 1'000'000;
  return static_cast<int>(std::min<std::int64_t>(rounded, std::numeric_limits<int>::max()));
}

}  // namespace

// What epoll is asked for changes only when it reports something that nobody awaits, or when
// something is awaited that it does not report: a connection that is read, answered and read again
// needs no call.
struct Watch::State {
  Reactor::State* reactor = nullptr;
  int descriptor = -1;
  Watcher* watcher = nullptr;  // null once closed
  Part part = Part::kDoors;
  unsigned references = 1;  // the watch, entries of the ready list
  bool waiting[2] = {false, false};
  bool listed[2] = {false, false};  // among those to be told
  bool broken = false;              // and no longer known to epoll, which would say so for ever
  std::uint32_t asked_for = EPOLLIN;
};

namespace {

using State = Watch::State;

// Who is to be told, in order of arrival.
struct ReadyList {
  std::vector<std::pair<State*, Direction>> entries;
  std::size_t of_round = 0;  // so many of the first
};

void unref(State* state) {
  if (--state->references == 0) delete state;
}

}  // namespace

struct Reactor::State {
  Descriptor epolls[2];    // by part; that of the doors reports also that the peers' has something
  bool ask_peers = false;  // it has, or may have
  Descriptor waker;
  SignalPipe signals;
  ReadyList ready[2];  // by part
  bool round_extended = false;
  TurnShare share;
  Callback<void(int)> on_signal;
  bool signalled = false;

  [[nodiscard]] bool control(Part part, int operation, int descriptor, std::uint32_t events,
                             void* tag) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = tag;
    return ::epoll_ctl(epoll_of(part), operation, descriptor, &event) == 0;
  }
  void ask(Watch::State& state, std::uint32_t events);
  void await(Watch::State& state, Direction direction, std::uint32_t events);
  void await_broken(Watch::State& state);
  void mark_ready(Watch::State& state, Direction direction);
  [[nodiscard]] bool is_awaited(Watch::State& state, Direction direction);
  void on_event(const epoll_event& event);
  [[nodiscard]] std::size_t collect(Part part, Duration limit);
  void begin_round();
  [[nodiscard]] int epoll_of(Part part) const {
    return epolls[static_cast<std::size_t>(part)].get();
  }
  [[nodiscard]] ReadyList& list_of(Part part) { return ready[static_cast<std::size_t>(part)]; }
};

void Reactor::State::ask(Watch::State& state, std::uint32_t events) {
  STATOR_ASSERT(control(state.part, EPOLL_CTL_MOD, state.descriptor, events, &state));
  state.asked_for = events;
}

void Reactor::State::await(Watch::State& state, Direction direction, std::uint32_t events) {
  // Who awaited only a break may await input as well.
  if (std::exchange(state.waiting[direction], true) && (state.asked_for & events) != 0) return;
  if (state.broken) {
    mark_ready(state, direction);
  } else if ((state.asked_for & events) == 0) {
    ask(state, state.asked_for | events);
  }
}

void Reactor::State::await_broken(Watch::State& state) {
  state.waiting[kRead] = true;
  if (state.broken) {
    mark_ready(state, kRead);
  } else {
    ask(state, state.asked_for & ~std::uint32_t{EPOLLIN});
  }
}

void Reactor::State::mark_ready(Watch::State& state, Direction direction) {
  state.waiting[direction] = false;
  if (std::exchange(state.listed[direction], true)) return;
  ++state.references;
  list_of(state.part).entries.emplace_back(&state, direction);
}

bool Reactor::State::is_awaited(Watch::State& state, Direction direction) {
  if (state.listed[direction]) return true;  // it is known already
  if (!state.waiting[direction]) return false;
  mark_ready(state, direction);
  return true;
}

void Reactor::State::on_event(const epoll_event& event) {
  auto& state = *static_cast<Watch::State*>(event.data.ptr);
  const bool broken = (event.events & kBroken) != 0;
  const bool writable = broken || (event.events & EPOLLOUT) != 0;
  const bool readable = broken || (event.events & EPOLLIN) != 0;
  // An error counts as ready: the read or write that follows will tell.
  const bool tell_reader = readable && is_awaited(state, kRead);
  const bool tell_writer = writable && is_awaited(state, kWrite);
  if (tell_reader || tell_writer) return;
  // Nobody wants to know, and it would be said again at once.
  if (broken) {
    static_cast<void>(control(state.part, EPOLL_CTL_DEL, state.descriptor, 0, nullptr));
    state.broken = true;
  } else {
    ask(state, state.asked_for & ~event.events);
  }
}

Reactor::Reactor() : state_(std::make_unique<State>()) {
  state_->waker = Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  // A process that has no descriptors left when it begins cannot run, nor say so in a better way.
  STATOR_ASSERT(state_->waker);
  for (Descriptor& epoll : state_->epolls) {
    epoll = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    STATOR_ASSERT(epoll);
  }
  // Edges: each wake() is told once, and nothing needs to be read.
  STATOR_ASSERT(state_->control(Part::kDoors, EPOLL_CTL_ADD, state_->waker.get(), EPOLLIN | EPOLLET,
                                nullptr));
  STATOR_ASSERT(state_->control(Part::kDoors, EPOLL_CTL_ADD, state_->epoll_of(Part::kPeers),
                                EPOLLIN, &state_->ask_peers));
}

void Reactor::State::begin_round() {
  for (ReadyList& list : ready) list.of_round = list.entries.size();
}

Reactor::~Reactor() {
  for (const ReadyList& list : state_->ready) {
    for (const auto& [state, direction] : list.entries) unref(state);
  }
}

std::size_t Reactor::wait(Duration limit) {
  const ReadyList& doors = state_->list_of(Part::kDoors);
  const ReadyList& peers = state_->list_of(Part::kPeers);
  // While clients wait for their turn no client that came later could be told before them: it would
  // only be reported again that they are ready. Peers have a part of their own in this turn.
  std::size_t seen = 0;
  if (doors.entries.empty()) {
    seen = state_->collect(Part::kDoors, peers.entries.empty() ? limit : Duration{});
  } else {
    state_->ask_peers = true;
  }
  if (std::exchange(state_->ask_peers, false)) seen += state_->collect(Part::kPeers, {});
  if (round_over()) {
    state_->begin_round();
    state_->round_extended = false;
  }
  return std::max(seen, doors.entries.size() + peers.entries.size());
}

std::size_t Reactor::State::collect(Part part, Duration limit) {
  epoll_event events[kEventsMax];
  const int count = ::epoll_wait(epoll_of(part), events, kEventsMax, milliseconds_of(limit));
  STATOR_ASSERT(count >= 0 || errno == EINTR);
  if (count == kEventsMax) ask_peers = true;  // they may stand behind all these
  std::size_t seen = 0;
  for (int i = 0; i < count; ++i) {
    const void* tag = events[i].data.ptr;
    if (tag == &ask_peers) {
      ask_peers = true;
      continue;
    }
    ++seen;
    if (tag == &signals) {
      signalled = true;
    } else if (tag != nullptr) {
      on_event(events[i]);
    }
  }
  return seen;
}

void Reactor::dispatch(Part part) {
  ReadyList& list = state_->list_of(part);
  begin_part();
  // What becomes ready meanwhile, since it is broken, waits for the next turn.
  const std::size_t count = list.entries.size();
  std::size_t done = 0;
  while (done < count && !worked_enough()) {
    const auto [state, direction] = list.entries[done++];
    state->listed[direction] = false;
    if (state->watcher != nullptr) {
      if (direction == kRead) {
        state->watcher->on_readable();
      } else {
        state->watcher->on_writable();
      }
    }
    worked(0);
    unref(state);
  }
  list.entries.erase(list.entries.begin(),
                     list.entries.begin() + static_cast<std::ptrdiff_t>(done));
  list.of_round -= std::min(list.of_round, done);
  if (part == Part::kDoors && std::exchange(state_->signalled, false)) {
    while (const int number = state_->signals.take()) state_->on_signal(number);
  }
}

bool Reactor::round_over() const {
  return std::all_of(std::begin(state_->ready), std::end(state_->ready),
                     [](const ReadyList& list) { return list.of_round == 0; });
}

// wait() did not ask for all, or was interrupted before it heard of any: so it is asked now.
void Reactor::extend_round() {
  if (state_->round_extended) return;
  static_cast<void>(state_->collect(Part::kDoors, {}));
  static_cast<void>(state_->collect(Part::kPeers, {}));
  state_->round_extended =
      std::any_of(std::begin(state_->ready), std::end(state_->ready),
                  [](const ReadyList& list) { return list.of_round < list.entries.size(); });
  state_->begin_round();
}

void Reactor::begin_part() {
  state_->share = {};
}

void Reactor::worked(std::size_t bytes) {
  state_->share.worked(bytes);
}

bool Reactor::worked_enough() const {
  return state_->share.spent();
}

void Reactor::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(state_->waker.get(), &one, sizeof one));
}

void Reactor::watch_signals(Callback<void(int)> task) {
  state_->on_signal = std::move(task);
  const auto opened = state_->signals.open();
  STATOR_ASSERT(opened.has_value());
  STATOR_ASSERT(state_->control(Part::kDoors, EPOLL_CTL_ADD, state_->signals.descriptor(), EPOLLIN,
                                &state_->signals));
}

Result<void> Watch::open(Reactor& reactor, Descriptor descriptor, Watcher& watcher, Part part) {
  STATOR_ASSERT(state_ == nullptr);
  auto* state = new State();
  state->reactor = reactor.state_.get();
  state->descriptor = descriptor.get();
  state->part = part;
  if (!state->reactor->control(part, EPOLL_CTL_ADD, descriptor.get(), EPOLLIN, state)) {
    const int error = errno;
    unref(state);
    return std::unexpected(system_error("cannot watch a connection", error));
  }
  state->watcher = &watcher;
  descriptor_ = descriptor.release();
  state_ = state;
  return {};
}

void Watch::await_readable() {
  STATOR_ASSERT(state_ != nullptr);
  state_->reactor->await(*state_, kRead, EPOLLIN);
}

void Watch::await_writable() {
  STATOR_ASSERT(state_ != nullptr);
  state_->reactor->await(*state_, kWrite, EPOLLOUT);
}

void Watch::await_broken() {
  STATOR_ASSERT(state_ != nullptr && !state_->waiting[kRead]);
  state_->reactor->await_broken(*state_);
}

bool Watch::awaits_readable() const {
  return state_ != nullptr && state_->waiting[kRead];
}

void Watch::close() {
  static_cast<void>(release());
}

Descriptor Watch::release() {
  if (state_ == nullptr) return {};
  State* state = std::exchange(state_, nullptr);
  state->watcher = nullptr;
  state->waiting[kRead] = state->waiting[kWrite] = false;
  if (!state->broken) {
    static_cast<void>(
        state->reactor->control(state->part, EPOLL_CTL_DEL, state->descriptor, 0, nullptr));
  }
  Descriptor kept(std::exchange(descriptor_, -1));
  unref(state);
  return kept;
}

}  // namespace stator::env
