#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "env_sim/world.h"
#include "node/shard.h"
#include "node/testing/scripted_engine.h"
#include "wire/messages.h"

namespace stator::node::testing {

/// One real shard of node n1 in a cluster of three, of which n2 and n3 are the test: they say what
/// the test says, and keep what they are told. N = 3, so that all three own every partition, unless
/// there are more members; R = W = 2.
class LoneShard {
 public:
  static constexpr std::uint32_t kPartitions = 16;
  using Tune = std::function<void(NodeOptions&)>;

  explicit LoneShard(Tune tune = {}, unsigned members = 3);
  ~LoneShard();

  [[nodiscard]] sim::World& world() { return world_; }
  [[nodiscard]] ScriptedEngine::Script& script() { return script_; }
  /// Runs `use` in a turn of the shard's loop, and what follows from it.
  void in_turn(std::function<void(Shard&)> use);
  void run(Duration time) { world_.run_for(time); }

  [[nodiscard]] NodeId id(unsigned node) const;  // 1, 2, 3
  [[nodiscard]] PartitionId partition_of(std::string_view key) const;
  /// As node `from` of the cluster would head a frame about `partition`.
  [[nodiscard]] wire::FrameHeader header(PartitionId partition, std::uint64_t request_id,
                                         unsigned from = 2) const;
  template <typename Message>
  static std::string frame(const wire::FrameHeader& header, const Message& message) {
    std::string bytes;
    const bool fits = wire::encode_frame(header, message, bytes);
    STATOR_ASSERT(fits);
    return bytes;
  }
  /// To the shard, in a turn of its own; then lets the answer come.
  void deliver(std::string frame);
  /// n2 and n3 are heard, so that they are asked first; what came to them until then is gone.
  void hear_both();

  /// What came to `node` since the last call, pings and fetches of the history left out.
  struct Received {
    std::string bytes;
    wire::FrameHeader header{};
    template <typename Message>
    [[nodiscard]] Message as() const {
      Message message;
      const auto frame = wire::decode_frame(bytes);
      STATOR_ASSERT(frame && frame->header.type == Message::kType);
      const auto decoded = wire::decode_body(frame->body, message);
      STATOR_ASSERT(decoded.has_value());
      return message;
    }
  };
  std::vector<Received> take_received(unsigned node = 2);
  /// Of that the messages of one type; the others are gone, too.
  template <typename Message>
  std::vector<Received> take(unsigned node = 2) {
    auto received = take_received(node);
    std::erase_if(received,
                  [](const Received& each) { return each.header.type != Message::kType; });
    return received;
  }
  /// The pings that came, and the questions for the membership history.
  std::vector<Received> take_pings(unsigned node = 2);
  std::vector<Received> take_fetches(unsigned node = 2);
  /// What the shard has given to its node, to be merged.
  [[nodiscard]] const std::vector<History>& histories() const { return histories_; }
  /// The one that it goes by.
  [[nodiscard]] const History& history() const { return topology_->history; }
  [[nodiscard]] const Metrics& metrics() const;

 private:
  struct Inbox;
  class Peer;
  class Program;
  NodeOptions options_;
  Founding founding_;
  ScriptedEngine::Script script_;
  std::vector<std::unique_ptr<Inbox>> inboxes_;
  std::vector<History> histories_;
  Shard* shard_ = nullptr;
  std::shared_ptr<const Topology> topology_;
  sim::World world_{1};  // last: its processes end first
};

/// A write of "v" that another node hands to the lone shard, as to the process that it is.
[[nodiscard]] wire::ForwardWrite forwarded_write(std::string_view key, WriteId id);

/// What a front makes of a client's write in the default bucket. The texts must outlive it.
[[nodiscard]] WriteRequest write_request(std::string_view key, std::string_view value, WriteId id,
                                         WriteKind kind = WriteKind::kOverAll);

/// A whole object with one version, as bytes.
[[nodiscard]] std::string one_version(std::string_view value, std::uint64_t writer = 7);

}  // namespace stator::node::testing
