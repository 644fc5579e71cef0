#include "front/redis/testing/fakes.h"

#include <algorithm>

#include "base/assert.h"
#include "core/version/context.h"
#include "core/version/object_codec.h"

namespace stator::redis::testing {
namespace {

constexpr Incarnation kIncarnation{0xabcdef};

}  // namespace

// --- store -------------------------------------------------------------------------------------

FakeStore::FakeStore() {
  view = three_nodes(16);
  node_status.engine = "memory";
}

void FakeStore::read(std::string_view bucket, std::string_view key, const node::ReadQuorum& quorum,
                     node::ReadDone done) {
  ++reads;
  last_read = quorum;
  auto held = std::make_unique<Held>();
  held->bucket = bucket;
  held->key = key;
  held->read_done = std::move(done);
  take(std::move(held));
}

void FakeStore::write(const node::WriteRequest& request, node::WriteDone done) {
  ++writes;
  last_write = request;
  auto held = std::make_unique<Held>();
  held->is_write = true;
  held->request = request;
  held->bucket = request.bucket;
  held->key = request.key;
  held->value = request.value;
  held->content_type = request.content_type;
  if (request.context != nullptr) held->context = *request.context;
  held->write_done = std::move(done);
  take(std::move(held));
}

void FakeStore::take(std::unique_ptr<Held> held) {
  STATOR_ASSERT(held->bucket == "default");
  if (hold) {
    held_.push_back(std::move(held));
    open_max = std::max(open_max, held_.size());
  } else {
    carry_out(*held);
  }
}

void FakeStore::release(std::size_t index) {
  const std::unique_ptr<Held> held = std::move(held_.at(index));
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
  carry_out(*held);
}

void FakeStore::release_all() {
  while (!held_.empty()) release();
}

void FakeStore::let_go() {
  hold = false;
  release_all();
}

std::string FakeStore::held_name(std::size_t index) const {
  const Held& held = *held_.at(index);
  return (held.is_write ? "write " : "read ") + held.key;
}

const Error* FakeStore::failure_of(const std::string& key) const {
  auto found = failures.find(key);
  if (found == failures.end()) found = failures.find("*");
  return found == failures.end() ? nullptr : &found->second;
}

WriteId FakeStore::make_id(bool once) {
  ++counter_;
  return WriteId::make(static_cast<std::uint64_t>(now.ms()),
                       once ? WriteId::kMintedOnce : WriteId::kRetryable, counter_, counter_);
}

void FakeStore::carry_out(Held& held) {
  if (held.is_write) {
    carry_out_write(held);
    return;
  }
  if (const Error* error = failure_of(held.key)) {
    held.read_done(std::unexpected(*error));
    return;
  }
  const std::string bytes = objects_[held.key];
  Object object;
  if (!bytes.empty()) STATOR_ASSERT(decode_object(bytes, object));
  held.read_done(node::ReadResult{
      .object = &object, .evidence = evidence, .fastest = view.members.at(0).id, .now = now});
}

void FakeStore::carry_out_write(Held& held) {
  const bool with_context = held.request.kind == node::WriteKind::kWithContext;
  node::WriteResult result;
  result.bucket = held.bucket;
  result.key = held.key;
  result.id = held.request.id ? held.request.id : make_id(!with_context);
  result.evidence = evidence;
  if (const Error* error = failure_of(held.key)) {
    result.outcome = failure_outcome;
    result.error = *error;
    held.write_done(result);
    return;
  }
  const std::string bytes = objects_[held.key];
  Object object;
  if (!bytes.empty()) STATOR_ASSERT(decode_object(bytes, object));
  Write write;
  write.id = result.id;
  write.time = std::max(Hlc::from_wall(now), Hlc{held.request.floor.value + 1});
  write.expires_at = held.request.expires_at;
  write.tombstone = held.request.tombstone;
  write.content_type = held.content_type;
  write.value = held.value;
  const Dot dot{{kIncarnation, 1}, ++counter_};
  if (with_context) {
    static_cast<void>(put(object, write, held.context, dot, now));
  } else {
    static_cast<void>(put_over_all(object, write, dot, now));
  }
  Context context = held.context;
  if (const Version* version = object.find(write.id)) {
    extend_context(context, *version);
    result.time = version->time;
  }
  result.context = &context;
  std::string encoded;
  encode_object(object, encoded);
  objects_[held.key] = encoded;
  held.write_done(result);
}

void FakeStore::write_blind(std::string_view key, std::string_view value) {
  node::WriteRequest request;
  request.bucket = "default";
  request.key = key;
  request.kind = node::WriteKind::kWithContext;
  request.value = value;
  write(request, [](const node::WriteResult&) {});
}

Object FakeStore::object_of(std::string_view key) const {
  Object object;
  const auto found = objects_.find(std::string(key));
  if (found != objects_.end()) STATOR_ASSERT(decode_object(found->second, object));
  return object;
}

void FakeStore::explain(std::string_view, std::string_view key, node::ExplainDone done) {
  if (const Error* error = failure_of(std::string(key))) {
    done(std::unexpected(*error));
    return;
  }
  node::Explanation explanation;
  explanation.partition = 3;
  explanation.slot = 3000;
  explanation.verdict = "a read would return one version";
  explanation.merged_bytes = objects_[std::string(key)];
  explanation.replicas.push_back({.node = view.members.at(0).id,
                                  .name = "n1",
                                  .owner = true,
                                  .healthy = true,
                                  .answered = true,
                                  .error = "",
                                  .digest = 0x1234,
                                  .object_bytes = explanation.merged_bytes});
  explanation.replicas.push_back({.node = view.members.at(1).id,
                                  .name = "n2",
                                  .owner = true,
                                  .healthy = false,
                                  .answered = false,
                                  .error = "not reachable",
                                  .digest = 0,
                                  .object_bytes = ""});
  done(Result<node::Explanation>(std::move(explanation)));
}

void FakeStore::scan(const node::ScanRequest& request, node::ScanDone done) {
  last_scan = request;
  if (const Error* error = failure_of("*")) {
    done(std::unexpected(*error));
  } else {
    done(Result<node::ScanResult>(scan_result));
  }
}

void FakeStore::count_published_keys(node::CountDone done) {
  done(published_keys);
}

// --- executor ----------------------------------------------------------------------------------

void FakeExecutor::advance(Duration time) {
  now_ = now_ + time;
  for (;;) {
    const auto due = std::ranges::find_if(timers_, [&](const Timer& t) { return t.due <= now_; });
    if (due == timers_.end()) return;
    Callback<void()> task = std::move(due->task);
    timers_.erase(due);
    task();
  }
}

env::TimerId FakeExecutor::after(Duration delay, Callback<void()> task) {
  timers_.push_back({next_timer_, now_ + delay, std::move(task)});
  return {next_timer_++};
}

void FakeExecutor::cancel(env::TimerId timer) {
  std::erase_if(timers_, [&](const Timer& t) { return t.id == timer.value; });
}

void FakeExecutor::run_blocking(unsigned, Callback<void()> job, Callback<void()> done) {
  job();
  done();
}

// --- client ------------------------------------------------------------------------------------

Client::Client(RedisFront& front, std::string_view host, std::uint16_t port)
    : remote_{std::string(host), port} {
  handler_ = front.on_accept(*this);
  accepted_ = handler_ != nullptr;
}

Client::~Client() {
  close();
}

void Client::close() {
  if (handler_ == nullptr) return;
  closing_ = true;
  handler_->on_closed();
  handler_.reset();
}

void Client::end_input() {
  STATOR_ASSERT(!closing_);
  end_due_ = true;
  tell_end();
}

void Client::tell_end() {
  if (!end_due_ || paused_ || redeliver_ || closing_ || handler_ == nullptr) return;
  end_due_ = false;
  input_.clear();
  if (!handler_->on_end_of_input()) closing_ = true;
}

void Client::send(std::string_view bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    if (closing_ || handler_ == nullptr) return;
    input_.append(part);
    if (!paused_) deliver();
    turn();
  }
}

void Client::deliver() {
  if (closing_ || input_.empty() || inside_) return;
  inside_ = true;
  const std::vector<char> exact(input_.begin(), input_.end());
  const std::size_t consumed = handler_->on_data({exact.data(), exact.size()});
  STATOR_ASSERT(consumed <= exact.size());
  input_.erase(0, consumed);
  inside_ = false;
}

void Client::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  redeliver_ = true;
}

void Client::turn() {
  constexpr std::size_t kDrainMark = 64 * 1024;
  for (;;) {
    if (output_.size() > kDrainMark) drain_wanted_ = true;
    if (reading_ && !cut_) {
      received_ += output_;
      output_.clear();
      if (std::exchange(drain_wanted_, false) && handler_ != nullptr && !closing_) {
        handler_->on_drained();
      }
    }
    if (!std::exchange(redeliver_, false) || handler_ == nullptr || paused_) {
      tell_end();
      return;
    }
    deliver();
  }
}

void Client::set_reading(bool reading) {
  reading_ = reading;
  if (reading) turn();
}

void Client::command(const std::vector<std::string>& words) {
  send(resp(words));
}

std::string Client::take() {
  turn();
  return std::exchange(received_, {});
}

std::string Client::run(const std::vector<std::string>& words) {
  command(words);
  return take();
}

std::string Client::ask(std::string_view line) {
  send(std::string(line) + "\r\n");
  return take();
}

// --- small things ------------------------------------------------------------------------------

std::string bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}

std::string resp(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) out += bulk(word);
  return out;
}

node::ClusterView three_nodes(std::uint32_t q) {
  node::ClusterView view;
  view.cluster_id = "test";
  view.member = true;
  view.self = {0xb2};
  view.self_name = "n2";
  view.q = q;
  view.n = 3;
  view.r = view.w = 2;
  view.version = 1;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    node::MemberView member;
    member.id = {0xb0 + i};
    member.name = "n" + std::to_string(i);
    member.redis_address = "127.0.0.1:" + std::to_string(7400 + 10 * i);
    member.self = i == 2;
    member.healthy = true;
    view.members.push_back(member);
  }
  for (std::uint32_t p = 0; p < q; ++p) {
    view.first_healthy.push_back(static_cast<std::uint16_t>(p % 3));
  }
  return view;
}

}  // namespace stator::redis::testing
