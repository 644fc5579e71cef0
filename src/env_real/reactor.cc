#include "env_real/reactor.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "env_real/system_error.h"

namespace stator::env {

namespace asio = boost::asio;
using SystemError = boost::system::error_code;

namespace {

// So that hooks and flushes come round under full load; also what one epoll_wait of Asio returns
// twice.
constexpr std::size_t kEventsMax = 256;
// Holds one waiting operation of Asio (asserted where it is used).
constexpr std::size_t kOperationBytes = 192;

enum Direction : unsigned { kRead = 0, kWrite = 1 };

struct OperationMemory {
  alignas(std::max_align_t) std::byte bytes[kOperationBytes];
  bool used = false;
};

}  // namespace

struct Watch::State {
  State(asio::io_context& context, std::vector<std::pair<State*, Direction>>& ready_list)
      : handle(context), ready(ready_list) {}

  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> handle;
  std::vector<std::pair<State*, Direction>>& ready;
  Watcher* watcher = nullptr;  // null once closed
  unsigned references = 1;     // the watch, operations of Asio, entries of the ready list
  bool waiting[2] = {false, false};
  OperationMemory memory[2];
};

namespace {

using State = Watch::State;
using ReadyList = std::vector<std::pair<State*, Direction>>;

void unref(State* state) {
  if (--state->references == 0) delete state;
}

// Gives Asio the memory that lies ready in the state, so that waiting never allocates.
template <typename T>
struct StateAllocator {
  using value_type = T;
  State* state;
  Direction direction;

  StateAllocator(State* s, Direction d) : state(s), direction(d) {}
  template <typename U>
  StateAllocator(const StateAllocator<U>& other)  // NOLINT(google-explicit-constructor): rebinding
      : state(other.state), direction(other.direction) {}
  T* allocate(std::size_t count) {
    OperationMemory& memory = state->memory[direction];
    STATOR_ASSERT(!memory.used && count * sizeof(T) <= kOperationBytes);
    memory.used = true;
    return reinterpret_cast<T*>(memory.bytes);
  }
  void deallocate(T*, std::size_t) { state->memory[direction].used = false; }
  bool operator==(const StateAllocator&) const = default;
};

// What Asio calls when a descriptor is ready. Counts as a reference: Asio also destroys handlers
// uncalled, when the whole context ends.
class WaitHandler {
 public:
  using allocator_type = StateAllocator<std::byte>;

  WaitHandler(State& state, Direction direction) : state_(&state), direction_(direction) {
    ++state.references;
  }
  WaitHandler(WaitHandler&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), direction_(other.direction_) {}
  WaitHandler(const WaitHandler&) = delete;
  WaitHandler& operator=(const WaitHandler&) = delete;
  WaitHandler& operator=(WaitHandler&&) = delete;
  ~WaitHandler() {
    if (state_ != nullptr) unref(state_);
  }
  [[nodiscard]] allocator_type get_allocator() const noexcept { return {state_, direction_}; }

  // An error counts as ready: the read or write that follows will tell.
  void operator()(const SystemError&) {
    state_->waiting[direction_] = false;
    if (state_->watcher == nullptr) return;
    ++state_->references;
    state_->ready.emplace_back(state_, direction_);
  }

 private:
  State* state_;
  Direction direction_;
};

using Handle = decltype(State::handle);

void await(State& state, Handle::wait_type event, Direction direction) {
  if (std::exchange(state.waiting[direction], true)) return;
  state.handle.async_wait(event, WaitHandler(state, direction));
}

}  // namespace

struct Reactor::State {
  // One thread uses the descriptors; only post() comes from others.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  ReadyList ready;
  std::optional<asio::signal_set> signals;
  Callback<void(int)> on_signal;
  std::vector<int> signals_seen;

  void await_signal() {
    signals->async_wait([this](const SystemError& error, int number) {
      if (error) return;
      signals_seen.push_back(number);
      await_signal();
    });
  }
};

Reactor::Reactor() : state_(std::make_unique<State>()) {}

Reactor::~Reactor() {
  for (const auto& [state, direction] : state_->ready) unref(state);
}

std::size_t Reactor::wait(Duration limit) {
  asio::io_context& context = state_->context;
  std::size_t ran = 0;
  if (limit.ns < 0) {
    ran = context.run_one();
  } else if (limit.ns > 0) {
    ran = context.run_one_for(std::chrono::nanoseconds(limit.ns));
  } else {
    ran = context.poll_one();
  }
  if (ran > 0) {
    while (ran < kEventsMax && context.poll_one() > 0) ++ran;
  }
  return ran;
}

void Reactor::dispatch() {
  ReadyList& ready = state_->ready;
  for (const auto& [state, direction] : ready) {  // grows in wait() only
    if (state->watcher != nullptr) {
      if (direction == kRead) {
        state->watcher->on_readable();
      } else {
        state->watcher->on_writable();
      }
    }
    unref(state);
  }
  ready.clear();
  if (!state_->signals_seen.empty()) {
    for (const int number : std::exchange(state_->signals_seen, {})) state_->on_signal(number);
  }
}

void Reactor::wake() {
  asio::post(state_->context, [] {});
}

void Reactor::watch_signals(Callback<void(int)> task) {
  state_->on_signal = std::move(task);
  state_->signals.emplace(state_->context, SIGINT, SIGTERM);
  state_->await_signal();
}

Result<void> Watch::open(Reactor& reactor, Descriptor descriptor, Watcher& watcher) {
  STATOR_ASSERT(state_ == nullptr);
  auto* state = new State(reactor.state_->context, reactor.state_->ready);
  SystemError error;
  state->handle.assign(descriptor.get(), error);
  if (error) {
    unref(state);
    return std::unexpected(system_error("cannot watch a connection", error.value()));
  }
  state->watcher = &watcher;
  descriptor_ = descriptor.release();
  state_ = state;
  return {};
}

void Watch::await_readable() {
  STATOR_ASSERT(state_ != nullptr);
  await(*state_, Handle::wait_read, kRead);
}

void Watch::await_writable() {
  STATOR_ASSERT(state_ != nullptr);
  await(*state_, Handle::wait_write, kWrite);
}

void Watch::await_broken() {
  STATOR_ASSERT(state_ != nullptr && !state_->waiting[kRead]);
  await(*state_, Handle::wait_error, kRead);
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
  Descriptor kept(state->handle.release());
  descriptor_ = -1;
  unref(state);
  return kept;
}

}  // namespace stator::env
