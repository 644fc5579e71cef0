#include "front/redis/refusals.h"

#include <string>

#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::string_view kConditional =
    "no node can promise that a key is absent while others accept writes to it; write with SET, or "
    "read with ST.GET, decide, and write with ST.PUT ... CTX, which keeps concurrent writes as "
    "siblings";
constexpr std::string_view kReadModifyWrite =
    "changing a value where it lies needs isolation, which an always-writeable store has not: "
    "concurrent changes would be lost; read with ST.GET, change, write with ST.PUT ... CTX, and "
    "merge siblings";
constexpr std::string_view kTransaction =
    "there are no transactions across nodes that accept writes on both sides of a cut; pipeline "
    "the commands, and use ST.PUT ... CTX where a concurrent write must be seen";
constexpr std::string_view kBlocking =
    "two nodes could hand out the same element; keep the queue in one key, changed with ST.GET and "
    "ST.PUT ... CTX, or use a queue service";
constexpr std::string_view kMessages =
    "messages to subscribers are not kept, and this store keeps what it accepts; use a message "
    "service";
constexpr std::string_view kScripts =
    "no code of clients runs in the server; do the work in the client with ST.GET and ST.PUT";
constexpr std::string_view kTypes =
    "values are strings in this release; store the whole as one value with SET, or with ST.PUT to "
    "see concurrent changes";
constexpr std::string_view kMembership =
    "the members are those that founded the cluster (`stator serve --found`) and cannot be changed "
    "in "
    "this release; CLUSTER NODES shows them";
constexpr std::string_view kWhole =
    "no command deletes what other nodes are accepting meanwhile; walk with SCAN and DEL the keys, "
    "or delete the data directories of a stopped cluster";
constexpr std::string_view kNoFiles =
    "every node stores its data itself, and no setting or file is changed through this port; see "
    "`stator config show`";
constexpr std::string_view kReplication =
    "all nodes are equal and replicate among themselves; see CLUSTER SHARDS and `stator ring`";
constexpr std::string_view kInside =
    "the server's inside is not opened to clients; see INFO, /metrics and `stator status`";
constexpr std::string_view kAcl = "there are no users in this release; bind to loopback";
constexpr std::string_view kPartOfValue =
    "not in this release; GET the value and take the part in the client";
constexpr std::string_view kAllKeys =
    "an answer with all keys of a cluster could be of any size; walk with SCAN";
constexpr std::string_view kTwoKeys =
    "moving between keys cannot be one step across nodes; GET, SET the other, DEL the first";
constexpr std::string_view kBinaryForm =
    "values are stored as versions, not in Redis's own form; use GET and SET, and PTTL for expiry";

constexpr Refusal kRefusals[] = {
    {"setnx", kConditional},
    {"msetnx", kConditional},
    {"incr", kReadModifyWrite},
    {"incrby", kReadModifyWrite},
    {"incrbyfloat", kReadModifyWrite},
    {"decr", kReadModifyWrite},
    {"decrby", kReadModifyWrite},
    {"append", kReadModifyWrite},
    {"setrange", kReadModifyWrite},
    {"setbit", kReadModifyWrite},
    {"bitfield", kReadModifyWrite},
    {"bitop", kReadModifyWrite},
    {"getrange", kPartOfValue},
    {"substr", kPartOfValue},
    {"getbit", kPartOfValue},
    {"bitfield_ro", kPartOfValue},
    {"bitcount", kPartOfValue},
    {"bitpos", kPartOfValue},
    {"lcs", kPartOfValue},
    {"multi", kTransaction},
    {"exec", kTransaction},
    {"discard", kTransaction},
    {"watch", kTransaction},
    {"unwatch", kTransaction},
    {"blpop", kBlocking},
    {"brpop", kBlocking},
    {"blmove", kBlocking},
    {"blmpop", kBlocking},
    {"brpoplpush", kBlocking},
    {"bzpopmin", kBlocking},
    {"bzpopmax", kBlocking},
    {"bzmpop", kBlocking},
    {"lpop", kBlocking},
    {"rpop", kBlocking},
    {"lmove", kBlocking},
    {"lmpop", kBlocking},
    {"rpoplpush", kBlocking},
    {"spop", kBlocking},
    {"zpopmin", kBlocking},
    {"zpopmax", kBlocking},
    {"zmpop", kBlocking},
    {"subscribe", kMessages},
    {"psubscribe", kMessages},
    {"ssubscribe", kMessages},
    {"unsubscribe", kMessages},
    {"punsubscribe", kMessages},
    {"sunsubscribe", kMessages},
    {"publish", kMessages},
    {"spublish", kMessages},
    {"pubsub", kMessages},
    {"eval", kScripts},
    {"evalsha", kScripts},
    {"eval_ro", kScripts},
    {"evalsha_ro", kScripts},
    {"fcall", kScripts},
    {"fcall_ro", kScripts},
    {"function", kScripts},
    {"script", kScripts},
    {"module", kScripts},
    {"lpush", kTypes},
    {"rpush", kTypes},
    {"lpushx", kTypes},
    {"rpushx", kTypes},
    {"lrange", kTypes},
    {"llen", kTypes},
    {"lindex", kTypes},
    {"linsert", kTypes},
    {"lset", kTypes},
    {"lrem", kTypes},
    {"ltrim", kTypes},
    {"lpos", kTypes},
    {"sadd", kTypes},
    {"srem", kTypes},
    {"smembers", kTypes},
    {"sismember", kTypes},
    {"smismember", kTypes},
    {"scard", kTypes},
    {"srandmember", kTypes},
    {"sscan", kTypes},
    {"sinter", kTypes},
    {"sintercard", kTypes},
    {"sinterstore", kTypes},
    {"sunion", kTypes},
    {"sunionstore", kTypes},
    {"sdiff", kTypes},
    {"sdiffstore", kTypes},
    {"smove", kTypes},
    {"hset", kTypes},
    {"hsetnx", kTypes},
    {"hmset", kTypes},
    {"hget", kTypes},
    {"hmget", kTypes},
    {"hgetall", kTypes},
    {"hdel", kTypes},
    {"hexists", kTypes},
    {"hlen", kTypes},
    {"hkeys", kTypes},
    {"hvals", kTypes},
    {"hscan", kTypes},
    {"hincrby", kTypes},
    {"hincrbyfloat", kTypes},
    {"hstrlen", kTypes},
    {"hrandfield", kTypes},
    {"hexpire", kTypes},
    {"hpexpire", kTypes},
    {"hexpireat", kTypes},
    {"hpexpireat", kTypes},
    {"httl", kTypes},
    {"hpttl", kTypes},
    {"hexpiretime", kTypes},
    {"hpexpiretime", kTypes},
    {"hpersist", kTypes},
    {"hgetdel", kTypes},
    {"hgetex", kTypes},
    {"hsetex", kTypes},
    {"zadd", kTypes},
    {"zrem", kTypes},
    {"zrange", kTypes},
    {"zrangebyscore", kTypes},
    {"zrangebylex", kTypes},
    {"zrangestore", kTypes},
    {"zrevrange", kTypes},
    {"zrevrangebyscore", kTypes},
    {"zrevrangebylex", kTypes},
    {"zscore", kTypes},
    {"zmscore", kTypes},
    {"zrank", kTypes},
    {"zrevrank", kTypes},
    {"zcard", kTypes},
    {"zcount", kTypes},
    {"zlexcount", kTypes},
    {"zincrby", kTypes},
    {"zrandmember", kTypes},
    {"zremrangebyrank", kTypes},
    {"zremrangebyscore", kTypes},
    {"zremrangebylex", kTypes},
    {"zinter", kTypes},
    {"zintercard", kTypes},
    {"zinterstore", kTypes},
    {"zunion", kTypes},
    {"zunionstore", kTypes},
    {"zdiff", kTypes},
    {"zdiffstore", kTypes},
    {"zscan", kTypes},
    {"xadd", kTypes},
    {"xdel", kTypes},
    {"xtrim", kTypes},
    {"xsetid", kTypes},
    {"xread", kTypes},
    {"xrange", kTypes},
    {"xrevrange", kTypes},
    {"xlen", kTypes},
    {"xreadgroup", kTypes},
    {"xgroup", kTypes},
    {"xack", kTypes},
    {"xpending", kTypes},
    {"xclaim", kTypes},
    {"xautoclaim", kTypes},
    {"xinfo", kTypes},
    {"geoadd", kTypes},
    {"geopos", kTypes},
    {"geodist", kTypes},
    {"geohash", kTypes},
    {"georadius", kTypes},
    {"georadius_ro", kTypes},
    {"georadiusbymember", kTypes},
    {"georadiusbymember_ro", kTypes},
    {"geosearch", kTypes},
    {"geosearchstore", kTypes},
    {"pfadd", kTypes},
    {"pfcount", kTypes},
    {"pfmerge", kTypes},
    {"flushall", kWhole},
    {"flushdb", kWhole},
    {"swapdb", kWhole},
    {"keys", kAllKeys},
    {"randomkey", kAllKeys},
    {"sort", kTypes},
    {"sort_ro", kTypes},
    {"rename", kTwoKeys},
    {"renamenx", kTwoKeys},
    {"copy", kTwoKeys},
    {"move", kTwoKeys},
    {"dump", kBinaryForm},
    {"restore", kBinaryForm},
    {"restore-asking", kBinaryForm},
    {"migrate", kBinaryForm},
    {"object", kInside},
    {"debug", kInside},
    {"memory", kInside},
    {"latency", kInside},
    {"lolwut", kInside},
    {"pfdebug", kInside},
    {"pfselftest", kInside},
    {"slowlog", kInside},
    {"monitor", kInside},
    {"acl", kAcl},
    {"save", kNoFiles},
    {"bgsave", kNoFiles},
    {"bgrewriteaof", kNoFiles},
    {"lastsave", kNoFiles},
    {"shutdown", "a node stops on SIGTERM; stop it where it runs"},
    {"replicaof", kReplication},
    {"slaveof", kReplication},
    {"role", kReplication},
    {"psync", kReplication},
    {"sync", kReplication},
    {"replconf", kReplication},
    {"failover", kReplication},
    {"wait", "a write is answered when W replicas have it; ask for more with ST.PUT ... W n DW n"},
    {"waitaof",
     "a write is answered when W replicas have it; ask for durable ones with ST.PUT ... DW n"},
    {"config|set", kNoFiles},
    {"config|rewrite", kNoFiles},
    {"client|tracking",
     "invalidation messages cannot be complete when any node accepts writes; give cached values a "
     "short life"},
    {"client|caching",
     "there is no tracking of what clients cache; give cached values a short life"},
    {"client|trackinginfo",
     "there is no tracking of what clients cache; give cached values a short life"},
    {"client|getredir",
     "there is no tracking of what clients cache; give cached values a short life"},
    {"client|pause",
     "a store that is always writeable does not pause its clients; stop the node to drain it"},
    {"client|unpause", "clients are never paused; nothing needs to be done"},
    {"client|unblock", "no command blocks; nothing needs to be done"},
    {"cluster|meet", kMembership},
    {"cluster|forget", kMembership},
    {"cluster|reset", kMembership},
    {"cluster|failover", kMembership},
    {"cluster|replicate", kMembership},
    {"cluster|addslots", kMembership},
    {"cluster|addslotsrange", kMembership},
    {"cluster|delslots", kMembership},
    {"cluster|delslotsrange", kMembership},
    {"cluster|setslot", kMembership},
    {"cluster|flushslots", kMembership},
    {"cluster|bumpepoch", kMembership},
    {"cluster|saveconfig", kMembership},
    {"cluster|set-config-epoch", kMembership},
    {"cluster|countkeysinslot",
     "keys are not counted by slot; DBSIZE counts those that this node publishes"},
    {"cluster|getkeysinslot", "keys are not listed by slot; walk with SCAN"},
};

}  // namespace

const Refusal* find_refusal(std::string_view name) {
  if (name.size() > 48) return nullptr;
  for (const Refusal& refusal : kRefusals) {
    if (equal_ignoring_case(name, refusal.name)) return &refusal;
  }
  return nullptr;
}

const Refusal* find_refusal(std::string_view container, std::string_view subcommand) {
  if (container.size() + subcommand.size() > 48) return nullptr;
  std::string full(container);
  full += '|';
  full += subcommand;
  return find_refusal(full);
}

}  // namespace stator::redis
