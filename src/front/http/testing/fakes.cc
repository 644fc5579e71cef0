#include "front/http/testing/fakes.h"

#include <algorithm>

#include "base/assert.h"
#include "core/ring/position.h"
#include "core/version/object_codec.h"

namespace stator::http::testing {

// --- FakeStore ---------------------------------------------------------------------------------

FakeStore::FakeStore() {
  view.cluster_id = "test";
  view.member = true;
  view.self = NodeId{1};
  view.self_name = "n1";
  view.q = 16;
  view.n = 3;
  view.r = 2;
  view.w = 2;
  view.history = {0xABC};
  view.owner_count = 3;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    node::MemberView member;
    member.id = {i};
    member.name = "n" + std::to_string(i);
    member.zone = "z1";
    member.redis_address = "127.0.0.1:" + std::to_string(7400 + 10 * i);
    member.http_address = "127.0.0.1:" + std::to_string(7401 + 10 * i);
    member.peer_address = "127.0.0.1:" + std::to_string(7402 + 10 * i);
    member.self = i == 1;
    member.healthy = true;
    member.last_heard_ms = i == 1 ? 0 : 20;
    member.incarnation = 0x100 + i;
    view.members.push_back(member);
  }
  for (std::uint16_t p = 0; p < view.q; ++p) {
    const std::uint16_t first = p / 4 % 3;  // runs of four partitions
    view.first_healthy.push_back(first);
    for (std::uint16_t place = 0; place < 3; ++place)
      view.owners.push_back(static_cast<std::uint16_t>((first + place) % 3));
  }
  node_status.engine = "memory";
  node_status.keys = 5;
  node_status.bytes = 500;
  node_status.uptime_ms = 12'345;
}

void FakeStore::take(std::unique_ptr<Held> held) {
  last_bucket = held->bucket;
  last_key = held->key;
  if (hold) {
    held_.push_back(std::move(held));
  } else {
    answer(*held);
  }
}

void FakeStore::release(std::size_t index) {
  STATOR_ASSERT(index < held_.size());
  const std::unique_ptr<Held> held = std::move(held_[index]);
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
  answer(*held);
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
  // What a node asserts: a plain write is minted once.
  STATOR_ASSERT(request.kind == node::WriteKind::kWithContext || !request.id ||
                !request.id.retryable());
  ++writes;
  last_had_context = request.context != nullptr;
  auto held = std::make_unique<Held>();
  held->bucket = request.bucket;
  held->key = request.key;
  held->value = request.value;
  held->content_type = request.content_type;
  if (request.context != nullptr) held->context = *request.context;
  held->write = request;
  held->write_done = std::move(done);
  last_write = request;
  take(std::move(held));
}

void FakeStore::explain(std::string_view bucket, std::string_view key, node::ExplainDone done) {
  auto held = std::make_unique<Held>();
  held->bucket = bucket;
  held->key = key;
  held->explain_done = std::move(done);
  take(std::move(held));
}

void FakeStore::scan(const node::ScanRequest&, node::ScanDone done) {
  done(node::ScanResult{});
}

void FakeStore::count_published_keys(node::CountDone done) {
  done(objects_.size());
}

void FakeStore::answer(Held& held) {
  if (held.write_done) {
    answer_write(held);
  } else if (held.explain_done) {
    answer_explain(held);
  } else if (failure) {
    held.read_done(std::unexpected(*failure));
  } else {
    const Object object = object_of(held.bucket, held.key);
    held.read_done(
        node::ReadResult{.object = &object, .evidence = evidence, .fastest = fastest, .now = now});
  }
}

void FakeStore::answer_write(Held& held) {
  node::WriteResult result;
  result.bucket = held.bucket;
  result.key = held.key;
  result.evidence = evidence;
  node::WriteRequest& request = held.write;
  const bool plain = request.kind == node::WriteKind::kOverAll;
  if (!request.id) {
    ++counter_;
    request.id = WriteId::make(static_cast<std::uint64_t>(now.ms()),
                               plain ? WriteId::kMintedOnce : WriteId::kRetryable, 0, counter_);
  }
  result.id = request.id;
  if (failure) {
    result.outcome = failure_outcome;
    result.error = *failure;
    held.write_done(result);
    return;
  }
  Object object = object_of(held.bucket, held.key);
  const Dot dot{{{0xA}, 1}, ++counter_};
  Hlc time = Hlc::from_wall(now);
  time.value += counter_;
  const Write write{.id = request.id,
                    .time = std::max(time, Hlc{request.floor.value + 1}),
                    .expires_at = request.expires_at,
                    .tombstone = request.tombstone,
                    .content_type = held.content_type,
                    .value = held.value};
  if (plain) {
    put_over_all(object, write, dot, now);
  } else {
    put(object, write, held.context, dot, now);
    if (const Version* own = object.find(request.id)) extend_context(held.context, *own);
    result.context = &held.context;
  }
  if (const Version* own = object.find(request.id)) result.time = own->time;
  put_object(held.bucket, held.key, object);
  held.write_done(result);
}

void FakeStore::answer_explain(Held& held) {
  if (failure) {
    held.explain_done(std::unexpected(*failure));
    return;
  }
  const Position position = position_of(held.bucket, held.key);
  node::Explanation explanation;
  explanation.partition = partition_of(position, view.q).value;
  explanation.slot = slot_of(position);
  const Object& object = object_of(held.bucket, held.key);
  if (!object.empty()) encode_object(object, explanation.merged_bytes);
  for (const node::MemberView& member : view.members) {
    node::ReplicaView replica;
    replica.node = member.id;
    replica.name = member.name;
    replica.owner = member.id.value < 3;
    replica.healthy = member.healthy;
    replica.answered = replica.owner && member.healthy;
    if (replica.owner && !member.healthy) replica.error = "not reachable";
    if (replica.answered) {
      replica.digest = object.empty() ? 0 : digest(object);
      replica.object_bytes = explanation.merged_bytes;
    }
    explanation.replicas.push_back(replica);
  }
  explanation.verdict = "a read would return what the test stored";
  held.explain_done(explanation);
}

const Object& FakeStore::object_of(std::string_view bucket, std::string_view key) {
  scratch_.clear();
  const auto found = objects_.find({std::string(bucket), std::string(key)});
  if (found != objects_.end()) {
    const auto decoded = decode_object(found->second, scratch_);
    STATOR_ASSERT(decoded.has_value());
  }
  return scratch_;
}

void FakeStore::put_object(std::string_view bucket, std::string_view key, const Object& object) {
  std::string bytes;
  encode_object(object, bytes);
  objects_[{std::string(bucket), std::string(key)}] = std::move(bytes);
}

// --- FakeExecutor ------------------------------------------------------------------------------

void FakeExecutor::advance(Duration time) {
  const MonoTime end = now_ + time;
  for (;;) {
    run_posted();
    const auto first =
        std::min_element(timers_.begin(), timers_.end(),
                         [](const Timer& a, const Timer& b) { return a.due < b.due; });
    if (first == timers_.end() || first->due > end) break;
    wall_ = wall_ + (first->due - now_);
    now_ = first->due;
    Timer timer = std::move(*first);
    timers_.erase(first);
    timer.task();
  }
  wall_ = wall_ + (end - now_);
  now_ = end;
  run_posted();
}

void FakeExecutor::run_posted() {
  while (!posted_.empty()) {
    Callback<void()> task = std::move(posted_.front());
    posted_.pop_front();
    task();
  }
}

env::TimerId FakeExecutor::after(Duration delay, Callback<void()> task) {
  timers_.push_back({next_timer_, now_ + delay, std::move(task)});
  return {next_timer_++};
}

void FakeExecutor::cancel(env::TimerId timer) {
  std::erase_if(timers_, [&](const Timer& one) { return one.id == timer.value; });
}

void FakeExecutor::run_blocking(unsigned, Callback<void()> job, Callback<void()> done) {
  job();
  post(std::move(done));
}

// --- FakeStream --------------------------------------------------------------------------------

FakeStream::FakeStream(env::StreamAcceptor& acceptor, FakeExecutor& executor)
    : executor_(executor) {
  handler_ = acceptor.on_accept(*this);
  accepted_ = handler_ != nullptr;
  if (!accepted_) closing_ = true;
}

FakeStream::~FakeStream() {
  hang_up();
}

void FakeStream::hang_up() {
  closing_ = true;
  if (handler_ == nullptr) return;
  handler_->on_closed();
  handler_.reset();
}

void FakeStream::end_input() {
  STATOR_ASSERT(!paused_ && !closing_);
  input_.clear();
  if (!handler_->on_end_of_input()) closing_ = true;
}

void FakeStream::send(std::string_view bytes) {
  if (handler_ == nullptr || closing_) return;
  input_ += bytes;
  if (!paused_) deliver();
}

// In a block of its own size, so that a sanitizer sees who reads past the end or keeps a view.
void FakeStream::deliver() {
  if (input_.empty() || closing_ || handler_ == nullptr) return;
  STATOR_ASSERT(!in_data_);
  in_data_ = true;
  const auto block = std::make_unique<char[]>(input_.size());
  std::copy(input_.begin(), input_.end(), block.get());
  const std::size_t consumed = handler_->on_data({block.get(), input_.size()});
  in_data_ = false;
  STATOR_ASSERT(consumed <= input_.size());
  input_.erase(0, consumed);
  if (output_.size() > 64 * 1024) over_mark_ = true;
}

std::string FakeStream::receive(std::size_t most) {
  const std::size_t size = std::min(most, output_.size());
  if (output_.size() > 64 * 1024) over_mark_ = true;
  std::string taken = output_.substr(0, size);
  output_.erase(0, size);
  if (output_.empty() && std::exchange(over_mark_, false) && !closing_ && handler_ != nullptr)
    handler_->on_drained();
  executor_.run_posted();
  return taken;
}

void FakeStream::resume_reading() {
  if (!std::exchange(paused_, false)) return;
  executor_.post([this] {
    if (!paused_) deliver();
  });
}

void FakeStream::close_now() {
  output_.clear();
  closing_ = true;
}

}  // namespace stator::http::testing
