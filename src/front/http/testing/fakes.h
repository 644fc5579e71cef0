#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/version/object.h"
#include "env/executor.h"
#include "env/network.h"
#include "node/metrics.h"
#include "node/store.h"

// Doubles for tests of the HTTP door: a store of one process, a loop whose time stands still, and a
// client's end of a stream.

namespace stator::http::testing {

inline constexpr WallTime kWall{1'790'000'000'000'000};  // 2026-09-21T14:13:20Z
inline constexpr std::uint64_t kSecret = 77;

/// A store that keeps real objects, so that contexts, siblings and tombstones are what they are in
/// a node. Answers inside the call, or, while `hold` is set, when it is told to.
class FakeStore final : public node::Store {
 public:
  FakeStore();

  void read(std::string_view bucket, std::string_view key, const node::ReadQuorum& quorum,
            node::ReadDone done) override;
  void write(const node::WriteRequest& request, node::WriteDone done) override;
  void explain(std::string_view bucket, std::string_view key, node::ExplainDone done) override;
  void scan(const node::ScanRequest& request, node::ScanDone done) override;
  void count_published_keys(node::CountDone done) override;
  [[nodiscard]] Room room() const override { return Room::kPlenty; }
  [[nodiscard]] const node::ClusterView& cluster() const override { return view; }
  [[nodiscard]] node::NodeStatus status() const override { return node_status; }
  [[nodiscard]] node::Metrics metrics() const override { return counters; }
  [[nodiscard]] WallTime guarded_now() const override { return now; }
  [[nodiscard]] std::uint64_t context_secret() const override { return kSecret; }

  /// Answers the held request at `index`; the others keep their order.
  void release(std::size_t index = 0);
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  /// The object of a key; empty when there is none. Valid until the next call.
  [[nodiscard]] const Object& object_of(std::string_view bucket, std::string_view key);
  void put_object(std::string_view bucket, std::string_view key, const Object& object);

  bool hold = false;
  std::optional<Error> failure;  // every request ends with it
  Outcome failure_outcome = Outcome::kUnknown;
  WallTime now = kWall;
  node::ClusterView view;
  node::NodeStatus node_status;
  node::Metrics counters;
  node::Evidence evidence{.primaries = 2, .fallbacks = 0, .nodes = 2, .zones = 1};
  NodeId fastest{2};

  // What it was asked last.
  std::string last_bucket;
  std::string last_key;
  node::ReadQuorum last_read;
  node::WriteRequest last_write;  // its views are gone
  bool last_had_context = false;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;

 private:
  struct Held {
    std::string bucket;
    std::string key;
    std::string value;
    std::string content_type;
    Context context;
    node::WriteRequest write;
    node::ReadDone read_done;
    node::WriteDone write_done;
    node::ExplainDone explain_done;
  };
  void answer(Held& held);
  void answer_write(Held& held);
  void answer_explain(Held& held);
  void take(std::unique_ptr<Held> held);

  std::map<std::pair<std::string, std::string>, std::string> objects_;
  std::deque<std::unique_ptr<Held>> held_;
  Object scratch_;
  std::uint64_t counter_ = 0;
};

/// Time stands still until a test moves it.
class FakeExecutor final : public env::Executor {
 public:
  /// Moves time on, and runs the timers that fall due.
  void advance(Duration time);
  void run_posted();

  [[nodiscard]] MonoTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return wall_; }
  std::uint64_t random() override { return ++random_; }
  void post(Callback<void()> task) override { posted_.push_back(std::move(task)); }
  env::TimerId after(Duration delay, Callback<void()> task) override;
  void cancel(env::TimerId timer) override;
  void at_turn_end(Callback<bool()>) override {}
  void run_blocking(unsigned, Callback<void()> job, Callback<void()> done) override;
  [[nodiscard]] unsigned shard() const override { return 0; }
  [[nodiscard]] unsigned shard_count() const override { return 1; }
  void post_to(unsigned, Callback<void()> task) override { post(std::move(task)); }
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }

 private:
  struct Timer {
    std::uint64_t id = 0;
    MonoTime due{};
    Callback<void()> task;
  };
  MonoTime now_{1'000'000'000};
  WallTime wall_ = kWall;
  std::uint64_t random_ = 0;
  std::uint64_t next_timer_ = 1;
  std::deque<Callback<void()>> posted_;
  std::vector<Timer> timers_;
};

/// A connection and the client at its other end. Behaves as env/network.h says: what the handler
/// does not consume comes again, on_data does not come while reading is paused, the end is told
/// later.
class FakeStream final : public env::Stream {
 public:
  FakeStream(env::StreamAcceptor& acceptor, FakeExecutor& executor);
  ~FakeStream() override;

  /// The client sends.
  void send(std::string_view bytes);
  /// The client takes what was sent to it, at most `most` bytes; all of it in the default.
  std::string receive(std::size_t most = SIZE_MAX);
  /// The client goes away.
  void hang_up();
  /// The client sends no more, and goes on reading. Not while paused().
  void end_input();
  [[nodiscard]] bool accepted() const { return accepted_; }
  /// The server has ended the connection.
  [[nodiscard]] bool closed() const { return closing_; }
  [[nodiscard]] bool paused() const { return paused_; }
  /// Arrived and not consumed.
  [[nodiscard]] std::size_t kept() const { return input_.size(); }

  // env::Stream
  std::string& output() override { return output_; }
  [[nodiscard]] std::size_t unsent() const override { return output_.size(); }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  void send_now() override { ++sent_now; }
  void close_after_flush() override { closing_ = true; }
  void close_now() override;
  void end_output() override { closing_ = true; }
  [[nodiscard]] const env::Address& remote() const override { return remote_; }

  int sent_now = 0;  // how often the door did not want to wait for the end of the turn

 private:
  void deliver();

  FakeExecutor& executor_;
  std::unique_ptr<env::StreamHandler> handler_;
  std::string input_;
  std::string output_;
  env::Address remote_{"127.0.0.1", 40000};
  bool accepted_ = false;
  bool paused_ = false;
  bool closing_ = false;
  bool in_data_ = false;
  bool over_mark_ = false;
};

}  // namespace stator::http::testing
