#include <utility>

#include "sim/client.h"
#include "sim/server.h"

namespace stator::sim {

/// Owned by the network; may outlive the session's interest in it.
class Session::Handler final : public env::StreamHandler {
 public:
  Handler(Session& session, std::uint64_t connection)
      : session_(session), connection_(connection) {}
  std::size_t on_data(std::string_view bytes) override {
    if (session_.connection_ != connection_) return bytes.size();
    return session_.on_data(bytes);
  }
  void on_closed() override { session_.on_closed(connection_); }

 private:
  Session& session_;
  std::uint64_t connection_;
};

void Session::submit(Operation operation) {
  ++operation.attempts;
  operation.give_up_at = client_.env().executor.now() + client_.workload().patience;
  if (stream_ == nullptr || leaving_) {
    waiting_.push_back(std::move(operation));
    if (!leaving_) connect();
  } else {
    send(operation);
    sent_.push_back(std::move(operation));
  }
  arm();
}

void Session::hop() {
  node_ = static_cast<std::uint32_t>(client_.random().below(client_.nodes().size()));
  if (stream_ == nullptr || leaving_) return;
  if (!sent_.empty()) {
    leaving_ = true;
    stream_->end_output();
    return;
  }
  ++connection_;
  std::exchange(stream_, nullptr)->close_after_flush();
}

void Session::connect() {
  if (connecting_) return;
  connecting_ = true;
  ++connection_;
  client_.env().network.connect_stream(
      {client_.nodes()[node_], kRedisPort}, *this, [this](const Error&) {
        connecting_ = false;
        node_ = static_cast<std::uint32_t>(client_.random().below(client_.nodes().size()));
        // Nothing was sent, so that everything may go to the next node, as long as there is time.
        if (!waiting_.empty()) connect();
      });
}

std::unique_ptr<env::StreamHandler> Session::on_accept(env::Stream& stream) {
  connecting_ = false;
  stream_ = &stream;
  while (!waiting_.empty()) {
    send(waiting_.front());
    sent_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return std::make_unique<Handler>(*this, connection_);
}

void Session::send(const Operation& operation) {
  std::string& out = stream_->output();
  const std::string key = key_name(operation.key);
  switch (operation.kind) {
    case OperationKind::kGet: append_command(out, {"GET", key}); return;
    case OperationKind::kSet: append_command(out, {"SET", key, operation.value}); return;
    case OperationKind::kDel: append_command(out, {"DEL", key}); return;
    case OperationKind::kStGet: append_command(out, {"ST.GET", key}); return;
    case OperationKind::kStDelBlind: append_command(out, {"ST.DEL", key}); return;
    case OperationKind::kScan:
      append_command(out, {"SCAN", operation.context, "COUNT", "20"});
      return;
    case OperationKind::kStDel:
      append_command(out, {"ST.DEL", key, "CTX", operation.context, "WID", operation.write_id});
      return;
    default: break;
  }
  if (operation.context.empty()) {
    append_command(out, {"ST.PUT", key, operation.value, "WID", operation.write_id});
  } else {
    append_command(
        out, {"ST.PUT", key, operation.value, "CTX", operation.context, "WID", operation.write_id});
  }
}

std::size_t Session::on_data(std::string_view bytes) {
  std::size_t used = 0;
  Reply reply;
  while (used < bytes.size()) {
    const auto size = parse_reply(bytes.substr(used), reply);
    if (!size) {
      client_.answered({}, {.type = Reply::Type::kError, .text = "PROTOCOL", .members = {}});
      stream_->close_now();
      return bytes.size();
    }
    if (*size == 0) break;
    used += *size;
    if (sent_.empty()) {
      client_.answered({}, {.type = Reply::Type::kError, .text = "PROTOCOL", .members = {}});
      continue;
    }
    const Operation operation = std::move(sent_.front());
    sent_.pop_front();
    client_.answered(operation, reply);
  }
  arm();
  return used;
}

void Session::on_closed(std::uint64_t connection) {
  if (connection != connection_) return;
  stream_ = nullptr;
  leaving_ = false;
  fail_all();
  if (stream_ == nullptr && !waiting_.empty()) connect();
}

void Session::fail_all() {
  node_ = static_cast<std::uint32_t>(client_.random().below(client_.nodes().size()));
  std::deque<Operation> failed = std::move(sent_);
  sent_.clear();
  for (Operation& operation : failed) client_.unanswered(std::move(operation));
}

void Session::arm() {
  if (patience_timer_ || open() == 0) return;
  const Operation& oldest = sent_.empty() ? waiting_.front() : sent_.front();
  const env::Env& env = client_.env();
  const MonoTime end = oldest.give_up_at + client_.grace();
  patience_timer_ = env.executor.after(end - env.executor.now(), [this] {
    patience_timer_ = {};
    check_patience();
  });
}

void Session::check_patience() {
  const MonoTime over = client_.env().executor.now() - client_.grace();
  if (!sent_.empty() && sent_.front().give_up_at <= over) {
    // Answers come in order, so that the only way not to wait for one is to hang up.
    ++connection_;
    std::exchange(stream_, nullptr)->close_now();
    leaving_ = false;
    fail_all();
    if (!waiting_.empty()) connect();
  }
  while (!waiting_.empty() && waiting_.front().give_up_at <= over) {
    Operation late = std::move(waiting_.front());
    waiting_.pop_front();
    client_.unanswered(std::move(late));
  }
  arm();
}

}  // namespace stator::sim
