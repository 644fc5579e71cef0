#include "front/http/connection.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "front/http/testing/world.h"

namespace stator::http {
namespace {

using testing::Answer;
using testing::parse_answers;
using testing::World;
using Json = nlohmann::json;

std::string put_text(std::string_view key, std::string_view value) {
  return World::request_text("PUT", "/v1/kv/b/" + std::string(key), "", value);
}
std::string get_text(std::string_view key) {
  return World::request_text("GET", "/v1/kv/b/" + std::string(key));
}

std::vector<int> statuses(const std::vector<Answer>& answers) {
  std::vector<int> all;
  for (const Answer& answer : answers) all.push_back(answer.status);
  return all;
}

TEST(HttpConnection, AnswersPipelinedRequestsInOrder) {
  World world;
  const auto answers = world.talk(put_text("k", "v") + get_text("k") + get_text("none") +
                                  World::request_text("GET", "/healthz"));
  EXPECT_EQ(statuses(answers), (std::vector<int>{204, 200, 404, 200}));
  EXPECT_FALSE(world.client->closed());
}

TEST(HttpConnection, AnswersInOrderEvenWhenTheStoreIsLate) {
  World world;
  world.store.hold = true;
  world.client->send(put_text("k", "v") + get_text("k") + World::request_text("GET", "/healthz"));
  EXPECT_EQ(world.client->receive(), "");
  EXPECT_EQ(world.store.held(), 1U);  // one request of a connection at a time
  EXPECT_TRUE(world.client->paused());
  world.client->send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  world.store.release();
  world.executor.run_posted();
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{204}));
  world.store.release();
  world.executor.run_posted();
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{200, 200, 200}));
}

TEST(HttpConnection, SeveralConnectionsWaitSideBySide) {
  World world;
  world.store.hold = true;
  testing::FakeStream other(world.front, world.executor);
  world.client->send(put_text("a", "1"));
  other.send(put_text("b", "2"));
  ASSERT_EQ(world.store.held(), 2U);
  world.store.release(1);
  EXPECT_EQ(statuses(parse_answers(other.receive())), (std::vector<int>{204}));
  EXPECT_EQ(world.client->receive(), "");
  world.store.release(0);
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{204}));
}

TEST(HttpConnection, DoesNotMindHowARequestArrives) {
  const std::string bytes =
      put_text("k", "hello") +
      "PUT /v1/kv/b/c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n" +
      get_text("c");
  World whole;
  const std::string expected = [&] {
    whole.client->send(bytes);
    return whole.client->receive();
  }();
  ASSERT_EQ(statuses(parse_answers(expected)), (std::vector<int>{204, 204, 200}));
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    World world;
    world.client->send(std::string_view(bytes).substr(0, cut));
    world.client->send(std::string_view(bytes).substr(cut));
    ASSERT_EQ(world.client->receive(), expected) << cut;
  }
  World drop_by_drop;
  for (const char c : bytes) drop_by_drop.client->send({&c, 1});
  EXPECT_EQ(drop_by_drop.client->receive(), expected);
}

TEST(HttpConnection, KeepsAliveAsHttpSays) {
  const auto closes = [](std::string_view request) {
    World world;
    const auto answers = world.talk(request);
    EXPECT_EQ(answers.size(), 1U) << request;
    const bool said = !answers.empty() && answers[0].header("connection") == "close";
    EXPECT_EQ(said, world.client->closed()) << request;
    return world.client->closed();
  };
  EXPECT_FALSE(closes("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_TRUE(closes("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(closes("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"));
  EXPECT_TRUE(closes("GET /healthz HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(closes("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  World world;
  const auto kept = world.talk("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.at(0).header("connection"), "keep-alive");
}

TEST(HttpConnection, TakesAValueOfTheLimitAndRefusesOneMore) {
  World world;
  const std::size_t limit = node::Limits{}.value_bytes_max;
  const std::string value(limit, 'x');
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/k", "", value).status, 204);
  const Answer refused = world.ask("PUT", "/v1/kv/b/k", "", value + "y");
  EXPECT_EQ(refused.status, 413);
  const Json json = Json::parse(refused.body);
  EXPECT_EQ(json["error"], "too_large");
  EXPECT_EQ(json["outcome"], "not_applied");
  EXPECT_NE(json["message"].get<std::string>().find("1048576"), std::string::npos);
  EXPECT_FALSE(world.client->closed());
  const Answer get = world.ask("GET", "/v1/kv/b/k");  // the connection is sane
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body.size(), limit);
}

TEST(HttpConnection, CountsChunkedBodiesAsTheyCome) {
  World world;
  const std::size_t limit = node::Limits{}.value_bytes_max;
  for (const std::size_t over : {0U, 1U}) {
    std::string text =
        "PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t left = limit + over; left > 0;) {
      const std::size_t size = std::min<std::size_t>(left, 50'000);
      char head[32];
      std::snprintf(head, sizeof head, "%zx\r\n", size);
      text += head + std::string(size, 'c') + "\r\n";
      left -= size;
    }
    text += "0\r\n\r\n";
    const auto answers = world.talk(text);
    ASSERT_EQ(statuses(answers), (std::vector<int>{over == 0 ? 204 : 413}));
  }
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").body.size(), limit);
  EXPECT_EQ(world.store.writes, 1U);
}

TEST(HttpConnection, DoesNotWaitForABodyThatIsAbsurd) {
  for (const char* length : {"16777217", "9223372036854775807", "18446744073709551615"}) {
    for (const char* method : {"PUT", "GET"}) {
      World world;
      const auto answers =
          world.talk(std::string(method) + " /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\n" +
                     "Content-Length: " + length + "\r\n\r\nx");
      EXPECT_EQ(statuses(answers), (std::vector<int>{413})) << length;
      EXPECT_TRUE(world.client->closed());
    }
  }
  World world;
  std::string text =
      "POST /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  text += "ffffffff\r\n";
  world.client->send(text);
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 20 && !world.client->closed(); ++i) world.client->send(piece);
  EXPECT_TRUE(world.client->closed());
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{413}));
}

TEST(HttpConnection, SaysContinueOnlyWhenItWillTakeTheBody) {
  World world;
  world.client->send(
      "PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 2\r\n\r\n");
  EXPECT_EQ(world.client->receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(statuses(world.talk("hi")), (std::vector<int>{204}));

  const auto refused = world.talk(
      "PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 1048577\r\n\r\n");
  EXPECT_EQ(statuses(refused), (std::vector<int>{413}));
  EXPECT_TRUE(world.client->closed());
}

TEST(HttpConnection, SaysContinueAfterTheAnswersBefore) {
  World world;
  world.store.hold = true;
  world.client->send(get_text("k") +
                     "PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                     "Content-Length: 2\r\n\r\n");
  EXPECT_EQ(world.client->receive(), "");
  world.store.release();
  world.executor.run_posted();
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{404, 100}));
}

TEST(HttpConnection, KnowsNoOtherExpectationAndNoOtherTransferEncoding) {
  World world;
  EXPECT_EQ(world.ask("GET", "/healthz", "Expect: wonders\r\n").status, 417);
  EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
  const auto gzip = world.talk(
      "PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\nGET / H");
  EXPECT_EQ(statuses(gzip), (std::vector<int>{501}));
  EXPECT_TRUE(world.client->closed());
  world.connect();
  const auto old = world.talk(
      "PUT /v1/kv/b/k HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(statuses(old), (std::vector<int>{400}));
  EXPECT_TRUE(world.client->closed());
  EXPECT_EQ(world.store.writes, 0U);
}

TEST(HttpConnection, ClosesAfterWhatIsNotHttp) {
  World world;
  const auto answers = world.talk("*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(statuses(answers), (std::vector<int>{400}));
  EXPECT_TRUE(world.client->closed());
  world.connect();
  EXPECT_EQ(statuses(world.talk("GET / HTTP/3.0\r\n\r\n")), (std::vector<int>{505}));
  EXPECT_TRUE(world.client->closed());
}

TEST(HttpConnection, BoundsTheHeadAndAllowsMoreAfterTheFirstRequest) {
  World world;
  const std::string large = "X-Large: " + std::string(20'000, 'x') + "\r\n";
  const auto first = world.talk(World::request_text("GET", "/healthz", large));
  EXPECT_EQ(statuses(first), (std::vector<int>{431}));
  EXPECT_TRUE(world.client->closed());
  world.connect();
  world.client->send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(17'000, 'x'));
  EXPECT_TRUE(world.client->closed());  // not after the end of the line only
  world.connect();
  EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
  EXPECT_EQ(world.ask("GET", "/healthz", large).status, 200);
  EXPECT_EQ(world.ask("GET", "/healthz", "X: " + std::string(50'000, 'x') + "\r\n").status, 431);
}

TEST(HttpConnection, AnswersOnlyUnderItsOwnNames) {
  const auto status = [](std::string_view host_line) {
    World world;
    const auto answers = world.talk("GET /healthz HTTP/1.1\r\n" + std::string(host_line) + "\r\n");
    return answers.size() == 1 ? answers[0].status : 0;
  };
  for (const char* own : {"localhost", "LOCALHOST:7380", "127.0.0.1", "10.1.2.3:7380", "[::1]:7380",
                          "kv.example", "KV.example:80", "n1"})
    EXPECT_EQ(status("Host: " + std::string(own) + "\r\n"), 200) << own;
  for (const char* foreign :
       {"evil.example", "evil.example:7380", "localhost.evil.example", "127.0.0.1.evil.example",
        "kv.example.", "127.0.0.1:80@evil", "[::1]evil", "kv.example:x"})
    EXPECT_EQ(status("Host: " + std::string(foreign) + "\r\n"), 421) << foreign;
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("Host:\r\n"), 400);
  EXPECT_EQ(status("Host: localhost\r\nHost: localhost\r\n"), 400);
}

TEST(HttpConnection, ChecksNamesOnEveryRequestAndGoesOn) {
  World world;
  EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
  const auto answers =
      world.talk("PUT /v1/kv/b/k HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 5\r\n\r\nhello" +
                 World::request_text("GET", "/healthz"));
  ASSERT_EQ(statuses(answers), (std::vector<int>{421, 200}));
  EXPECT_EQ(Json::parse(answers[0].body)["error"], "host_foreign");
  EXPECT_EQ(world.store.writes, 0U);
  // The authority of an absolute target counts instead.
  EXPECT_EQ(world.ask("GET", "http://evil.example/healthz").status, 421);
  EXPECT_EQ(world.ask("GET", "http://n1:80/healthz").status, 200);
}

TEST(HttpConnection, RefusesPagesOfOtherSites) {
  World world;
  for (const char* foreign : {"http://evil.example", "null", "http://localhost:3000", "",
                              "https://localhost.evil.example", "localhost"}) {
    for (const char* method : {"GET", "PUT", "DELETE", "OPTIONS"}) {
      const Answer answer =
          world.ask(method, "/v1/kv/b/k", "Origin: " + std::string(foreign) + "\r\n");
      EXPECT_EQ(answer.status, 403) << foreign;
      EXPECT_EQ(Json::parse(answer.body)["error"], "origin_foreign");
      EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 0U);
    }
  }
  EXPECT_EQ(world.store.reads + world.store.writes, 0U);
  EXPECT_EQ(world.ask("GET", "/healthz", "Origin: http://localhost\r\n").status, 200);
  EXPECT_EQ(world.ask("GET", "/healthz", "Origin: http://localhost\r\nOrigin: http://localhost\r\n")
                .status,
            403);
}

TEST(HttpConnection, AClientThatLeavesIsForgotten) {
  World world;
  world.store.hold = true;
  world.client->send(put_text("k", "v"));
  ASSERT_EQ(world.store.held(), 1U);
  world.client->hang_up();
  EXPECT_EQ(world.front.connections(), 0U);
  world.connect();  // in the same place
  world.client->send(get_text("k"));
  world.store.release();
  EXPECT_EQ(world.client->receive(), "");  // not the answer to somebody else
  world.store.release();
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{200}));
}

TEST(HttpConnection, AClientThatHasSaidAllGetsItsAnswerThenTheEnd) {
  World world;
  world.store.hold = true;
  world.client->send(get_text("k"));
  world.client->end_input();
  EXPECT_FALSE(world.client->closed());
  world.store.release();
  const auto answers = parse_answers(world.client->receive());
  ASSERT_EQ(statuses(answers), (std::vector<int>{404}));
  EXPECT_EQ(answers[0].header("connection"), "close");
  EXPECT_TRUE(world.client->closed());
}

TEST(HttpConnection, AClientThatHasSaidAllAndAwaitsNothingIsClosedAtOnce) {
  World world;
  world.client->send("GET /v1/kv/b/k HTTP/1.1\r\nHo");
  world.client->end_input();
  EXPECT_TRUE(world.client->closed());
  EXPECT_EQ(world.client->receive(), "");
}

TEST(HttpConnection, TakesNoRequestWhileItsClientDoesNotRead) {
  World world;
  const std::string value(100'000, 'v');
  ASSERT_EQ(world.ask("PUT", "/v1/kv/b/k", "", value).status, 204);
  for (int i = 0; i < 10; ++i) world.client->send(get_text("k"));
  EXPECT_EQ(world.store.reads, 1U);
  EXPECT_TRUE(world.client->paused());
  EXPECT_LT(world.client->unsent(), 110'000U);
  std::string all;
  for (int i = 0; i < 10; ++i) all += world.client->receive();
  EXPECT_EQ(world.store.reads, 10U);
  EXPECT_EQ(parse_answers(all).size(), 10U);
}

// Time.

TEST(HttpConnection, EndsTheSilentTheSlowAndTheIdle) {
  World world;
  world.executor.advance(seconds(29));
  EXPECT_FALSE(world.client->closed());
  world.executor.advance(seconds(3));
  EXPECT_TRUE(world.client->closed());  // never said a word
  EXPECT_EQ(world.client->receive(), "");

  world.connect();
  ASSERT_EQ(world.ask("GET", "/healthz").status, 200);
  world.executor.advance(seconds(118));
  EXPECT_FALSE(world.client->closed());
  world.executor.advance(seconds(4));
  EXPECT_TRUE(world.client->closed());  // idle

  world.connect();
  const std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y";
  for (std::size_t i = 0; i < head.size() && !world.client->closed(); ++i) {
    world.client->send({&head[i], 1});
    world.executor.advance(seconds(1));
  }
  EXPECT_TRUE(world.client->closed());  // a byte per second is not enough
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{408}));
}

TEST(HttpConnection, ABodyMustMakeProgress) {
  const auto statuses_at = [](std::size_t bytes_per_second) {
    World world;
    world.client->send(
        "PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
    for (std::size_t sent = 0; sent < 1'000'000 && !world.client->closed();) {
      const std::size_t size = std::min(bytes_per_second, 1'000'000 - sent);
      world.client->send(std::string(size, 'x'));
      sent += size;
      world.executor.advance(seconds(1));
    }
    const auto answers = parse_answers(world.client->receive());
    if (!answers.empty() && answers[0].status == 408) {
      EXPECT_EQ(Json::parse(answers[0].body)["outcome"], "not_applied");
    }
    return statuses(answers);
  };
  EXPECT_EQ(statuses_at(20'000), (std::vector<int>{204}));
  EXPECT_EQ(statuses_at(2'000), (std::vector<int>{408}));
  EXPECT_EQ(statuses_at(1), (std::vector<int>{408}));
}

TEST(HttpConnection, WaitsForTheStoreAndCutsWhoDoesNotRead) {
  World world;
  world.store.hold = true;
  world.client->send(get_text("k"));
  world.executor.advance(seconds(300));
  EXPECT_FALSE(world.client->closed());  // the store has a deadline of its own
  world.store.release();
  EXPECT_EQ(statuses(parse_answers(world.client->receive())), (std::vector<int>{404}));
  world.store.hold = false;

  ASSERT_EQ(world.ask("PUT", "/v1/kv/b/k", "", std::string(200'000, 'v')).status, 204);
  world.client->send(get_text("k"));
  for (int i = 0; i < 100; ++i) {  // slow, but it reads
    world.client->receive(1000);
    world.executor.advance(seconds(5));
  }
  EXPECT_FALSE(world.client->closed());
  world.executor.advance(seconds(40));
  EXPECT_TRUE(world.client->closed());
}

}  // namespace
}  // namespace stator::http
