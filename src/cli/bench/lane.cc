#include "cli/bench/lane.h"

#include <utility>

#include "base/assert.h"

namespace stator::bench {

class Lane::Handler final : public env::StreamHandler {
 public:
  explicit Handler(Lane& lane) : lane_(lane) {}
  std::size_t on_data(std::string_view bytes) override { return lane_.on_data(bytes); }
  void on_closed() override { lane_.on_closed(); }

 private:
  Lane& lane_;
};

Lane::Lane(env::Env& env, LaneEvents& events, std::vector<env::Address> addresses,
           std::size_t first, std::uint32_t client, std::size_t group, std::uint32_t depth)
    : env_(env),
      events_(events),
      addresses_(std::move(addresses)),
      at_(first),
      client_(client),
      group_(group),
      ring_(depth) {
  STATOR_ASSERT(at_ < addresses_.size() && depth > 0);
}

void Lane::dial() {
  env_.network.connect_stream(addresses_[at_], *this,
                              [this](const Error& error) { on_dial_failed(error); });
}

void Lane::set_addresses(std::vector<env::Address> addresses) {
  STATOR_ASSERT(!addresses.empty());
  const env::Address now = addresses_[at_];
  addresses_ = std::move(addresses);
  at_ = 0;
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    if (addresses_[i] == now) at_ = i;
  }
}

std::string& Lane::begin(const Operation& operation) {
  STATOR_ASSERT(has_room());
  ring_[(oldest_ + count_) % ring_.size()] = operation;
  ++count_;
  return stream_->output();
}

void Lane::expire(MonoTime now, Duration limit) {
  if (!up() || count_ == 0 || now - ring_[oldest_].sent <= limit) return;
  // Answers come in order: none can be waited for behind one that does not come.
  expired_before_ = now - limit;
  stream_->close_now();
}

std::unique_ptr<env::StreamHandler> Lane::on_accept(env::Stream& stream) {
  if (stopped_) return nullptr;
  stream_ = &stream;
  scanner_ = {};
  tried_ = true;
  // The handler is in place before anything is sent.
  env_.executor.post([this] {
    if (up()) events_.on_lane_up(*this);
  });
  return std::make_unique<Handler>(*this);
}

void Lane::on_dial_failed(const Error& error) {
  tried_ = true;
  events_.on_dial_failed(*this, error);
  dial_next();
}

std::size_t Lane::on_data(std::string_view bytes) {
  events_.on_input(*this);
  std::size_t consumed = 0;
  while (consumed < bytes.size()) {
    const std::string_view rest = bytes.substr(consumed);
    const auto size = scanner_.next(rest);
    // An answer that nobody asked for (a refused connection, a server that stops) ends it as well.
    if (!size || (*size > 0 && count_ == 0)) {
      stream_->close_now();
      consumed = bytes.size();
      break;
    }
    if (*size == 0) break;
    consumed += *size;
    const Operation operation = take_oldest();
    events_.on_reply(*this, operation, rest.substr(0, *size));
  }
  events_.on_input_end(*this);
  return consumed;
}

void Lane::on_closed() {
  stream_ = nullptr;
  while (count_ > 0) {
    const Operation operation = take_oldest();
    const bool expired = operation.sent < expired_before_;
    events_.on_lost(*this, operation, expired ? Failure::kNoAnswer : Failure::kConnectionLost);
  }
  expired_before_ = {};
  events_.on_lane_down(*this);
  dial_next();
}

void Lane::dial_next() {
  if (stopped_) return;
  at_ = (at_ + 1) % addresses_.size();
  env_.executor.after(kRedialPause, [this] {
    if (!stopped_) dial();
  });
}

Operation Lane::take_oldest() {
  const Operation operation = ring_[oldest_];
  oldest_ = (oldest_ + 1) % ring_.size();
  --count_;
  return operation;
}

}  // namespace stator::bench
