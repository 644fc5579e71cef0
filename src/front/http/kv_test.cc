#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/base64.h"
#include "core/version/context.h"
#include "front/http/testing/world.h"
#include "front/http/text.h"

namespace stator::http {
namespace {

using testing::Answer;
using testing::kSecret;
using testing::kWall;
using testing::World;
using Json = nlohmann::json;

constexpr const char* kQuorumText = "primaries=2 fallbacks=0 nodes=2 zones=1";

std::string context_line(const Answer& answer) {
  return "Stator-Context: " + answer.header("stator-context") + "\r\n";
}

std::string id_line(std::uint64_t kind, std::uint64_t number) {
  const WriteId id = WriteId::make(static_cast<std::uint64_t>(kWall.ms()), kind, 0, number);
  return "Stator-Write-Id: " + write_id_text(id) + "\r\n";
}

TEST(HttpKv, PutThenGetGivesBytesTypeContextAndEvidence) {
  World world;
  const std::string value("a\0b\r\n\xFF", 6);
  const Answer put = world.ask("PUT", "/v1/kv/b/k", "Content-Type: image/png\r\n", value);
  EXPECT_EQ(put.status, 204);
  EXPECT_EQ(put.header("stator-quorum"), kQuorumText);
  EXPECT_FALSE(put.header("stator-context").empty());
  EXPECT_TRUE(parse_write_id(put.header("stator-write-id")));
  EXPECT_EQ(put.headers.count("content-length"), 0U);  // RFC 9110 8.6: never with 204

  const Answer get = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, value);
  EXPECT_EQ(get.header("content-type"), "image/png");
  EXPECT_EQ(get.header("stator-quorum"), kQuorumText);
  EXPECT_EQ(get.header("stator-dot"), "000000000000000a.1:2");
  EXPECT_EQ(get.header("stator-time"), "2026-09-21T14:13:20.000000Z");
  EXPECT_EQ(get.header("stator-write-id"), put.header("stator-write-id"));
  EXPECT_EQ(get.header("x-content-type-options"), "nosniff");
  EXPECT_NE(get.header("content-security-policy").find("sandbox"), std::string::npos);
  EXPECT_EQ(get.header("cache-control"), "no-store");
  EXPECT_EQ(get.header("date"), "Mon, 21 Sep 2026 14:13:20 GMT");
}

TEST(HttpKv, ContentTypeHasADefaultAndEmptyValuesAreValues) {
  World world;
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/k").status, 204);
  const Answer get = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, "");
  EXPECT_EQ(get.header("content-length"), "0");
  EXPECT_EQ(get.header("content-type"), "application/octet-stream");
}

TEST(HttpKv, AStoredTypeThatNoHeaderCanCarryIsNotSent) {
  World world;
  Object object;
  const WriteId id = WriteId::make(static_cast<std::uint64_t>(kWall.ms()), 7, 0, 1);
  put(object, {.id = id, .time = {1}, .content_type = "text/html\r\nSet-Cookie: a=b", .value = "v"},
      {}, {{{1}, 1}, 1}, kWall);
  world.store.put_object("b", "k", object);
  const Answer get = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(get.header("content-type"), "application/octet-stream");
  EXPECT_EQ(get.headers.count("set-cookie"), 0U);
}

TEST(HttpKv, QuorumsAndTimeoutsReachTheStore) {
  World world;
  world.ask("GET", "/v1/kv/b/k?r=3&pr=2&timeout_ms=250");
  EXPECT_EQ(world.store.last_read.r, 3);
  EXPECT_EQ(world.store.last_read.pr, 2);
  EXPECT_EQ(world.store.last_read.timeout, milliseconds(250));
  world.ask("PUT", "/v1/kv/b/k?w=3&pw=2&dw=1&timeout_ms=90", "", "v");
  EXPECT_EQ(world.store.last_write.quorum.w, 3);
  EXPECT_EQ(world.store.last_write.quorum.pw, 2);
  EXPECT_EQ(world.store.last_write.quorum.dw, 1);
  EXPECT_EQ(world.store.last_write.quorum.timeout, milliseconds(90));
  world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(world.store.last_read.r, 0);
  EXPECT_EQ(world.store.last_read.timeout, Duration{});
}

TEST(HttpKv, ParametersThatAreUnknownDoubleOrNoNumbersAreRefused) {
  World world;
  for (const char* query : {"q=1", "r=0", "r=256", "r=-1", "r=", "r", "r=1&r=1", "w=2", "r=1x",
                            "timeout_ms=99999999999", "%72=1"}) {
    const Answer answer = world.ask("GET", "/v1/kv/b/k?" + std::string(query));
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(Json::parse(answer.body)["outcome"], nullptr);
  }
  EXPECT_EQ(world.store.reads, 0U);
  const Answer put = world.ask("PUT", "/v1/kv/b/k?r=2", "", "v");
  EXPECT_EQ(put.status, 400);
  EXPECT_EQ(Json::parse(put.body)["outcome"], "not_applied");
  EXPECT_EQ(world.store.writes, 0U);
}

TEST(HttpKv, WithoutContextTheOldValueStaysAsASiblingWithContextItGoes) {
  World world;
  world.ask("PUT", "/v1/kv/b/k", "Content-Type: text/plain\r\n", "one");
  EXPECT_FALSE(world.store.last_had_context);
  EXPECT_EQ(world.store.last_write.kind, node::WriteKind::kWithContext);
  world.ask("PUT", "/v1/kv/b/k", "", "two");
  const Answer both = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(both.status, 300);
  EXPECT_EQ(both.header("content-type"), "application/json");
  EXPECT_EQ(both.headers.count("stator-dot"), 0U);  // each sibling says it for itself

  const Json json = Json::parse(both.body);
  EXPECT_EQ(json.size(), 2U);
  EXPECT_EQ(json["context"], both.header("stator-context"));
  ASSERT_EQ(json["siblings"].size(), 2U);
  const Json& first = json["siblings"][0];
  EXPECT_EQ(first.size(), 5U);
  EXPECT_EQ(first["value"], "b25l");
  EXPECT_EQ(first["content_type"], "text/plain");
  EXPECT_EQ(first["dot"], "000000000000000a.1:2");
  EXPECT_EQ(first["time"], "2026-09-21T14:13:20.000000Z");
  EXPECT_TRUE(parse_write_id(first["write_id"].get<std::string>()));
  EXPECT_EQ(json["siblings"][1]["value"], "dHdv");
  EXPECT_EQ(json["siblings"][1]["content_type"], "application/octet-stream");

  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/k", context_line(both), "three").status, 204);
  EXPECT_TRUE(world.store.last_had_context);
  const Answer one = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body, "three");
}

TEST(HttpKv, APutAnswersTheWritersOwnContextAndNotWhatOthersWrote) {
  World world;
  const Answer mine = world.ask("PUT", "/v1/kv/b/k", "", "mine");
  world.ask("PUT", "/v1/kv/b/k", "", "other");
  world.ask("PUT", "/v1/kv/b/k", context_line(mine), "mine again");
  const Answer get = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(get.status, 300);
  EXPECT_EQ(Json::parse(get.body)["siblings"].size(), 2U);
}

TEST(HttpKv, ATombstoneBesideALivingSiblingIsNotShownAndIsInTheContext) {
  World world;
  const Answer first = world.ask("PUT", "/v1/kv/b/k", "", "one");
  world.ask("PUT", "/v1/kv/b/k", "", "two");
  EXPECT_EQ(world.ask("DELETE", "/v1/kv/b/k", context_line(first)).status, 204);
  const Answer get = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, "two");
  world.ask("PUT", "/v1/kv/b/k", context_line(get), "three");
  EXPECT_EQ(world.store.object_of("b", "k").versions.size(), 1U);
}

TEST(HttpKv, NotFoundSaysWhetherAnybodyDeletedIt) {
  World world;
  const Answer never = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(never.status, 404);
  EXPECT_EQ(Json::parse(never.body)["error"], "not_found");
  EXPECT_FALSE(never.header("stator-context").empty());
  EXPECT_EQ(never.header("stator-quorum"), kQuorumText);

  world.ask("PUT", "/v1/kv/b/k", "", "v");
  const Answer deleted = world.ask("DELETE", "/v1/kv/b/k");
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.headers.count("stator-context"), 0U);  // a blind delete saw nothing
  EXPECT_EQ(deleted.header("stator-quorum"), kQuorumText);
  const Answer gone = world.ask("GET", "/v1/kv/b/k");
  EXPECT_EQ(gone.status, 404);
  Context context;
  ASSERT_TRUE(
      decode_context_text(gone.header("stator-context"), "b", "k", kSecret, context).has_value());
  EXPECT_FALSE(context.empty());
  EXPECT_NE(Json::parse(gone.body)["message"], Json::parse(never.body)["message"]);
}

TEST(HttpKv, ABlindDeleteRemovesAllThatIsThere) {
  World world;
  world.ask("PUT", "/v1/kv/b/k", "", "one");
  world.ask("PUT", "/v1/kv/b/k", "", "two");
  EXPECT_EQ(world.ask("DELETE", "/v1/kv/b/k?w=3").status, 204);
  EXPECT_EQ(world.store.last_write.kind, node::WriteKind::kOverAll);
  EXPECT_TRUE(world.store.last_write.tombstone);
  EXPECT_EQ(world.store.last_write.quorum.w, 3);
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").status, 404);
}

TEST(HttpKv, ADeleteWithContextRemovesWhatThatContextSaw) {
  World world;
  const Answer one = world.ask("PUT", "/v1/kv/b/k", "", "one");
  const Answer deleted = world.ask("DELETE", "/v1/kv/b/k", context_line(one) + id_line(7, 9));
  EXPECT_EQ(deleted.status, 204);
  EXPECT_FALSE(deleted.header("stator-context").empty());
  EXPECT_EQ(world.store.last_write.kind, node::WriteKind::kWithContext);
  EXPECT_TRUE(world.store.last_write.tombstone);
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").status, 404);
}

TEST(HttpKv, ARetryWithTheSameWriteIdIsOneWrite) {
  World world;
  const std::string id = id_line(7, 5);
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/k", id, "v").status, 204);
  const Answer again = world.ask("PUT", "/v1/kv/b/k", id, "v");
  EXPECT_EQ(again.status, 204);
  EXPECT_EQ("Stator-Write-Id: " + again.header("stator-write-id") + "\r\n", id);
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").status, 200);
}

TEST(HttpKv, ABlindDeleteTakesNoRetryableId) {
  World world;
  const Answer refused = world.ask("DELETE", "/v1/kv/b/k", id_line(WriteId::kRetryable, 5));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(world.store.writes, 0U);
  // One that a node made asks what became of it.
  EXPECT_EQ(world.ask("DELETE", "/v1/kv/b/k", id_line(WriteId::kMintedOnce, 5)).status, 204);
}

TEST(HttpKv, BadContextsAndBadIdsAreRefusedBeforeTheStore) {
  World world;
  const Answer other = world.ask("PUT", "/v1/kv/b/other", "", "v");
  const std::string good = other.header("stator-context");
  world.store.writes = 0;
  for (const std::string& text :
       {good, good.substr(0, good.size() - 1), std::string(), std::string("random"),
        std::string("!!!"), std::string(2000, 'A')}) {
    const Answer answer = world.ask("PUT", "/v1/kv/b/k", "Stator-Context: " + text + "\r\n", "v");
    EXPECT_EQ(answer.status, 400) << text;
    const Json json = Json::parse(answer.body);
    EXPECT_EQ(json["error"], "bad_context");
    EXPECT_EQ(json["outcome"], "not_applied");
    EXPECT_FALSE(json["hint"].get<std::string>().empty());
  }
  for (const char* headers :
       {"Stator-Write-Id: 1\r\n", "Stator-Write-Id: \r\n",
        "Stator-Write-Id: 018f6b7e1c2d7abc8def0123456789ab\r\n"
        "Stator-Write-Id: 018f6b7e1c2d7abc8def0123456789ab\r\n",
        "If-Match: \"a\"\r\n", "If-None-Match: *\r\n", "Content-Encoding: gzip\r\n",
        "Content-Range: bytes 0-1/2\r\n", "Content-Type: caf\xE9\r\n",
        "Content-Type: a/b\r\nContent-Type: c/d\r\n", "Stator-Expires: soon\r\n",
        "Stator-Expires: 5\r\nStator-Expires: 5\r\n"}) {
    const Answer answer = world.ask("PUT", "/v1/kv/b/k", headers, "v");
    EXPECT_EQ(answer.status, 400) << headers;
    EXPECT_EQ(Json::parse(answer.body)["outcome"], "not_applied") << headers;
  }
  EXPECT_EQ(world.store.writes, 0U);
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/other", "If-None-Match: \"a\"\r\n").status, 200);
}

TEST(HttpKv, ExpiryIsSaidInThreeWays) {
  World world;
  const std::int64_t in_a_minute = kWall.ms() + 60'000;
  world.ask("PUT", "/v1/kv/b/ttl?ttl_ms=60000", "", "v");
  EXPECT_EQ(world.store.last_write.expires_at.ms(), in_a_minute);
  world.ask("PUT", "/v1/kv/b/at?expires_ms=" + std::to_string(in_a_minute), "", "v");
  EXPECT_EQ(world.store.last_write.expires_at.ms(), in_a_minute);
  world.ask("PUT", "/v1/kv/b/head", "Stator-Expires: " + std::to_string(in_a_minute) + "\r\n", "v");
  EXPECT_EQ(world.store.last_write.expires_at.ms(), in_a_minute);
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/x?ttl_ms=1", "Stator-Expires: 5\r\n", "v").status, 400);
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/x?ttl_ms=1&expires_ms=5", "", "v").status, 400);

  const Answer get = world.ask("GET", "/v1/kv/b/ttl");
  EXPECT_EQ(get.header("stator-expires"), std::to_string(in_a_minute));
  world.store.now = kWall + seconds(61);
  const Answer late = world.ask("GET", "/v1/kv/b/ttl");
  EXPECT_EQ(late.status, 404);
  EXPECT_FALSE(late.header("stator-context").empty());
}

TEST(HttpKv, KeysAreAnyBytes) {
  World world;
  EXPECT_EQ(world.ask("PUT", "/v1/kv/a%2Fb/x%2Fy%00%ff%25+", "", "v").status, 204);
  EXPECT_EQ(world.store.last_bucket, "a/b");
  EXPECT_EQ(world.store.last_key, std::string("x/y\0\xFF%+", 7));
  const Answer get = world.ask("GET", "/v1/kv/a%2fb/x%2Fy%00%FF%25%2B");
  EXPECT_EQ(get.status, 200);
  // The context is of the decoded key.
  EXPECT_EQ(world.ask("PUT", "/v1/kv/a%2Fb/x%2Fy%00%FF%25+", context_line(get), "w").status, 204);
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/", "", "v").status, 204);  // the empty key is a key
  EXPECT_EQ(world.store.last_key, "");
}

TEST(HttpKv, PathsThatNameNoKeyAreRefused) {
  World world;
  for (const char* path : {"/v1/kv/", "/v1/kv/b", "/v1/kv//k", "/v1/kv/b/k/more", "/v1/kv/b/k/",
                           "/v1/kv/b/%", "/v1/kv/b/%2", "/v1/kv/b/%zz", "/v1/kv/%g1/k"}) {
    EXPECT_EQ(world.ask("GET", path).status, 400) << path;
    EXPECT_EQ(world.ask("PUT", path, "", "v").status, 400) << path;
    EXPECT_EQ(world.ask("DELETE", path).status, 400) << path;
  }
  EXPECT_EQ(world.store.reads + world.store.writes, 0U);
}

TEST(HttpKv, HeadIsGetWithoutTheBody) {
  World world;
  world.ask("PUT", "/v1/kv/b/k", "Content-Type: a/b\r\n", "hello");
  const Answer head = world.ask("HEAD", "/v1/kv/b/k?r=1");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), "5");
  EXPECT_EQ(head.header("content-type"), "a/b");
  EXPECT_FALSE(head.header("stator-context").empty());
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(world.ask("HEAD", "/v1/kv/b/none").status, 404);
  EXPECT_EQ(world.ask("GET", "/v1/kv/b/k").body, "hello");  // the connection is where it should be
}

TEST(HttpKv, EveryErrorOfTheStoreHasAStatusAndSaysWhatToDo) {
  const std::pair<ErrorCode, int> table[] = {
      {ErrorCode::kBadRequest, 400},    {ErrorCode::kBadContext, 400},
      {ErrorCode::kTooLarge, 413},      {ErrorCode::kTooManySiblings, 409},
      {ErrorCode::kOverloaded, 429},    {ErrorCode::kTooFewNodes, 503},
      {ErrorCode::kTimeout, 504},       {ErrorCode::kHistoryMismatch, 503},
      {ErrorCode::kNotMember, 503},     {ErrorCode::kUnreadable, 500},
      {ErrorCode::kDiskFull, 507},      {ErrorCode::kIo, 500},
      {ErrorCode::kCorrupt, 500},       {ErrorCode::kNotSupported, 400},
      {ErrorCode::kClosed, 503},        {ErrorCode::kConflict, 409},
      {ErrorCode::kWriteIdExpired, 409}};
  ASSERT_EQ(std::size(table), static_cast<std::size_t>(ErrorCode::kWriteIdExpired) + 1);
  World world;
  for (const auto& [code, status] : table) {
    world.store.failure = Error{.code = code};
    const Answer read = world.ask("GET", "/v1/kv/b/k");
    EXPECT_EQ(read.status, status) << to_string(code);
    EXPECT_EQ(read.header("content-type"), "application/json");
    const Json json = Json::parse(read.body);
    EXPECT_EQ(json.size(), 7U);
    EXPECT_EQ(json["error"], to_string(code));
    EXPECT_EQ(json["outcome"], nullptr);
    EXPECT_EQ(json["write_id"], nullptr);
    EXPECT_FALSE(json["message"].get<std::string>().empty());
    EXPECT_FALSE(json["hint"].get<std::string>().empty());
    EXPECT_EQ(read.headers.count("retry-after"), status == 429 || status == 503 ? 1U : 0U);
    EXPECT_EQ(world.ask("PUT", "/v1/kv/b/k", "", "v").status, status);
    EXPECT_EQ(world.ask("GET", "/v1/explain/b/k").status, status);
  }
}

TEST(HttpKv, ARetryThatComesTooLateIsToldToReadAndNotToRepeatItself) {
  World world;
  world.store.failure = Error{.code = ErrorCode::kWriteIdExpired};
  world.store.failure_outcome = Outcome::kUnknown;
  const Answer put = world.ask("PUT", "/v1/kv/b/k", "", "v");
  EXPECT_EQ(put.status, 409);
  const Json json = Json::parse(put.body);
  EXPECT_EQ(json["error"], "write_id_expired");
  EXPECT_EQ(json["outcome"], "unknown");
  const std::string hint = json["hint"];
  EXPECT_TRUE(hint.starts_with("read the key")) << hint;
  EXPECT_NE(hint.find("a new Stator-Write-Id"), std::string::npos) << hint;
}

TEST(HttpKv, AnUnknownOutcomeNamesTheWriteSoThatItCanBeRepeated) {
  World world;
  world.store.failure = Error{.code = ErrorCode::kTimeout, .needed = 2, .got = 1};
  const Answer put = world.ask("PUT", "/v1/kv/b/k", "", "v");
  EXPECT_EQ(put.status, 504);
  const Json json = Json::parse(put.body);
  EXPECT_EQ(json["error"], "timeout");
  EXPECT_EQ(json["outcome"], "unknown");
  EXPECT_EQ(json["needed"], 2);
  EXPECT_EQ(json["got"], 1);
  const std::string id = json["write_id"];
  EXPECT_NE(json["hint"].get<std::string>().find("Stator-Write-Id"), std::string::npos);
  world.store.failure.reset();
  const std::string line = "Stator-Write-Id: " + id + "\r\n";
  EXPECT_EQ(world.ask("PUT", "/v1/kv/b/k", line, "v").header("stator-write-id"), id);

  world.store.failure = Error{.code = ErrorCode::kTooFewNodes, .needed = 2, .got = 0};
  world.store.failure_outcome = Outcome::kNotApplied;
  const Json refused = Json::parse(world.ask("PUT", "/v1/kv/b/k", "", "v").body);
  EXPECT_EQ(refused["outcome"], "not_applied");
  EXPECT_EQ(refused["got"], 0);
}

TEST(HttpKv, TheStoresOwnWordsArePassedOn) {
  World world;
  world.store.failure = Error{.code = ErrorCode::kBadRequest, .detail = "w must be \"1\" to N=3"};
  const Json json = Json::parse(world.ask("PUT", "/v1/kv/b/k?w=9", "", "v").body);
  EXPECT_EQ(json["message"], "w must be \"1\" to N=3");
}

TEST(HttpKv, OneConnectionsWritesAreStampedLaterThanWhatItSaw) {
  World world;
  world.ask("PUT", "/v1/kv/b/k", "", "v");
  const Hlc seen = world.store.object_of("b", "k").versions[0].time;
  world.ask("DELETE", "/v1/kv/b/k");
  EXPECT_GE(world.store.last_write.floor, seen);
  world.connect();
  world.ask("DELETE", "/v1/kv/b/k");
  EXPECT_EQ(world.store.last_write.floor, Hlc{});
}

}  // namespace
}  // namespace stator::http
