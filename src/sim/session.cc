#include <utility>

#include "sim/client.h"

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
  if (stream_ != nullptr && !client_.may_use(there_)) hang_up();
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
  node_ = client_.pick_node();
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
  if (!client_.may_use(node_)) node_ = client_.pick_node();
  there_ = node_;
  client_.env().network.connect_stream(client_.nodes()[there_], *this,
                                       [this](const Error&) { on_dial_failed(); });
}

// Nothing was sent, so that everything may go to the next node, as long as there is time.
void Session::on_dial_failed() {
  node_ = client_.pick_node();
  const auto again = [this] {
    connecting_ = false;
    if (!waiting_.empty()) connect();
  };
  if (client_.workload().redial.ns == 0) return again();
  client_.env().executor.after(client_.workload().redial, again);
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

void Session::send(Operation& operation) {
  client_.sending(operation);
  std::string& out = stream_->output();
  const std::string key = key_name(operation.key);
  std::vector<std::string_view> words;
  switch (operation.kind) {
    case OperationKind::kGet: words = {"GET", key}; break;
    case OperationKind::kSet: words = {"SET", key, operation.value}; break;
    case OperationKind::kDel: words = {"DEL", key}; break;
    case OperationKind::kStGet: words = {"ST.GET", key}; break;
    case OperationKind::kScan:
      append_command(out, {"SCAN", operation.context, "COUNT", "20"});
      return;
    case OperationKind::kStDel:
    case OperationKind::kStDelBlind: words = {"ST.DEL", key}; break;
    default: words = {"ST.PUT", key, operation.value};
  }
  if (!operation.context.empty()) words.insert(words.end(), {"CTX", operation.context});
  if (!operation.write_id.empty()) words.insert(words.end(), {"WID", operation.write_id});
  const bool read = operation.kind == OperationKind::kStGet;
  const std::string quorum = std::to_string(client_.workload().quorum);
  if (operation.owners && words[0].starts_with("ST.")) {
    words.insert(words.end(), {read ? "PR" : "PW", quorum});
  }
  const AskedQuorum& asked = operation.asked;
  const std::string nodes = std::to_string(asked.nodes);
  const std::string owners = std::to_string(asked.owners);
  const std::string durable = std::to_string(asked.durable);
  if (asked.nodes > 0) words.insert(words.end(), {read ? "R" : "W", nodes});
  if (asked.owners > 0) words.insert(words.end(), {read ? "PR" : "PW", owners});
  if (asked.durable > 0) words.insert(words.end(), {"DW", durable});
  if (operation.evidence && words[0].starts_with("ST.")) words.emplace_back("EVIDENCE");
  append_command(out, words);
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

// What was sent on it will never be answered.
void Session::hang_up() {
  ++connection_;
  std::exchange(stream_, nullptr)->close_now();
  leaving_ = false;
  fail_all();
}

void Session::fail_all() {
  node_ = client_.pick_node();
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
    hang_up();
    if (!waiting_.empty()) connect();
  }
  while (!waiting_.empty() && waiting_.front().give_up_at <= over) {
    Operation late = std::move(waiting_.front());
    waiting_.pop_front();
    client_.unsent(std::move(late));
  }
  arm();
}

}  // namespace stator::sim
