#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "front/http/http_front.h"
#include "front/http/testing/world.h"

namespace stator::http {
namespace {

using testing::Answer;
using testing::FakeStream;
using testing::parse_answers;
using testing::World;
using Json = nlohmann::json;

TEST(HttpFront, TellsTheClientsThatAreTooMany) {
  HttpFrontOptions options;
  options.limits.clients_max = 3;
  World world(options);
  std::vector<std::unique_ptr<FakeStream>> clients;
  for (int i = 0; i < 2; ++i)
    clients.push_back(std::make_unique<FakeStream>(world.front, world.executor));
  EXPECT_EQ(world.front.connections(), 3U);
  auto over = std::make_unique<FakeStream>(world.front, world.executor);
  const auto answers = parse_answers(over->receive());
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 429);
  EXPECT_EQ(answers[0].header("retry-after"), "1");
  EXPECT_EQ(Json::parse(answers[0].body)["error"], "overloaded");
  EXPECT_TRUE(over->closed());
  EXPECT_EQ(world.front.connections(), 3U);
  // Those who are told are bounded, too.
  std::vector<std::unique_ptr<FakeStream>> crowd;
  for (int i = 0; i < 200; ++i)
    crowd.push_back(std::make_unique<FakeStream>(world.front, world.executor));
  EXPECT_FALSE(crowd.back()->accepted());
  crowd.clear();
  clients.pop_back();
  world.connect();
  EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
}

TEST(HttpFront, RefusesNewWorkWhenClientsLeaveTooMuchUnread) {
  HttpFrontOptions options;
  options.connection_limits.buffered_bytes_max = 500'000;
  World world(options);
  ASSERT_EQ(world.ask("PUT", "/v1/kv/b/k", "", std::string(100'000, 'v')).status, 204);
  std::vector<std::unique_ptr<FakeStream>> greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.push_back(std::make_unique<FakeStream>(world.front, world.executor));
    greedy.back()->send(World::request_text("GET", "/v1/kv/b/k"));
  }
  const Answer refused = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_EQ(world.ask("GET", "/healthz").status, 200);  // who looks is still served
  const Answer put = world.ask("PUT", "/v1/kv/b/k", "", "v");
  EXPECT_EQ(put.status, 429);
  EXPECT_EQ(Json::parse(put.body)["outcome"], "not_applied");
  greedy.clear();
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").status, 200);  // it ends when the load ends
}

TEST(HttpFront, ARefusalLeavesBeforeTheWorkOfOthers) {  // G21
  World world;
  const std::string get = World::request_text("GET", "/v1/kv/b/k");
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").status, 404);
  EXPECT_EQ(world.client->sent_now, 0);
  world.store.failure = Error{.code = ErrorCode::kOverloaded};
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").status, 429);
  EXPECT_EQ(world.client->sent_now, 1);
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/k", "", "v").status, 429);
  EXPECT_EQ(world.client->sent_now, 2);
  EXPECT_EQ(world.talk(get + get + get).size(), 3U);
  EXPECT_EQ(world.client->sent_now, 3) << "once for all that were refused together";
  // What comes later in another turn leaves at its end; and a refusal is not sent apart from an
  // answer that is due.
  world.store.hold = true;
  world.client->send(get);
  world.store.release();
  EXPECT_EQ(parse_answers(world.client->receive()).size(), 1U);
  EXPECT_EQ(world.client->sent_now, 3);
  world.store.failure.reset();
  world.store.hold = false;
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").status, 404);
  EXPECT_EQ(world.client->sent_now, 3) << "and what was refused before says nothing";
}

TEST(HttpFront, RefusesBodiesWhenTooManyAreHalfSent) {
  HttpFrontOptions options;
  options.connection_limits.buffered_bytes_max = 500'000;
  World world(options);
  const std::string head =
      "PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n";
  std::vector<std::unique_ptr<FakeStream>> half;
  for (int i = 0; i < 20; ++i) {
    half.push_back(std::make_unique<FakeStream>(world.front, world.executor));
    half.back()->send(head + std::string(190'000, 'x'));
  }
  for (const auto& one : half) one->send(std::string(10'000, 'x'));
  int refused = 0;
  int stored = 0;
  for (const auto& one : half) {
    const auto answers = parse_answers(one->receive());
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_FALSE(one->closed());
    refused += answers[0].status == 429 ? 1 : 0;
    stored += answers[0].status == 204 ? 1 : 0;
  }
  EXPECT_EQ(refused + stored, 20);
  EXPECT_GE(refused, 15);
}

TEST(HttpFront, HoldsNothingForThoseWhoHaveLeft) {
  World world;
  const auto buffered = [&] {
    const std::string body = world.ask("GET", "/metrics").body;
    const std::size_t at = body.find("\nstator_http_buffered_bytes ");
    return std::stoll(body.substr(at + 28));
  };
  const auto before = buffered();
  for (int i = 0; i < 5; ++i) {
    FakeStream client(world.front, world.executor);
    client.send("PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" +
                std::string(100'000, 'x'));
    EXPECT_GT(buffered(), 100'000);
  }
  EXPECT_LE(buffered(), before + 20'000);  // this client's own answers
  EXPECT_EQ(world.front.connections(), 1U);
}

TEST(HttpFront, DrainsWithoutBreakingAnybody) {
  World world;
  FakeStream idle(world.front, world.executor);
  FakeStream half(world.front, world.executor);
  half.send("GET /healthz HT");
  world.store.hold = true;
  world.client->send(World::request_text("GET", "/v1/kv/b/k"));
  EXPECT_EQ(world.front.connections(), 3U);
  world.front.drain();
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(half.closed());
  EXPECT_FALSE(world.client->closed());
  FakeStream late(world.front, world.executor);
  EXPECT_FALSE(late.accepted());

  world.store.release();
  const auto answers = parse_answers(world.client->receive());
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 404);
  EXPECT_EQ(answers[0].header("connection"), "close");
  EXPECT_TRUE(world.client->closed());
  half.send("TP/1.1\r\nHost: localhost\r\n\r\n");
  const auto last = parse_answers(half.receive());
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].header("connection"), "close");
  EXPECT_TRUE(half.closed());
}

TEST(HttpFront, IsNotReadyWhileItDrains) {
  World world;
  world.client->send("GET /readyz HTTP/1.1\r\nHo");
  world.front.drain();
  const auto answers = world.talk("st: localhost\r\n\r\n");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 503);
}

TEST(HttpFront, HasNoTimerWhenItHasNoClients) {
  World world;
  EXPECT_EQ(world.executor.timers(), 1U);
  world.client->hang_up();
  world.executor.advance(seconds(2));
  EXPECT_EQ(world.executor.timers(), 0U);
  world.connect();
  EXPECT_EQ(world.executor.timers(), 1U);
}

TEST(HttpFront, CountsRefusals) {
  node::Metrics counters;
  HttpFrontOptions options;
  options.counters = &counters;
  World world(options);
  world.ask("GET", "/v1/kv/b/none");  // not found is no error
  EXPECT_EQ(counters.commands_refused_total, 0U);
  world.ask("GET", "/nowhere");
  world.ask("PUT", "/v1/kv/b/k", "Stator-Context: bad\r\n", "v");
  EXPECT_EQ(counters.commands_refused_total, 2U);
  EXPECT_EQ(counters.contexts_refused_total, 1U);
  EXPECT_EQ(counters.commands_total, 3U);
  world.client->hang_up();
  EXPECT_EQ(counters.clients_connected, 0U);
}

}  // namespace
}  // namespace stator::http
