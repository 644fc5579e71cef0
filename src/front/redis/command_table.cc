#include "front/redis/command_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include "front/redis/handlers.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr Group kConn = Group::kConnection;
constexpr Group kGen = Group::kGeneric;
constexpr Group kStr = Group::kString;
constexpr Group kSrv = Group::kServer;
constexpr Group kClu = Group::kCluster;
constexpr Group kOwn = Group::kStator;
constexpr std::uint16_t kReadValue = kReadonly | kAnswersValue;
constexpr std::uint16_t kWriteValue = kWrite | kAnswersValue;

// clang-format off
constexpr CommandRow kRows[] = {
  // name                arity flags               first last step
  {"asking",              1, kFast,                0, 0, 0, kConn, do_ok, "3.0.0", "Does nothing: any node serves any key"},
  {"auth",               -2, kFast | kNoAuth,      0, 0, 0, kConn, do_auth, "1.0.0", "Refused: this node has no credentials"},
  {"client",             -2, kContainer,           0, 0, 0, kConn, nullptr, "2.4.0", "About connections of this shard"},
  {"client|getname",      2, 0,                    0, 0, 0, kConn, do_client_getname, "2.6.9", "The name of this connection"},
  {"client|id",           2, 0,                    0, 0, 0, kConn, do_client_id, "5.0.0", "The number of this connection"},
  {"client|info",         2, 0,                    0, 0, 0, kConn, do_client_info, "6.2.0", "One line about this connection"},
  {"client|kill",        -3, kAdmin,               0, 0, 0, kConn, do_client_kill, "2.4.0", "Closes connections by address or number"},
  {"client|list",        -2, kAdmin,               0, 0, 0, kConn, do_client_list, "2.4.0", "One line for each connection of this shard"},
  {"client|no-evict",     3, kAdmin,               0, 0, 0, kConn, do_client_switch, "7.0.0", "Accepted; nobody is evicted for memory"},
  {"client|no-touch",     3, 0,                    0, 0, 0, kConn, do_client_switch, "7.2.0", "Accepted; reads leave no trace here"},
  {"client|reply",        3, 0,                    0, 0, 0, kConn, do_client_reply, "3.2.0", "ON; OFF and SKIP are refused"},
  {"client|setinfo",      4, 0,                    0, 0, 0, kConn, do_client_setinfo, "7.2.0", "Name and version of the client library"},
  {"client|setname",      3, 0,                    0, 0, 0, kConn, do_client_setname, "2.6.9", "Names this connection"},
  {"cluster",            -2, kContainer,           0, 0, 0, kClu, nullptr, "3.0.0", "The cluster as this node sees it"},
  {"cluster|info",        2, 0,                    0, 0, 0, kClu, do_cluster_info, "3.0.0", "State of the cluster in figures"},
  {"cluster|keyslot",     3, 0,                    0, 0, 0, kClu, do_cluster_keyslot, "3.0.0", "The slot of a key"},
  {"cluster|myid",        2, 0,                    0, 0, 0, kClu, do_cluster_myid, "3.0.0", "The id of this node"},
  {"cluster|nodes",       2, 0,                    0, 0, 0, kClu, do_cluster_nodes, "3.0.0", "One line for each member"},
  {"cluster|replicas",    3, 0,                    0, 0, 0, kClu, do_cluster_replicas, "5.0.0", "An empty list: all nodes are equal"},
  {"cluster|shards",      2, 0,                    0, 0, 0, kClu, do_cluster_shards, "7.0.0", "First healthy node of each run of slots"},
  {"cluster|slots",       2, 0,                    0, 0, 0, kClu, do_cluster_slots, "3.0.0", "First healthy node of each run of slots"},
  {"command",            -1, kContainer,           0, 0, 0, kSrv, do_command, "2.8.13", "The commands that there are"},
  {"command|count",       2, 0,                    0, 0, 0, kSrv, do_command_count, "2.8.13", "How many"},
  {"command|docs",       -2, 0,                    0, 0, 0, kSrv, do_command_docs, "7.0.0", "What each does"},
  {"command|getkeys",    -3, 0,                    0, 0, 0, kSrv, do_command_getkeys, "2.8.13", "The keys in a command"},
  {"command|info",       -2, 0,                    0, 0, 0, kSrv, do_command_info, "2.8.13", "Arity, flags and positions of keys"},
  {"command|list",       -2, 0,                    0, 0, 0, kSrv, do_command_list, "7.0.0", "Their names"},
  {"config",             -2, kContainer,           0, 0, 0, kSrv, nullptr, "2.0.0", "Settings that clients ask for"},
  {"config|get",         -3, kAdmin,               0, 0, 0, kSrv, do_config_get, "2.0.0", "A few settings under their Redis names"},
  {"config|resetstat",    2, kAdmin,               0, 0, 0, kSrv, do_ok, "2.0.0", "Accepted; counters only rise here"},
  {"dbsize",              1, kReadonly | kFast,    0, 0, 0, kSrv, do_dbsize, "1.0.0", "Keys in the slots that this node publishes"},
  {"del",                -2, kWrite,               1, -1, 1, kGen, do_del, "1.0.0", "Deletes keys; tells how many there were"},
  {"echo",                2, kFast,                0, 0, 0, kConn, do_echo, "1.0.0", "Answers its argument"},
  {"exists",             -2, kReadonly | kFast,    1, -1, 1, kGen, do_exists, "1.0.0", "How many of the keys there are"},
  {"expire",             -3, kWrite | kFast,       1, 1, 1, kGen, do_expire, "1.0.0", "Sets the time to live in seconds"},
  {"expireat",           -3, kWrite | kFast,       1, 1, 1, kGen, do_expireat, "1.2.0", "Sets the time of expiry in seconds since 1970"},
  {"expiretime",          2, kReadonly | kFast,    1, 1, 1, kGen, do_expiretime, "7.0.0", "Time of expiry in seconds since 1970"},
  {"get",                 2, kReadValue | kFast,   1, 1, 1, kStr, do_get, "1.0.0", "The newest version of a key"},
  {"getdel",              2, kWriteValue | kFast,  1, 1, 1, kStr, do_getdel, "6.2.0", "Reads, then deletes; not atomic across nodes"},
  {"getex",              -2, kWriteValue | kFast,  1, 1, 1, kStr, do_getex, "6.2.0", "Reads, then sets the expiry; not atomic across nodes"},
  {"getset",              3, kWriteValue | kFast,  1, 1, 1, kStr, do_getset, "1.0.0", "Reads, then writes; not atomic across nodes"},
  {"hello",              -1, kFast | kNoAuth,      0, 0, 0, kConn, do_hello, "6.0.0", "Chooses RESP2 or RESP3"},
  {"info",               -1, 0,                    0, 0, 0, kSrv, do_info, "1.0.0", "State of this node"},
  {"mget",               -2, kReadValue | kFast,   1, -1, 1, kStr, do_mget, "1.0.0", "Reads keys, each for itself"},
  {"mset",               -3, kWrite,               1, -1, 2, kStr, do_mset, "1.0.1", "Writes keys, each for itself; not atomic"},
  {"persist",             2, kWrite | kFast,       1, 1, 1, kGen, do_persist, "2.2.0", "Takes the expiry away"},
  {"pexpire",            -3, kWrite | kFast,       1, 1, 1, kGen, do_pexpire, "2.6.0", "Sets the time to live in milliseconds"},
  {"pexpireat",          -3, kWrite | kFast,       1, 1, 1, kGen, do_pexpireat, "2.6.0", "Sets the time of expiry in milliseconds since 1970"},
  {"pexpiretime",         2, kReadonly | kFast,    1, 1, 1, kGen, do_pexpiretime, "7.0.0", "Time of expiry in milliseconds since 1970"},
  {"ping",               -1, kFast,                0, 0, 0, kConn, do_ping, "1.0.0", "Answers PONG"},
  {"psetex",              4, kWrite,               1, 1, 1, kStr, do_psetex, "2.6.0", "Writes with a time to live in milliseconds"},
  {"pttl",                2, kReadonly | kFast,    1, 1, 1, kGen, do_pttl, "2.6.0", "Time to live in milliseconds"},
  {"quit",               -1, kFast | kNoAuth,      0, 0, 0, kConn, do_quit, "1.0.0", "Ends the connection"},
  {"readonly",            1, kFast,                0, 0, 0, kConn, do_ok, "3.0.0", "Does nothing: any node serves any key"},
  {"readwrite",           1, kFast,                0, 0, 0, kConn, do_ok, "3.0.0", "Does nothing: any node serves any key"},
  {"reset",               1, kFast | kNoAuth,      0, 0, 0, kConn, do_reset, "6.2.0", "The connection as new: RESP2, no name"},
  {"scan",               -2, kReadonly,            0, 0, 0, kGen, do_scan, "2.8.0", "Walks the keys of the whole cluster"},
  {"select",              2, kFast,                0, 0, 0, kConn, do_select, "1.0.0", "Database 0, the only one"},
  {"set",                -3, kWrite | kAnswersValueByOption, 1, 1, 1, kStr, do_set, "1.0.0", "Writes a key, with or without expiry"},
  {"setex",               4, kWrite,               1, 1, 1, kStr, do_setex, "2.0.0", "Writes with a time to live in seconds"},
  {"st.del",             -2, kWrite,               1, 1, 1, kOwn, do_st_del, "0.1.0", "Deletes what a context saw"},
  {"st.explain",          2, kReadonly,            1, 1, 1, kOwn, do_st_explain, "0.1.0", "What each replica holds of a key, and what a read returns"},
  {"st.get",             -2, kReadValue,           1, 1, 1, kOwn, do_st_get, "0.1.0", "All siblings of a key and their context"},
  {"st.put",             -3, kWrite,               1, 1, 1, kOwn, do_st_put, "0.1.0", "Writes over what a context saw, beside the rest"},
  {"strlen",              2, kReadonly | kFast,    1, 1, 1, kStr, do_strlen, "2.2.0", "Bytes of the value"},
  {"time",                1, kFast,                0, 0, 0, kSrv, do_time, "2.6.0", "The time that judges expiry here"},
  {"touch",              -2, kReadonly | kFast,    1, -1, 1, kGen, do_exists, "3.2.1", "How many of the keys there are"},
  {"ttl",                 2, kReadonly | kFast,    1, 1, 1, kGen, do_ttl, "1.0.0", "Time to live in seconds"},
  {"type",                2, kReadonly | kFast,    1, 1, 1, kGen, do_type, "1.0.0", "string, or none"},
  {"unlink",             -2, kWrite | kFast,       1, -1, 1, kGen, do_del, "4.0.0", "The same as DEL"},
};
// clang-format on

constexpr std::size_t kNameMax = 32;
constexpr std::size_t kBuckets = 256;  // a power of two, over twice the rows
static_assert(std::size(kRows) * 2 < kBuckets);

constexpr std::uint32_t hash_of(std::string_view lower_case_name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : lower_case_name) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  }
  return hash ^ hash >> 15;
}

// Open addressing; each entry is a row's number plus one.
constexpr auto kIndex = [] {
  std::array<std::uint8_t, kBuckets> index{};
  for (std::size_t row = 0; row < std::size(kRows); ++row) {
    std::size_t at = hash_of(kRows[row].name) % kBuckets;
    while (index[at] != 0) at = (at + 1) % kBuckets;
    index[at] = static_cast<std::uint8_t>(row + 1);
  }
  return index;
}();
static_assert(std::size(kRows) < 255);
static_assert(std::ranges::is_sorted(kRows, {}, &CommandRow::name));
static_assert(std::ranges::all_of(kRows, [](const auto& r) { return r.name.size() <= kNameMax; }));

const CommandRow* find_lower(std::string_view name) {
  for (std::size_t at = hash_of(name) % kBuckets; kIndex[at] != 0; at = (at + 1) % kBuckets) {
    const CommandRow& row = kRows[kIndex[at] - 1U];
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

std::string_view to_string(Group group) {
  switch (group) {
    case Group::kConnection: return "connection";
    case Group::kGeneric: return "generic";
    case Group::kString: return "string";
    case Group::kServer: return "server";
    case Group::kCluster: return "cluster";
    case Group::kStator: return "stator";
  }
  return "";
}

std::span<const CommandRow> command_rows() {
  return kRows;
}

std::span<const CommandRow> subcommands_of(const CommandRow& container) {
  if (!container.is(kContainer)) return {};
  const CommandRow* first = &container + 1;
  const CommandRow* last = first;
  while (last != std::end(kRows) && last->is_subcommand()) ++last;
  return {first, last};
}

const CommandRow* find_command(std::string_view name) {
  if (name.size() > kNameMax) return nullptr;
  char lower[kNameMax];
  std::ranges::transform(name, lower, to_lower);
  return find_lower({lower, name.size()});
}

const CommandRow* find_command(Arguments words) {
  const CommandRow* row = find_command(words[0]);
  if (row == nullptr || !row->is(kContainer) || words.size() == 1) return row;
  char full[kNameMax];
  const std::size_t size = row->name.size() + 1 + words[1].size();
  if (size > kNameMax) return nullptr;
  char* end = std::ranges::copy(row->name, full).out;
  *end++ = '|';
  std::ranges::transform(words[1], end, to_lower);
  return find_lower({full, size});
}

}  // namespace stator::redis
