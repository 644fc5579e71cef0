#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "front/redis/command_table.h"
#include "front/redis/refusals.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string read_page() {
  std::ifstream file(STATOR_REDIS_PAGE);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(RedisPage, NamesEveryCommand) {
  const std::string page = read_page();
  ASSERT_FALSE(page.empty());
  for (const CommandRow& row : command_rows()) {
    std::string name = upper_case(row.name);
    const std::size_t bar = name.find('|');
    if (bar != std::string::npos) name = name.substr(bar + 1);
    EXPECT_NE(page.find(name), std::string::npos) << row.name;
  }
}

TEST(RedisPage, NoCommandIsBothOfferedAndRefused) {
  for (const CommandRow& row : command_rows()) {
    EXPECT_EQ(find_refusal(row.name), nullptr) << row.name;
  }
}

// Of Redis 7.4, and what 8.0 added to its types, by group.
constexpr std::string_view kCommandsOfRedis[] = {
    "append decr decrby get getdel getex getrange getset incr incrby incrbyfloat lcs mget mset "
    "msetnx psetex set setex setnx setrange strlen substr",
    "bitcount bitfield bitfield_ro bitop bitpos getbit setbit",
    "copy del dump exists expire expireat expiretime keys migrate move object persist pexpire "
    "pexpireat pexpiretime pttl randomkey rename renamenx restore restore-asking scan sort sort_ro "
    "touch ttl type unlink wait waitaof",
    "blmove blmpop blpop brpop brpoplpush lindex linsert llen lmove lmpop lpop lpos lpush lpushx "
    "lrange lrem lset ltrim rpop rpoplpush rpush rpushx",
    "sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove "
    "spop srandmember srem sscan sunion sunionstore",
    "hdel hexists hexpire hexpireat hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat "
    "hkeys hlen hmget hmset hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield hscan hset "
    "hsetex hsetnx hstrlen httl hvals",
    "bzmpop bzpopmax bzpopmin zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard "
    "zinterstore zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex "
    "zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore "
    "zrevrange "
    "zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion zunionstore",
    "xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange "
    "xsetid xtrim",
    "geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro "
    "geosearch geosearchstore",
    "pfadd pfcount pfdebug pfmerge pfselftest",
    "psubscribe publish pubsub punsubscribe spublish ssubscribe subscribe sunsubscribe unsubscribe",
    "eval eval_ro evalsha evalsha_ro fcall fcall_ro function script",
    "discard exec multi unwatch watch",
    "auth client echo hello ping quit reset select",
    "asking cluster readonly readwrite",
    "acl bgrewriteaof bgsave command config dbsize debug failover flushall flushdb info lastsave "
    "latency lolwut memory module monitor psync replconf replicaof role save shutdown slaveof "
    "slowlog swapdb sync time"};

// Whoever types one of them hears what to do instead, not that nobody knows it.
TEST(RedisPage, EveryCommandOfRedisIsOfferedOrRefusedWithAReason) {
  std::size_t commands = 0;
  for (const std::string_view group : kCommandsOfRedis) {
    for (std::size_t at = 0; at < group.size();) {
      const std::size_t end = std::min(group.find(' ', at), group.size());
      const std::string_view name = group.substr(at, end - at);
      const Refusal* refusal = find_refusal(name);
      EXPECT_TRUE(find_command(name) != nullptr || refusal != nullptr) << name;
      if (refusal != nullptr) {
        EXPECT_FALSE(refusal->reason.empty()) << name;
      }
      ++commands;
      at = end + 1;
    }
  }
  EXPECT_GT(commands, 200U);
}

TEST(CommandTable, EveryRowIsFoundByItsNameInAnyCaseAndHasAHandler) {
  for (const CommandRow& row : command_rows()) {
    EXPECT_EQ(find_command(upper_case(row.name)), &row);
    EXPECT_TRUE(row.handler != nullptr || row.is(kContainer)) << row.name;
    EXPECT_FALSE(row.is(kWrite) && row.is(kReadonly)) << row.name;
    EXPECT_EQ(row.first_key != 0, row.key_step != 0) << row.name;
    // A container's own row accepts no lone word unless it answers that by itself.
    EXPECT_FALSE(row.handler == nullptr && row.accepts(1)) << row.name;
    // Keys must exist in the shortest form that the arity allows.
    EXPECT_LT(row.first_key, row.arity < 0 ? -row.arity : row.arity) << row.name;
  }
}

TEST(CommandTable, SubcommandsStandBehindTheirContainer) {
  std::size_t found = 0;
  for (const CommandRow& row : command_rows()) {
    for (const CommandRow& subcommand : subcommands_of(row)) {
      EXPECT_TRUE(subcommand.name.starts_with(std::string(row.name) + "|"));
      ++found;
    }
  }
  std::size_t all = 0;
  for (const CommandRow& row : command_rows()) all += row.is_subcommand();
  EXPECT_EQ(found, all);
}

}  // namespace
}  // namespace stator::redis
