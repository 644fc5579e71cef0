#include "front/http/json.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "base/base64.h"
#include "front/http/testing/world.h"

namespace stator::http {
namespace {

using testing::Answer;
using testing::World;
using Json = nlohmann::json;

std::set<std::string> keys_of(const Json& json) {
  std::set<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.insert(key);
  return keys;
}

using Keys = std::set<std::string>;

TEST(HttpAdmin, StatusShowsNodeClusterMembersAndAlarms) {
  World world;
  const Answer answer = world.ask("GET", "/v1/status");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "application/json");
  const Json json = Json::parse(answer.body);
  EXPECT_EQ(keys_of(json), (Keys{"node", "cluster", "members", "alarms"}));
  EXPECT_EQ(keys_of(json["node"]),
            (Keys{"id", "name", "member", "ready", "draining", "engine", "keys", "bytes",
                  "uptime_ms", "clock_skewed", "no_write", "fenced", "disk", "disk_free"}));
  EXPECT_EQ(json["node"]["disk"], "roomy");
  EXPECT_EQ(json["node"]["disk_free"], nullptr);
  EXPECT_EQ(json["node"]["id"], "0000000000000001");
  EXPECT_EQ(json["node"]["ready"], true);
  EXPECT_EQ(json["node"]["keys"], 5);
  EXPECT_EQ(keys_of(json["cluster"]), (Keys{"id", "q", "n", "r", "w", "history"}));
  EXPECT_EQ(json["cluster"]["history"], "0000000000000abc");
  ASSERT_EQ(json["members"].size(), 3U);
  EXPECT_EQ(keys_of(json["members"][1]),
            (Keys{"id", "name", "zone", "weight", "self", "healthy", "slow", "leaving", "no_write",
                  "fenced", "copy_refused", "last_heard_ms", "clock_offset_ms", "incarnation",
                  "redis", "http", "peer"}));
  EXPECT_EQ(json["members"][1]["http"], "127.0.0.1:7421");
  EXPECT_EQ(json["alarms"], Json::array());
}

TEST(HttpAdmin, AlarmsSayWhatIsWrongAndWhatToDo) {
  World world;
  world.store.node_status.clock_skewed = true;
  world.store.node_status.no_write = true;
  world.store.view.members[1].healthy = false;
  world.store.view.members[2].healthy = false;
  world.store.view.members[2].last_heard_ms = -1;
  const Json json = Json::parse(world.ask("GET", "/v1/status").body);
  Keys alarms;
  for (const Json& alarm : json["alarms"]) {
    EXPECT_EQ(keys_of(alarm), (Keys{"alarm", "message", "hint"}));
    alarms.insert(alarm["alarm"]);
  }
  EXPECT_EQ(alarms, (Keys{"clock_skewed", "no_write", "member_down", "partitions_short"}));
  EXPECT_EQ(json["members"][2]["last_heard_ms"], nullptr);
}

TEST(HttpAdmin, ADiskThatFillsUpIsAnAlarmBeforeWritesAreRefused) {  // D29
  World world;
  world.store.node_status.disk = DiskState::kLow;
  world.store.node_status.disk_free = 12'345;
  world.store.view.members[1].no_write = true;
  const Json json = Json::parse(world.ask("GET", "/v1/status").body);
  ASSERT_EQ(json["alarms"].size(), 1U);
  EXPECT_EQ(json["alarms"][0]["alarm"], "disk_low");
  EXPECT_EQ(json["node"]["disk"], "low");
  EXPECT_EQ(json["node"]["disk_free"], 12'345);
  EXPECT_EQ(json["node"]["ready"], true);
  EXPECT_EQ(json["members"][1]["no_write"], true);
  EXPECT_EQ(json["members"][2]["no_write"], false);
}

TEST(HttpAdmin, TwoProcessesUnderOneNameAreAnAlarmHereAndThere) {  // D2, D3
  World world;
  world.store.view.members[1].fenced = true;
  world.store.view.members[1].healthy = false;
  Json json = Json::parse(world.ask("GET", "/v1/status").body);
  EXPECT_EQ(json["alarms"][0]["alarm"], "two_processes");
  for (const Json& alarm : json["alarms"]) EXPECT_NE(alarm["alarm"], "member_down");
  EXPECT_EQ(json["members"][1]["fenced"], true);
  EXPECT_EQ(json["node"]["fenced"], false);
  EXPECT_EQ(json["node"]["ready"], true) << "the others are well";
  world.store.view.members[1] = world.store.view.members[2];
  world.store.node_status.fenced = true;
  json = Json::parse(world.ask("GET", "/v1/status").body);
  EXPECT_EQ(json["alarms"][0]["alarm"], "two_processes");
  EXPECT_EQ(json["node"]["fenced"], true);
  EXPECT_EQ(json["node"]["ready"], false);
  const Answer ready = world.ask("GET", "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.body.find("another process"), std::string::npos);
}

TEST(HttpAdmin, HintsShowWhatWaitsForWhomAndHowFarItIs) {
  World world;
  Json json = Json::parse(world.ask("GET", "/v1/hints").body);
  EXPECT_EQ(keys_of(json), (Keys{"node", "pending", "bytes", "counting", "owners"}));
  EXPECT_EQ(json["pending"], 0);
  EXPECT_EQ(json["owners"], Json::array());
  world.store.node_status.hints_counting = true;
  world.store.view.members[1].healthy = false;
  world.store.node_status.hints = {{.owner = world.store.view.members[1].id,
                                    .pending = 30,
                                    .bytes = 3000,
                                    .delivered = 10,
                                    .delivered_total = 12,
                                    .per_second = 2.5,
                                    .settled = false,
                                    .oldest_ms = 61'000},
                                   {.owner = world.store.view.members[2].id, .pending = 1}};
  json = Json::parse(world.ask("GET", "/v1/hints").body);
  EXPECT_EQ(json["pending"], 31);
  EXPECT_EQ(json["bytes"], 3000);
  EXPECT_EQ(json["counting"], true);
  const Json& owner = json["owners"][0];
  EXPECT_EQ(keys_of(owner),
            (Keys{"id", "name", "healthy", "pending", "bytes", "oldest_ms", "delivered",
                  "delivered_total", "per_second", "settled", "progress"}));
  EXPECT_EQ(owner["settled"], false);
  EXPECT_EQ(json["owners"][1]["settled"], true);
  EXPECT_EQ(owner["name"], "n2");
  EXPECT_EQ(owner["healthy"], false);
  EXPECT_EQ(owner["oldest_ms"], 61'000);
  EXPECT_DOUBLE_EQ(owner["progress"], 0.25);
  EXPECT_DOUBLE_EQ(json["owners"][1]["progress"], 0);
  EXPECT_EQ(world.ask("GET", "/v1/hints?x=1").status, 400);
}

TEST(HttpAdmin, RingShowsBalanceAndRangesThatCoverEverySlot) {
  World world;
  const Json json = Json::parse(world.ask("GET", "/v1/ring").body);
  EXPECT_EQ(keys_of(json), (Keys{"id", "q", "n", "r", "w", "history", "slots_per_partition",
                                 "members", "ranges"}));
  EXPECT_EQ(json["slots_per_partition"], 1024);
  std::size_t places = 0;
  double share = 0;
  for (const Json& member : json["members"]) {
    EXPECT_EQ(keys_of(member), (Keys{"id", "name", "zone", "weight", "healthy", "places",
                                     "first_places", "first_healthy", "share"}));
    places += member["places"].get<std::size_t>();
    share += member["share"].get<double>();
  }
  EXPECT_EQ(places, 48U);
  EXPECT_DOUBLE_EQ(share, 1);
  std::uint32_t next_partition = 0;
  std::uint32_t next_slot = 0;
  for (const Json& range : json["ranges"]) {
    EXPECT_EQ(keys_of(range), (Keys{"partitions", "slots", "owners"}));
    EXPECT_EQ(range["partitions"][0], next_partition);
    EXPECT_EQ(range["slots"][0], next_slot);
    EXPECT_EQ(range["owners"].size(), 3U);
    next_partition = range["partitions"][1].get<std::uint32_t>() + 1;
    next_slot = range["slots"][1].get<std::uint32_t>() + 1;
  }
  EXPECT_EQ(next_partition, 16U);
  EXPECT_EQ(next_slot, 16384U);
  EXPECT_EQ(json["ranges"].size(), 4U);
  EXPECT_EQ(json["ranges"][1]["owners"], (Json{"n2", "n3", "n1"}));
}

TEST(HttpAdmin, RingShowsOnePartition) {
  World world;
  const Json json = Json::parse(world.ask("GET", "/v1/ring?partition=15").body);
  EXPECT_EQ(keys_of(json), (Keys{"partition", "slots", "owners", "first_healthy"}));
  EXPECT_EQ(json["slots"], (Json{15360, 16383}));
  EXPECT_EQ(keys_of(json["owners"][0]), (Keys{"id", "name", "zone", "healthy"}));
  EXPECT_EQ(json["owners"][0]["name"], "n1");
  EXPECT_EQ(json["first_healthy"], "n1");
  for (const char* query : {"partition=16", "partition=", "partition=x", "p=1",
                            "partition=1&partition=1", "partition=1&x=1"})
    EXPECT_EQ(world.ask("GET", "/v1/ring?" + std::string(query)).status, 400) << query;
}

TEST(HttpAdmin, ANodeWithoutClusterHasNoRing) {
  World world;
  world.store.view = {};
  EXPECT_EQ(world.ask("GET", "/v1/ring").status, 503);
  EXPECT_EQ(world.ask("GET", "/readyz").status, 503);
  const Json json = Json::parse(world.ask("GET", "/v1/status").body);
  EXPECT_EQ(json["alarms"][0]["alarm"], "not_member");
  EXPECT_EQ(world.ask("GET", "/metrics").status, 200);
  EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
}

TEST(HttpAdmin, ExplainShowsEachReplicaAndTheVerdict) {
  World world;
  world.ask("PUT", "/v1/kv/b/k%ff?ttl_ms=5000", "Content-Type: a/b\r\n", "hello");
  world.store.view.members[1].healthy = false;
  const Answer answer = world.ask("GET", "/v1/explain/b/k%FF");
  ASSERT_EQ(answer.status, 200);
  const Json json = Json::parse(answer.body);
  EXPECT_EQ(keys_of(json), (Keys{"bucket", "bucket_base64", "key", "key_base64", "partition",
                                 "slot", "verdict", "merged", "replicas"}));
  std::string key;
  ASSERT_TRUE(decode_base64(json["key_base64"].get<std::string>(), Base64::kStandard, key));
  EXPECT_EQ(key, "k\xFF");
  EXPECT_EQ(keys_of(json["merged"]), (Keys{"digest", "clock", "cloud", "versions"}));
  ASSERT_EQ(json["replicas"].size(), 3U);
  const Json& self = json["replicas"][0];
  EXPECT_EQ(keys_of(self), (Keys{"node", "name", "owner", "healthy", "answered", "error", "digest",
                                 "clock", "cloud", "versions"}));
  EXPECT_EQ(self["clock"], (Json{"000000000000000a.1:2"}));
  ASSERT_EQ(self["versions"].size(), 1U);
  EXPECT_EQ(keys_of(self["versions"][0]), (Keys{"dot", "time", "write_id", "tombstone", "expires",
                                                "living", "content_type", "bytes"}));
  EXPECT_EQ(self["versions"][0]["bytes"], 5);
  EXPECT_EQ(self["versions"][0]["expires"], "2026-09-21T14:13:25.000000Z");
  EXPECT_EQ(self["digest"], json["merged"]["digest"]);
  EXPECT_EQ(json["replicas"][1]["error"], "not reachable");
  EXPECT_EQ(json["replicas"][1]["digest"], "0000000000000000");
  EXPECT_EQ(json["replicas"][2]["owner"], false);  // a stand-in
  EXPECT_FALSE(json["verdict"].get<std::string>().empty());
}

TEST(HttpAdmin, ExplainOfAKeyThatNobodyKnows) {
  World world;
  const Json json = Json::parse(world.ask("GET", "/v1/explain/b/none").body);
  EXPECT_EQ(json["merged"]["versions"], Json::array());
  EXPECT_EQ(json["merged"]["digest"], "0000000000000000");
  EXPECT_EQ(world.ask("GET", "/v1/explain/b/none?r=1").status, 400);
  EXPECT_EQ(world.ask("GET", "/v1/explain/b").status, 400);
}

TEST(HttpAdmin, AMemberOfAnotherHistoryIsNotSimplyDown) {
  World world;
  world.store.view.members[1].healthy = false;
  world.store.view.members[1].other_history = true;
  const Json alarms = Json::parse(world.ask("GET", "/v1/status").body)["alarms"];
  ASSERT_FALSE(alarms.empty());
  EXPECT_EQ(alarms[0]["alarm"], "history_mismatch");
}

TEST(HttpAdmin, StandInsMakeUpForOwnersThatAreAway) {
  World world;
  node::MemberView fourth = world.store.view.members[0];
  fourth.id = {4};
  fourth.name = "n4";
  fourth.self = false;
  world.store.view.members.push_back(fourth);
  world.store.view.members[1].healthy = false;
  world.store.view.members[2].healthy = false;
  EXPECT_EQ(world.ask("GET", "/readyz").status, 200) << "n1 and n4 are W";
  const Json alarms = Json::parse(world.ask("GET", "/v1/status").body)["alarms"];
  const auto told = std::find_if(alarms.begin(), alarms.end(), [](const Json& alarm) {
    return alarm["alarm"] == "partitions_short";
  });
  ASSERT_NE(told, alarms.end());
  EXPECT_NE((*told)["hint"].get<std::string>().find("stand-ins"), std::string::npos);
  world.store.view.members[3].healthy = false;
  EXPECT_EQ(world.ask("GET", "/readyz").status, 503);
}

TEST(HttpAdmin, ReadinessNeedsEnoughOwnersOfEveryPartition) {
  World world;
  const Answer yes = world.ask("GET", "/readyz");
  EXPECT_EQ(yes.status, 200);
  EXPECT_EQ(keys_of(Json::parse(yes.body)), (Keys{"ready", "reason", "partitions_short"}));
  world.store.view.members[2].healthy = false;  // two of three are enough for R = W = 2
  EXPECT_EQ(world.ask("GET", "/readyz").status, 200);
  world.store.view.w = 3;
  const Answer no = world.ask("GET", "/readyz");
  EXPECT_EQ(no.status, 503);
  const Json json = Json::parse(no.body);
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["partitions_short"], 16);
  EXPECT_FALSE(json["reason"].get<std::string>().empty());
  world.store.view.w = 2;
  world.store.node_status.no_write = true;
  EXPECT_EQ(world.ask("GET", "/readyz").status, 503);
  EXPECT_EQ(world.ask("GET", "/healthz").status, 200);
}

TEST(HttpAdmin, MetricsArePrometheusTextAndEachIsExplainedInTheManual) {
  HttpFrontOptions options;
  options.process_facts = &read_process_facts;
  options.heap_allocations = []() -> std::uint64_t { return 4711; };
  World world(options);
  world.store.counters.reads_total = 12;
  world.store.counters.commands_total = 100;
  const Answer answer = world.ask("GET", "/metrics");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");

  std::ifstream file(STATOR_METRICS_PAGE);
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(page.empty());
  std::map<std::string, std::string> values;
  std::istringstream lines(answer.body);
  std::string help;
  std::string type;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string a, b, c, d;
    words >> a >> b >> c >> d;
    if (a == "#" && b == "HELP") {
      help = c;
      EXPECT_FALSE(d.empty());
    } else if (a == "#") {
      ASSERT_EQ(b, "TYPE");
      type = c;
      EXPECT_TRUE(d == "counter" || d == "gauge") << line;
      EXPECT_EQ(d == "counter", c.ends_with("_total")) << line;
    } else {
      EXPECT_EQ(a, help);
      EXPECT_EQ(a, type);
      EXPECT_TRUE(c.empty());
      EXPECT_TRUE(values.emplace(a, b).second) << "twice: " << a;
      EXPECT_NE(page.find("`" + a + "`"), std::string::npos) << a << " is not in the manual";
    }
  }
  EXPECT_EQ(values["stator_reads_total"], "12");
  EXPECT_EQ(values["stator_commands_total"], "101");  // this request, too
  EXPECT_EQ(values["stator_clients_connected"], "1");
  EXPECT_EQ(values["stator_heap_allocations_total"], "4711");
  EXPECT_EQ(values["stator_members_healthy"], "3");
  EXPECT_EQ(values["stator_uptime_seconds"], "12.345000");
  EXPECT_GT(std::stoll(values["process_resident_memory_bytes"]), 1'000'000);
  EXPECT_GT(std::stoll(values["process_open_fds"]), 2);
  EXPECT_GT(std::stod(values["process_cpu_seconds_total"]), 0);
}

TEST(HttpAdmin, WithoutAProcessOfItsOwnANodeShowsNoProcessFigures) {
  World world;
  const std::string body = world.ask("GET", "/metrics").body;
  EXPECT_EQ(body.find("process_"), std::string::npos);
  EXPECT_EQ(body.find("heap_allocations"), std::string::npos);
}

TEST(HttpAdmin, CountersMayBelongToTheShard) {
  node::Metrics shard;
  HttpFrontOptions options;
  options.counters = &shard;
  World world(options);
  world.ask("GET", "/healthz");
  EXPECT_EQ(shard.commands_total, 1U);
  EXPECT_EQ(shard.clients_connected, 1U);
  EXPECT_EQ(shard.clients_total, 1U);
  EXPECT_GT(shard.client_bytes_in_total, 10U);
  // What Store::metrics() sums already is not added again.
  EXPECT_NE(world.ask("GET", "/metrics").body.find("\nstator_commands_total 0\n"),
            std::string::npos);
}

TEST(HttpAdmin, TheFirstPageNamesEveryEndpoint) {
  World world;
  const Answer page = world.ask("GET", "/");
  EXPECT_EQ(page.status, 200);
  for (const char* path : {"/v1/kv/", "/v1/explain/", "/v1/status", "/v1/hints", "/v1/ring",
                           "/metrics", "/healthz", "/readyz"})
    EXPECT_NE(page.body.find(path), std::string::npos) << path;
}

TEST(HttpAdmin, UnknownPathsAndWrongMethodsAreToldApart) {
  World world;
  for (const char* path : {"/x", "/v1", "/v1/", "/v1/kv", "/v1/status/", "/v2/kv/b/k", "*"}) {
    const Answer answer = world.ask("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(Json::parse(answer.body)["error"], "no_such_path") << path;
  }
  for (const char* path : {"/", "/v1/status", "/v1/hints", "/v1/ring", "/v1/explain/b/k",
                           "/metrics", "/healthz", "/readyz"}) {
    const Answer answer = world.ask("PUT", path, "", "v");
    EXPECT_EQ(answer.status, 405) << path;
    EXPECT_EQ(answer.header("allow"), "GET, HEAD") << path;
  }
  const Answer post = world.ask("POST", "/v1/kv/b/k", "", "v");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.header("allow"), "GET, HEAD, PUT, DELETE");
  EXPECT_EQ(world.ask("OPTIONS", "/v1/kv/b/k").status, 405);
  EXPECT_EQ(world.ask("HEAD", "/v1/status").status, 200);
}

}  // namespace
}  // namespace stator::http
