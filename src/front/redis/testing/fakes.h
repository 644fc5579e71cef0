#pragma once

#include <cstdint>
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
#include "front/redis/redis_front.h"
#include "node/store.h"

// Doubles for tests of the Redis door: a store of one process that answers when it is told to, a
// loop whose time stands still, a client's end of a stream.

namespace stator::redis::testing {

inline constexpr WallTime kWall{1'790'000'000'000'000};  // 2026-09-21T14:13:20Z
inline constexpr std::uint64_t kSecret = 77;

/// Keeps real objects, so that contexts, siblings and tombstones are what they are in a node.
/// Answers inside the call, or, while `hold` is set, when a test says so: a request takes effect
/// then, not before.
class FakeStore final : public node::Store {
 public:
  FakeStore();

  void read(std::string_view bucket, std::string_view key, const node::ReadQuorum& quorum,
            node::ReadDone done) override;
  void write(const node::WriteRequest& request, node::WriteDone done) override;
  void explain(std::string_view bucket, std::string_view key, node::ExplainDone done) override;
  void scan(const node::ScanRequest& request, node::ScanDone done) override;
  void count_published_keys(node::CountDone done) override;
  [[nodiscard]] Room room() const override { return room_left; }
  [[nodiscard]] const node::ClusterView& cluster() const override { return view; }
  [[nodiscard]] node::NodeStatus status() const override { return node_status; }
  [[nodiscard]] node::Metrics metrics() const override { return {}; }
  [[nodiscard]] WallTime guarded_now() const override { return now; }
  [[nodiscard]] std::uint64_t context_secret() const override { return kSecret; }

  /// Carries out the held request at `index`, in order of arrival among those that are left.
  void release(std::size_t index = 0);
  void release_all();
  /// Stops holding, and carries out what is held.
  void let_go();
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  /// "read k", "write k", of the held request.
  [[nodiscard]] std::string held_name(std::size_t index) const;
  /// A write of somebody who saw nothing: it becomes a sibling.
  void write_blind(std::string_view key, std::string_view value);
  [[nodiscard]] Object object_of(std::string_view key) const;

  bool hold = false;
  Room room_left = Room::kPlenty;         // as it says; what it refuses is in `failures`
  std::map<std::string, Error> failures;  // by key; "*": every key
  Outcome failure_outcome = Outcome::kNotApplied;
  node::Evidence evidence{.primaries = 2, .fallbacks = 1, .nodes = 3, .zones = 2};
  WallTime now = kWall;
  node::ClusterView view;
  node::NodeStatus node_status;
  node::ScanResult scan_result;
  std::uint64_t published_keys = 0;

  node::ReadQuorum last_read;
  node::WriteRequest last_write;  // its views are gone
  node::ScanRequest last_scan;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::size_t open_max = 0;  // the most that were held at a time

 private:
  struct Held {
    std::string bucket;
    std::string key;
    std::string value;
    std::string content_type;
    Context context;
    bool is_write = false;
    node::WriteRequest request;
    node::ReadDone read_done;
    node::WriteDone write_done;
  };
  void take(std::unique_ptr<Held> held);
  void carry_out(Held& held);
  void carry_out_write(Held& held);
  [[nodiscard]] const Error* failure_of(const std::string& key) const;
  [[nodiscard]] WriteId make_id(bool once);

  std::map<std::string, std::string> objects_;  // encoded
  std::vector<std::unique_ptr<Held>> held_;
  std::uint64_t counter_ = 0;
};

class FakeExecutor final : public env::Executor {
 public:
  /// Moves time on, and runs the timers that fall due.
  void advance(Duration time);

  [[nodiscard]] MonoTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return kWall; }
  std::uint64_t random() override { return ++random_; }
  void post(Callback<void()> task) override { posted.push_back(std::move(task)); }
  env::TimerId after(Duration delay, Callback<void()> task) override;
  void cancel(env::TimerId timer) override;
  void at_turn_end(Callback<bool()>) override {}
  void run_blocking(unsigned, Callback<void()> job, Callback<void()> done) override;
  [[nodiscard]] unsigned shard() const override { return 0; }
  [[nodiscard]] unsigned shard_count() const override { return 1; }
  void post_to(unsigned, Callback<void()> task) override { post(std::move(task)); }

  std::vector<Callback<void()>> posted;

 private:
  struct Timer {
    std::uint64_t id = 0;
    MonoTime due{};
    Callback<void()> task;
  };
  MonoTime now_{1'000'000'000};
  std::vector<Timer> timers_;
  std::uint64_t next_timer_ = 1;
  std::uint64_t random_ = 0;
};

/// A stream and the client at its other end. Input comes again as the contract of env::Stream says;
/// each delivery is a copy of exactly its size, so that AddressSanitizer sees a byte too far.
class Client final : public env::Stream {
 public:
  explicit Client(RedisFront& front, std::string_view host = "127.0.0.1",
                  std::uint16_t port = 50001);
  ~Client() override;

  /// False: the front refused the connection.
  [[nodiscard]] bool accepted() const { return accepted_; }
  /// Sends bytes, in pieces of at most `piece`.
  void send(std::string_view bytes, std::size_t piece = std::string_view::npos);
  /// Sends words as a command.
  void command(const std::vector<std::string>& words);
  /// What has been answered since; with `command`, of that command.
  std::string take();
  std::string run(const std::vector<std::string>& words);
  /// An inline command, split at spaces by the server.
  std::string ask(std::string_view line);
  /// The client closes its end.
  void close();
  /// The client sends no more, and goes on reading. While paused() the door hears of it later, as
  /// the contract of env::Stream says.
  void end_input();

  /// Answers stay unsent while false; true sends them.
  void set_reading(bool reading);
  [[nodiscard]] bool closed_by_server() const { return closing_; }
  [[nodiscard]] bool cut_by_server() const { return cut_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] std::size_t kept() const { return input_.size(); }

  // env::Stream
  std::string& output() override { return output_; }
  [[nodiscard]] std::size_t unsent() const override { return output_.size(); }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  void send_now() override { ++sent_now; }
  void close_after_flush() override { closing_ = true; }
  void close_now() override { closing_ = cut_ = true; }
  void end_output() override { closing_ = true; }
  [[nodiscard]] const env::Address& remote() const override { return remote_; }

  /// What happens at the end of a turn: answers leave, input is delivered again.
  void turn();

  int sent_now = 0;  // how often the door did not want to wait for that

 private:
  void deliver();
  void tell_end();

  env::Address remote_;
  std::unique_ptr<env::StreamHandler> handler_;
  std::string input_;
  std::string output_;
  std::string received_;
  bool accepted_ = false;
  bool reading_ = true;
  bool paused_ = false;
  bool redeliver_ = false;
  bool end_due_ = false;
  bool closing_ = false;
  bool cut_ = false;
  bool drain_wanted_ = false;
  bool inside_ = false;
};

/// Words as an array of bulk strings.
[[nodiscard]] std::string resp(const std::vector<std::string>& words);
[[nodiscard]] std::string bulk(std::string_view bytes);

/// Three members of ports 7410, 7420, 7430; the second is this node; `q` partitions, whose first
/// healthy nodes go round.
[[nodiscard]] node::ClusterView three_nodes(std::uint32_t q);

}  // namespace stator::redis::testing
