#include "env_real/dial.h"

#include <utility>

#include "env_real/sockets.h"
#include "env_real/system_error.h"

namespace stator::env {

// Shared with the resolver's thread, which may finish after the dial was given up.
struct Dial::Lookup {
  Address address;
  Result<std::vector<Endpoint>> found;
  Dial* dial = nullptr;  // on the loop only
};

Dial::Dial(Loop& loop, Address address, Callback<void(Result<Descriptor>)> done)
    : loop_(loop), address_(std::move(address)), done_(std::move(done)) {
  timeout_ = loop_.after(kTimeout, [this] {
    finish(std::unexpected(Error{.code = ErrorCode::kTimeout,
                                 .detail = "cannot connect to " + to_string(address_) +
                                           ": no answer within " + std::to_string(kTimeout.ms()) +
                                           " ms"}));
  });
  begin_ = loop_.after({}, [this] { look_up(); });
}

Dial::~Dial() {
  loop_.cancel(timeout_);
  loop_.cancel(begin_);
  if (lookup_ != nullptr) lookup_->dial = nullptr;
}

void Dial::look_up() {
  lookup_ = std::make_shared<Lookup>(Lookup{address_, {}, this});
  Callback<void()> ask = [lookup = lookup_] { lookup->found = resolve(lookup->address); };
  Callback<void()> use = [lookup = lookup_] {
    Dial* dial = std::exchange(lookup->dial, nullptr);
    if (dial == nullptr) return;
    if (!lookup->found) {
      dial->finish(std::unexpected(std::move(lookup->found.error())));
      return;
    }
    dial->endpoints_ = std::move(*lookup->found);
    dial->connecting_since_ = dial->loop_.now();
    dial->try_next();
  };
  if (resolves_at_once(address_)) {
    ask();
    use();
  } else {
    loop_.resolver().run(std::move(ask), std::move(use));
  }
}

void Dial::try_next() {
  while (next_ < endpoints_.size()) {
    auto socket = start_connect(endpoints_[next_++]);
    if (!socket) {
      last_error_ = std::move(socket.error());
      continue;
    }
    if (auto opened = watch_.open(loop_.reactor(), std::move(*socket), *this); !opened) {
      last_error_ = std::move(opened.error());
      continue;
    }
    watch_.await_writable();
    return;
  }
  finish(std::unexpected(std::move(last_error_)));
}

void Dial::on_writable() {
  Descriptor socket = watch_.release();
  const int error = connect_result(socket.get());
  if (error == 0) {
    finish(std::move(socket));
    return;
  }
  socket.reset();
  last_error_ = system_error("cannot connect to " + to_string(address_), error);
  try_next();
}

// The last thing that a dial does: `done` may have destroyed it when it returns.
void Dial::finish(Result<Descriptor> result) {
  loop_.cancel(timeout_);
  watch_.close();
  Callback<void(Result<Descriptor>)> done = std::move(done_);
  done(std::move(result));
}

}  // namespace stator::env
