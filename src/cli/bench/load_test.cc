#include "cli/bench/load.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "core/ring/position.h"
#include "env_sim/world.h"
#include "front/redis/resp_parser.h"
#include "front/redis/resp_writer.h"

// The whole generator against servers of the simulated world: on virtual time, so that a stall
// lasts exactly as long as the test says.

namespace stator::bench {
namespace {

// A key-value server in the Redis protocol, remote-controlled by the test.
struct Server {
  std::map<std::string, std::string, std::less<>> data;
  std::map<std::string, int> commands;
  std::map<std::string, int> keys;
  std::string error;       // instead of every answer
  std::string slots;       // the answer to CLUSTER SLOTS
  bool silent = false;     // reads, and answers nothing
  bool forgetful = false;  // acknowledges writes and does not keep them
  MonoTime stalled_until{};
  int connections = 0;
  int most_unanswered = 0;  // commands in one piece of input
};

class Connection final : public env::StreamHandler {
 public:
  Connection(Server& server, env::Env& env, env::Stream& stream)
      : server_(server), env_(env), stream_(&stream), alive_(std::make_shared<bool>(true)) {
    ++server_.connections;
  }
  std::size_t on_data(std::string_view bytes) override {
    std::size_t consumed = 0;
    int commands = 0;
    std::string answers;
    while (true) {
      const redis::Parsed parsed = parser_.next(bytes.substr(consumed), limits_, arguments_);
      if (parsed.status != redis::ParseStatus::kCommand) {
        EXPECT_EQ(parsed.status, redis::ParseStatus::kIncomplete) << parsed.problem;
        break;
      }
      consumed += parsed.consumed;
      ++commands;
      answer(arguments_.all(), answers);
    }
    server_.most_unanswered = std::max(server_.most_unanswered, commands);
    if (!server_.silent) send(std::move(answers));
    return consumed;
  }
  void on_closed() override {
    *alive_ = false;
    --server_.connections;
  }

 private:
  // Answers that a stall holds back leave together at its end, in order.
  void send(std::string answers) {
    if (env_.executor.now() >= server_.stalled_until) {
      stream_->output() += answers;
      return;
    }
    if (held_.empty()) {
      env_.executor.after(server_.stalled_until - env_.executor.now(), [this, alive = alive_] {
        if (!*alive) return;
        stream_->output() += held_;
        held_.clear();
      });
    }
    held_ += answers;
  }
  void answer(redis::Arguments words, std::string& out) {
    redis::RespWriter reply(out, 2);
    const std::string name(words[0]);
    ++server_.commands[name];
    if (name == "CLUSTER") return reply.raw(server_.slots);
    ++server_.keys[std::string(words[1])];
    if (!server_.error.empty()) return reply.error(server_.error, "because the test says so");
    const auto found = server_.data.find(words[1]);
    const bool known = found != server_.data.end();
    if (name == "GET") {
      if (known) return reply.bulk(found->second);
      return reply.null();
    }
    if (name == "ST.GET") {
      reply.array(2);
      reply.bulk("seen");
      return reply.array(0);
    }
    if (name == "ST.PUT") {
      EXPECT_EQ(words.size(), 5U);
    }
    if (!server_.forgetful) server_.data[std::string(words[1])] = std::string(words[2]);
    reply.ok();
  }

  Server& server_;
  env::Env& env_;
  env::Stream* stream_;
  std::shared_ptr<bool> alive_;
  redis::RespParser parser_;
  redis::ParserLimits limits_;
  redis::ArgumentList arguments_;
  std::string held_;
};

class ServerProgram final : public sim::Program, public env::StreamAcceptor {
 public:
  ServerProgram(Server& server, env::Env& env, const std::string& host)
      : server_(server), env_(env) {
    listener_ = *env.network.listen_streams({host, 7379}, *this);
  }
  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override {
    return std::make_unique<Connection>(server_, env_, stream);
  }

 private:
  Server& server_;
  env::Env& env_;
  std::unique_ptr<env::Listener> listener_;
};

class LoadProgram final : public sim::Program {
 public:
  LoadProgram(env::Env& env, const LoadOptions& options, bool& done)
      : clock_(env.executor), load_(env, clock_, options, [&done] { done = true; }, nullptr) {
    load_.start();
  }
  Load& load() { return load_; }

 private:
  LoopClock clock_;
  Load load_;
};

class LoadTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kServers = 2;

  LoadTest() {
    world_.add_host("client");
    for (std::uint32_t i = 1; i <= kServers; ++i) {
      world_.add_host(name(i));
      serve(i);
    }
    options_.mix = *parse_mix("get=50,set=50");
    options_.nodes = {{name(1), 7379}};
    options_.clients = 4;
    options_.keys = 100;
    options_.sizes = {64, 64};
    options_.duration = seconds(10);
  }
  static std::string name(std::uint32_t server) { return "server" + std::to_string(server); }
  void serve(std::uint32_t i) {
    world_.host(i).start([this, i](env::Env& env) {
      return std::make_unique<ServerProgram>(servers_[i], env, name(i));
    });
  }
  void start() {
    world_.host(0).start([this](env::Env& env) {
      auto program = std::make_unique<LoadProgram>(env, options_, done_);
      load_ = &program->load();
      return program;
    });
  }
  // To its end.
  const LoadResult& run(Duration limit = seconds(60)) {
    start();
    const MonoTime end = world_.now() + limit;
    while (!done_ && world_.now() < end) world_.run_for(milliseconds(10));
    EXPECT_TRUE(done_);
    return load_->result();
  }
  static std::string slots(std::uint16_t first, std::uint16_t last, std::uint32_t server) {
    const std::string host = name(server);
    return "*3\r\n:" + std::to_string(first) + "\r\n:" + std::to_string(last) + "\r\n*2\r\n$" +
           std::to_string(host.size()) + "\r\n" + host + "\r\n:7379\r\n";
  }
  static std::uint64_t failures(const LoadResult& result, Failure why) {
    return result.tally.total().failures[static_cast<std::size_t>(why)];
  }

  sim::World world_{5};
  Server servers_[kServers + 1];
  LoadOptions options_;
  Load* load_ = nullptr;
  bool done_ = false;
};

TEST_F(LoadTest, AClosedLoopRunsForItsTimeAndCountsWhatEnded) {
  const LoadResult& result = run();
  EXPECT_EQ(result.end, LoadResult::End::kDone);
  EXPECT_GE(result.elapsed, seconds(10));
  EXPECT_LT(result.elapsed, seconds(11));
  const KindTally total = result.tally.total();
  EXPECT_GT(total.latency.count(), 1000U);
  EXPECT_EQ(total.failed(), 0U);
  EXPECT_EQ(total.latency.count(),
            static_cast<std::uint64_t>(servers_[1].commands["GET"] + servers_[1].commands["SET"]));
  const double share = static_cast<double>(result.tally.of(OpKind::kGet).latency.count()) /
                       static_cast<double>(total.latency.count());
  EXPECT_NEAR(share, 0.5, 0.05);
  EXPECT_GT(result.tally.of(OpKind::kGet).not_found, 0U);  // before the first write of a key
  EXPECT_EQ(servers_[1].data.size(), 100U);
}

TEST_F(LoadTest, ANumberOfOperationsIsCarriedOutExactly) {
  options_.duration = {};
  options_.operations = 1234;
  options_.depth = 7;
  const LoadResult& result = run();
  EXPECT_EQ(result.tally.total().latency.count(), 1234U);
  EXPECT_EQ(servers_[1].most_unanswered, 7);
}

TEST_F(LoadTest, FillingWritesEveryKeyOnceAndIsNotCounted) {
  options_.duration = {};
  options_.operations = 500;
  options_.fill = true;
  options_.mix = *parse_mix("get");
  options_.depth = 3;
  const LoadResult& result = run();
  EXPECT_EQ(result.filled, 100U);
  EXPECT_EQ(result.fill_failed, 0U);
  EXPECT_EQ(servers_[1].commands["SET"], 100);
  EXPECT_EQ(servers_[1].data.size(), 100U);
  EXPECT_EQ(result.tally.of(OpKind::kSet).latency.count(), 0U);
  EXPECT_EQ(result.tally.of(OpKind::kGet).latency.count(), 500U);
  EXPECT_EQ(result.tally.of(OpKind::kGet).not_found, 0U);
}

TEST_F(LoadTest, WarmingUpIsNotCounted) {
  options_.rate = 100;
  options_.warmup = seconds(5);
  options_.duration = seconds(2);
  const LoadResult& result = run();
  EXPECT_EQ(result.tally.total().latency.count(), 200U);
  EXPECT_EQ(servers_[1].commands["GET"] + servers_[1].commands["SET"], 700);
  EXPECT_NEAR(static_cast<double>(result.elapsed.ns), 2e9, 1e8);
}

TEST_F(LoadTest, AnOpenLoopKeepsItsRate) {
  options_.rate = 333;
  const LoadResult& result = run();
  EXPECT_EQ(result.tally.total().latency.count(), 3330U);
  EXPECT_EQ(result.tally.not_sent, 0U);
  EXPECT_LT(result.tally.lag.at(0.99), 1'000'000U);
}

TEST_F(LoadTest, AStallIsFeltByEveryOperationThatWasDueInIt) {
  options_.rate = 100;
  options_.clients = 1;
  start();
  world_.run_for(seconds(4));
  servers_[1].stalled_until = world_.now() + seconds(2);
  while (!done_) world_.run_for(milliseconds(10));
  const LoadResult& result = load_->result();
  const Histogram latency = result.tally.total().latency;
  // 200 of 1000 were due while nothing was answered: their wait is spread over the two seconds. One
  // connection without a pipeline had sent a single one of them.
  EXPECT_EQ(latency.count(), 1000U);
  EXPECT_NEAR(static_cast<double>(latency.max()), 2e9, 5e7);
  EXPECT_NEAR(static_cast<double>(latency.at(0.9)), 1e9, 1e8);
  EXPECT_NEAR(static_cast<double>(latency.at(0.95)), 1.5e9, 1e8);
  EXPECT_LT(latency.at(0.79), 50'000'000U);
}

TEST_F(LoadTest, TheSameStallIsOneSlowOperationOfAClosedLoop) {
  options_.clients = 1;
  start();
  world_.run_for(seconds(4));
  servers_[1].stalled_until = world_.now() + seconds(2);
  while (!done_) world_.run_for(milliseconds(10));
  const Histogram latency = load_->result().tally.total().latency;
  EXPECT_NEAR(static_cast<double>(latency.max()), 2e9, 5e7);
  EXPECT_LT(latency.at(1 - 1.5 / static_cast<double>(latency.count())), 100'000'000U);
}

TEST_F(LoadTest, WhatWasDueAndNeverSentIsCounted) {
  options_.rate = 100;
  options_.clients = 2;
  options_.timeout = seconds(1);
  servers_[1].silent = true;
  const LoadResult& result = run();
  EXPECT_EQ(result.tally.total().latency.count(), 0U);
  const std::uint64_t no_answer = failures(result, Failure::kNoAnswer);
  EXPECT_GT(no_answer, 10U);  // two connections, one each about every second
  EXPECT_EQ(no_answer + result.tally.not_sent, 1000U);
}

TEST_F(LoadTest, ErrorAnswersAreCountedByKind) {
  options_.duration = {};
  options_.operations = 100;
  for (const auto& [prefix, failure] :
       {std::pair{"UNKNOWN", Failure::kUnknown}, std::pair{"TRYAGAIN", Failure::kTryAgain},
        std::pair{"NOQUORUM", Failure::kRefused}}) {
    servers_[1].error = prefix;
    done_ = false;
    world_.host(0).crash();
    const LoadResult& result = run();
    EXPECT_EQ(failures(result, failure), 100U) << prefix;
    EXPECT_EQ(result.tally.total().failed(), 100U);
    EXPECT_EQ(result.tally.total().refusal.count(), failure == Failure::kTryAgain ? 100U : 0U);
    ASSERT_EQ(result.tally.refusals.size(), 1U);
    EXPECT_EQ(result.tally.refusals[0].prefix, prefix);
  }
}

TEST_F(LoadTest, ALostConnectionIsCountedAndAnotherNodeIsTaken) {
  options_.nodes.push_back({name(2), 7379});
  options_.clients = 1;
  options_.timeout = seconds(1);
  start();
  world_.run_for(seconds(3));
  const int before = servers_[1].commands["GET"];
  EXPECT_GT(before, 0);
  EXPECT_EQ(servers_[2].connections, 0);
  world_.host(1).crash();
  servers_[1] = {};
  while (!done_) world_.run_for(milliseconds(10));
  const LoadResult& result = load_->result();
  EXPECT_EQ(result.end, LoadResult::End::kDone);
  EXPECT_EQ(failures(result, Failure::kConnectionLost) + failures(result, Failure::kNoAnswer), 1U);
  EXPECT_GT(servers_[2].commands["GET"], 0);
}

TEST_F(LoadTest, ConnectionsAreDealtOutToTheNodes) {
  options_.nodes.push_back({name(2), 7379});
  start();
  world_.run_for(seconds(3));
  EXPECT_EQ(servers_[1].connections, 2);
  EXPECT_EQ(servers_[2].connections, 2);
}

TEST_F(LoadTest, WithoutAnyNodeItSaysSo) {
  options_.nodes = {{"client", 1}, {"client", 2}};
  const LoadResult& result = run();
  EXPECT_EQ(result.end, LoadResult::End::kUnreachable);
  EXPECT_NE(result.problem.find("client:"), std::string::npos) << result.problem;
}

TEST_F(LoadTest, ARunWithoutAnEndInTimeIsGivenUpWhenAllNodesAreGone) {
  options_.duration = {};
  options_.operations = 1'000'000'000;
  start();
  world_.run_for(seconds(2));
  world_.host(1).crash();
  world_.run_for(seconds(60));
  EXPECT_TRUE(done_);
  EXPECT_EQ(load_->result().end, LoadResult::End::kUnreachable);
}

TEST_F(LoadTest, InAClusterEachKeyGoesToTheNodeThatIsPublishedForIt) {
  options_.cluster = true;
  servers_[1].slots = servers_[2].slots = "*2\r\n" + slots(0, 8191, 1) + slots(8192, 16383, 2);
  for (const double rate : {0.0, 500.0}) {
    options_.rate = rate;
    done_ = false;
    world_.host(0).crash();
    const LoadResult& result = run();
    EXPECT_EQ(result.tally.total().failed(), 0U);
    EXPECT_GT(servers_[1].keys.size(), 20U);
    EXPECT_GT(servers_[2].keys.size(), 20U);
    for (const auto& [key, count] : servers_[1].keys) EXPECT_LT(slot_of_key(key), 8192) << key;
    for (const auto& [key, count] : servers_[2].keys) EXPECT_GE(slot_of_key(key), 8192) << key;
  }
}

TEST_F(LoadTest, WhenANodeOfAClusterIsGoneTheOtherTakesItsKeys) {
  options_.cluster = true;
  options_.timeout = seconds(1);
  servers_[1].slots = servers_[2].slots = "*2\r\n" + slots(0, 8191, 1) + slots(8192, 16383, 2);
  for (const double rate : {0.0, 500.0}) {
    options_.rate = rate;
    done_ = false;
    world_.host(0).crash();
    start();
    world_.run_for(seconds(3));
    world_.host(2).crash();
    servers_[1].keys.clear();
    while (!done_) world_.run_for(milliseconds(10));
    const LoadResult& result = load_->result();
    EXPECT_LE(result.tally.total().failed(), 4U);  // what was under way on four connections
    EXPECT_EQ(result.tally.not_sent, 0U);
    int taken_over = 0;
    for (const auto& [key, count] : servers_[1].keys) taken_over += slot_of_key(key) >= 8192;
    EXPECT_GT(taken_over, 20);
    serve(2);
  }
}

TEST_F(LoadTest, ANodeThatPublishesNoSlotsIsNoCluster) {
  options_.cluster = true;
  servers_[1].slots = "-ERR This instance has cluster support disabled\r\n";
  const LoadResult& result = run();
  EXPECT_EQ(result.end, LoadResult::End::kFailed);
  EXPECT_NE(result.problem.find("cluster support disabled"), std::string::npos);
}

TEST_F(LoadTest, AnUpdateReadsAndWritesWithTheContext) {
  options_.mix = *parse_mix("st.update");
  options_.duration = {};
  options_.operations = 50;
  const LoadResult& result = run();
  EXPECT_EQ(result.tally.of(OpKind::kStUpdate).latency.count(), 50U);
  EXPECT_EQ(servers_[1].commands["ST.GET"], 50);
  EXPECT_EQ(servers_[1].commands["ST.PUT"], 50);
}

TEST_F(LoadTest, AReadOfSiblingsThatFindsNoneFoundNothing) {
  options_.mix = *parse_mix("st.get");
  options_.duration = {};
  options_.operations = 50;
  EXPECT_EQ(run().tally.of(OpKind::kStGet).not_found, 50U);
}

TEST_F(LoadTest, AHonestStorePassesTheCheck) {
  options_.check = true;
  options_.depth = 4;
  options_.keys = 10;
  const LoadResult& result = run();
  EXPECT_GT(result.tally.verdict(Verdict::kFresh), 1000U);
  EXPECT_EQ(result.tally.verdict(Verdict::kStale), 0U);
  EXPECT_EQ(result.tally.verdict(Verdict::kLost), 0U);
}

TEST_F(LoadTest, AStoreThatForgetsFailsTheCheck) {
  options_.check = true;
  options_.fill = true;
  start();
  world_.run_for(seconds(3));
  servers_[1].forgetful = true;
  world_.run_for(seconds(3));
  servers_[1].data.clear();
  while (!done_) world_.run_for(milliseconds(10));
  EXPECT_GT(load_->result().tally.verdict(Verdict::kStale), 100U);
  EXPECT_GT(load_->result().tally.verdict(Verdict::kLost), 100U);
}

TEST_F(LoadTest, StoppedEarlyItKeepsWhatWasMeasured) {
  for (const double rate : {0.0, 100.0}) {
    options_.rate = rate;
    done_ = false;
    world_.host(0).crash();
    start();
    world_.run_for(seconds(4));
    load_->stop_early();
    world_.run_for(seconds(1));
    ASSERT_TRUE(done_);
    const LoadResult& result = load_->result();
    EXPECT_EQ(result.end, LoadResult::End::kStopped);
    EXPECT_GT(result.tally.total().latency.count(), 300U);
    EXPECT_LT(result.elapsed, seconds(5));
  }
}

TEST_F(LoadTest, TheSameSeedMakesTheSameLoad) {
  options_.duration = {};
  options_.operations = 300;
  options_.theta = 0.9;
  options_.clients = 1;
  static_cast<void>(run());
  const auto keys = servers_[1].keys;
  for (const std::uint64_t seed : {1UL, 2UL}) {
    options_.seed = seed;
    servers_[1].keys.clear();
    done_ = false;
    world_.host(0).crash();
    static_cast<void>(run());
    EXPECT_EQ(servers_[1].keys == keys, seed == 1);
  }
}

}  // namespace
}  // namespace stator::bench
