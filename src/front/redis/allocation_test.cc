#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "front/redis/testing/fakes.h"

// Counts what the front itself takes from the heap: the store here and the stream take nothing, and
// answers come later and out of order, so that they are held.

namespace {

std::uint64_t allocations = 0;

}  // namespace

// Kept out of line, so that the compiler does not compare malloc with delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace stator::redis {
namespace {

/// One object, whatever the key; answers wait in a ring of fixed size.
class OneObjectStore final : public node::Store {
 public:
  OneObjectStore() : value_(1024, 'v') {
    Version version;
    version.dot = {{{1}, 1}, 1};
    version.first_counter = 1;
    version.write_id = WriteId::make(1, WriteId::kMintedOnce, 1, 1);
    version.time = {1};
    version.value = value_;
    object_.versions.push_back(version);
    object_.clock.add(version.dot);
  }
  void read(std::string_view, std::string_view, const node::ReadQuorum&,
            node::ReadDone done) override {
    reads_[waiting_++] = std::move(done);
  }
  void write(const node::WriteRequest&, node::WriteDone done) override {
    writes_[waiting_++] = std::move(done);
  }
  /// The last first.
  void answer_all() {
    while (waiting_ > 0) {
      --waiting_;
      if (node::ReadDone read = std::move(reads_[waiting_])) {
        read(node::ReadResult{.object = &object_, .evidence = {}, .fastest = {1}, .now = {1}});
      }
      if (node::WriteDone write = std::move(writes_[waiting_])) {
        write(node::WriteResult{.time = {2}});
      }
    }
  }
  void explain(std::string_view, std::string_view, node::ExplainDone) override {}
  void scan(const node::ScanRequest&, node::ScanDone) override {}
  void count_published_keys(node::CountDone) override {}
  [[nodiscard]] Room room() const override { return Room::kPlenty; }
  [[nodiscard]] const node::ClusterView& cluster() const override { return view_; }
  [[nodiscard]] node::NodeStatus status() const override { return {}; }
  [[nodiscard]] node::Metrics metrics() const override { return {}; }
  [[nodiscard]] WallTime guarded_now() const override { return {1}; }
  [[nodiscard]] std::uint64_t context_secret() const override { return 1; }

 private:
  static constexpr std::size_t kWaitingMax = 64;
  std::string value_;
  Object object_;
  node::ReadDone reads_[kWaitingMax];
  node::WriteDone writes_[kWaitingMax];
  std::size_t waiting_ = 0;
  node::ClusterView view_;
};

class PlainStream final : public env::Stream {
 public:
  std::string& output() override { return output_; }
  [[nodiscard]] std::size_t unsent() const override { return output_.size(); }
  void pause_reading() override {}
  void resume_reading() override {}
  void close_after_flush() override {}
  void end_output() override {}
  void close_now() override {}
  [[nodiscard]] const env::Address& remote() const override { return remote_; }
  void sent() { output_.clear(); }

 private:
  std::string output_;
  env::Address remote_;
};

class Allocation : public ::testing::TestWithParam<std::size_t> {
 protected:
  /// Allocations per command, in steady state, of `depth` commands at a time.
  double per_command(std::string_view name, std::size_t depth) {
    std::string batch;
    for (std::size_t i = 0; i < depth; ++i) {
      std::vector<std::string> words = {std::string(name), "key:" + std::to_string(i)};
      if (name == "SET") words.emplace_back(1024, 'x');
      batch += testing::resp(words);
    }
    constexpr int kRounds = 200;
    std::uint64_t before = 0;
    for (int round = 0; round < 2 * kRounds; ++round) {
      if (round == kRounds) before = allocations;
      const std::size_t consumed = connection_->on_data(batch);
      EXPECT_EQ(consumed, batch.size());
      store_.answer_all();
      EXPECT_GT(stream_.unsent(), 0U);
      stream_.sent();
    }
    return static_cast<double>(allocations - before) / (kRounds * static_cast<double>(depth));
  }

  void SetUp() override { connection_ = front_.on_accept(stream_); }
  void TearDown() override { connection_->on_closed(); }

  OneObjectStore store_;
  testing::FakeExecutor executor_;
  RedisFront front_{store_, executor_, {}};
  PlainStream stream_;
  std::unique_ptr<env::StreamHandler> connection_;
};

TEST_P(Allocation, OrdinaryCommandsTakeNothingFromTheHeap) {
  for (const std::string_view name : {"GET", "SET", "PING", "STRLEN", "TTL", "EXISTS", "DEL"}) {
    EXPECT_EQ(per_command(name, GetParam()), 0.0) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Pipelines, Allocation, ::testing::Values(1U, 8U));

}  // namespace
}  // namespace stator::redis
