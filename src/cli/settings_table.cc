#include <array>
#include <vector>

#include "cli/log.h"
#include "cli/settings.h"
#include "storage/open_engine.h"
#include "storage/record.h"

namespace stator::cli {

namespace {

std::vector<std::string> engines() {
  std::vector<std::string> names;
  for (const storage::Capabilities& known : storage::known_engines()) {
    names.emplace_back(known.name);
  }
  return names;
}
std::vector<std::string> durabilities() {
  return {"all", "one", "none"};
}
std::vector<std::string> schedulings() {
  return {"batch", "normal"};
}

constexpr std::uint64_t kNoLimit = 1'000'000'000;

const std::array kTable = {
    // Who it is.
    Setting{"name", "NAME", "name of this node, unique in its cluster", "",
            "The host's name when empty: most hosts run one node.",
            Text{[](Settings& s) -> std::string& { return s.node.name; }}},
    Setting{"zone", "ZONE", "what can fail as one with this node: a rack, a room, a data centre",
            "", "Empty is a zone like any other: a cluster in one place needs none.",
            Text{[](Settings& s) -> std::string& { return s.node.zone; }}},
    Setting{"weight", "X", "share of the data in proportion to the other nodes", "",
            "Equal nodes are the common case.",
            Number{[](Settings& s) -> double& { return s.node.weight; }, 0.001, 1000}},
    // Where it keeps data.
    Setting{"data_dir", "DIR", "directory of this node's data; belongs to one node for ever", "",
            "Beside the place where the node was started, where it is easily found.",
            Text{[](Settings& s) -> std::string& { return s.node.data_directory; }}},
    Setting{"engine", "NAME",
            "storage engine; a data directory keeps the one that it was made with", "",
            "rocksdb keeps what it acknowledged through a loss of power.",
            Choice{[](Settings& s) -> std::string& { return s.node.engine.name; }, engines}},
    Setting{"engine_memory", "SIZE",
            "memory for the engine's caches and buffers, all shards together", "bytes",
            "Small enough that an idle node stays under 64 MiB; the system's own cache helps.",
            Bytes{[](Settings& s) -> std::uint64_t& { return s.node.engine.memory_bytes_max; },
                  8ULL << 20, 1ULL << 40}},
    Setting{
        "disk_low", "SIZE", "with less space than this left on its disk the node warns", "bytes",
        "A day of warning for a node that gains a gigabyte in one. 0: never.",
        Bytes{[](Settings& s) -> std::uint64_t& { return s.node.disk.marks.low; }, 0, 1ULL << 50}},
    Setting{"disk_refuse", "SIZE",
            "with less space than this the node takes no writes, and others pass it over", "bytes",
            "Room for what the engine has begun: memory tables, their log, one compaction. Repairs "
            "are still taken. 0: never.",
            Bytes{[](Settings& s) -> std::uint64_t& { return s.node.disk.marks.refuse; }, 0,
                  1ULL << 50}},
    Setting{"disk_read_only", "SIZE",
            "with less space than this nothing is stored, repairs neither", "bytes",
            "What repairs may use before the engine itself runs short. 0: never.",
            Bytes{[](Settings& s) -> std::uint64_t& { return s.node.disk.marks.read_only; }, 0,
                  1ULL << 50}},
    Setting{"disk_reserve", "SIZE",
            "held back in a file that goes when others have filled the disk", "bytes",
            "Lets the engine finish its work, and the node start, on a full disk.",
            Bytes{[](Settings& s) -> std::uint64_t& { return s.node.disk.reserve_bytes; }, 0,
                  1ULL << 40}},
    Setting{
        "durability", "WHICH",
        "all: a copy counts when it is on the replica's disk; none: when the engine has it; one: "
        "as none, and one of the copies is synced behind the answer",
        "",
        "An acknowledged write survives a loss of power on all nodes at once (P1). The setting of "
        "the node that coordinates a write counts.",
        Choice{[](Settings& s) -> std::string& { return s.durability; }, durabilities}},
    Setting{"shards", "K", "event loops, each with its own part of the partitions; 0: one per core",
            "", "Loops share nothing, so one per core is what a machine can use.",
            Count{[](Settings& s) -> std::uint64_t& { return s.shards; }, 0, 256}},
    Setting{"scheduling", "WHICH",
            "batch: where all cores are busy, wait for whoever runs; normal: as it was started", "",
            "More requests per turn, and so more per second, where clients and nodes share the "
            "cores; where cores are free it changes nothing. normal where other programs never "
            "let a core sleep: each step of a request would wait for a tick of the kernel.",
            Choice{[](Settings& s) -> std::string& { return s.scheduling; }, schedulings}},
    // Where it is reached.
    Setting{"redis_listen", "A:P", "address for Redis clients", "",
            "Loopback: without credentials nobody else may reach it.",
            AddressField{[](Settings& s) -> env::Address& { return s.redis_listen; }}},
    Setting{"http_listen", "A:P", "address for HTTP: the API, metrics, health", "",
            "Loopback, as above.",
            AddressField{[](Settings& s) -> env::Address& { return s.http_listen; }}},
    Setting{"peer_listen", "A:P", "address for the other nodes", "", "Loopback, as above.",
            AddressField{[](Settings& s) -> env::Address& { return s.node.peer_listen; }}},
    Setting{
        "redis_announce", "A:P", "address that Redis clients are told", "",
        "The listening address when empty; differs behind a translation of addresses.",
        AddressField{[](Settings& s) -> env::Address& { return s.node.redis_announced; }, true}},
    Setting{"http_announce", "A:P", "address that HTTP clients are told", "", "As above.",
            AddressField{[](Settings& s) -> env::Address& { return s.node.http_announced; }, true}},
    Setting{"peer_announce", "A:P", "address that the other nodes are told", "", "As above.",
            AddressField{[](Settings& s) -> env::Address& { return s.node.peer_announced; }, true}},
    Setting{"insecure", "", "may listen beyond loopback, although there are no credentials yet", "",
            "Whoever reaches an address can read and write everything.",
            Switch{[](Settings& s) -> bool& { return s.insecure; }}},
    // How long things may take.
    Setting{"request_timeout", "TIME", "time for a request that names none", "time",
            "Long enough for a replica that restarts its connection, short enough to be retried.",
            Span{[](Settings& s) -> Duration& { return s.node.request_timeout; }, milliseconds(10),
                 seconds(60)}},
    Setting{"request_timeout_max", "TIME", "the most that a request may ask for", "time",
            "Bounds what requests that wait can hold.",
            Span{[](Settings& s) -> Duration& { return s.node.request_timeout_max; },
                 milliseconds(10), seconds(3600)}},
    Setting{"hedge_after", "TIME", "the longest that a read waits before it asks a further replica",
            "time",
            "Well below what a person notices. As a rule it asks after the time in which 95 of 100 "
            "answers of that node came lately.",
            Span{[](Settings& s) -> Duration& { return s.node.hedge_after; }, milliseconds(1),
                 seconds(60)}},
    Setting{"ping_interval", "TIME", "how often silent peers are asked for a sign of life", "time",
            "Twice within the second in which a dead node must be noticed.",
            Span{[](Settings& s) -> Duration& { return s.node.ping_interval; }, milliseconds(10),
                 seconds(60)}},
    Setting{"silence_max", "TIME", "a peer that was asked and is silent for longer is avoided",
            "time", "A slow node is treated as down for new work within a second (D32).",
            Span{[](Settings& s) -> Duration& { return s.node.silence_max; }, milliseconds(20),
                 seconds(600)}},
    Setting{"stop_timeout", "TIME", "time for requests that are open when the node is told to stop",
            "time", "Two and a half times the default time of a request.",
            Span{[](Settings& s) -> Duration& { return s.stop_timeout; }, milliseconds(0),
                 seconds(600)}},
    Setting{"read_repair_share", "X",
            "share of reads after which the owners not asked are compared", "0 to 1",
            "Finds stale copies of keys that are read, for one digest in a hundred reads.",
            Number{[](Settings& s) -> double& { return s.read_repair_share; }, 0, 1}},
    // How much it takes.
    Setting{
        "operations_max", "K", "requests in work at once, per shard; more are refused as overload",
        "",
        "Ten per client of the default number of clients.",
        Count{[](Settings& s) -> std::uint64_t& { return s.node.operations_max; }, 16, 10'000'000}},
    Setting{"clients_max", "K", "client connections, per door", "",
            "What one process with 16 KiB per idle connection carries without a thought.",
            Count{[](Settings& s) -> std::uint64_t& { return s.node.limits.clients_max; }, 1,
                  1'000'000}},
    Setting{"key_bytes_max", "SIZE", "longest key", "bytes",
            "Keys stand in every message and every index.",
            Bytes{[](Settings& s) -> std::uint64_t& { return s.node.limits.key_bytes_max; }, 16,
                  node::kKeyBytesHardMax}},
    Setting{"bucket_bytes_max", "SIZE", "longest name of a bucket", "bytes", "As above.",
            Bytes{[](Settings& s) -> std::uint64_t& { return s.node.limits.bucket_bytes_max; }, 16,
                  storage::kBucketSizeMax}},
    Setting{"value_bytes_max", "SIZE", "largest value", "bytes",
            "A value moves whole, through every replica's memory.",
            Bytes{[](Settings& s) -> std::uint64_t& { return s.node.limits.value_bytes_max; }, 1024,
                  node::kValueBytesHardMax}},
    Setting{"siblings_max", "K", "a client's write that would leave more siblings is refused", "",
            "More means that nobody merges; repair is never refused (D17). With deleted ones "
            "there may be twice as many, and all siblings of a key together may have 16 MiB.",
            Count{[](Settings& s) -> std::uint64_t& { return s.node.limits.siblings_max; }, 1,
                  kNoLimit}},
    Setting{
        "hint_bytes_max", "SIZE",
        "hints that no write counts on are left out while this node keeps more bytes of hints",
        "bytes",
        "Room for an hour of a node's absence at 1 MiB/s; what W counts on is always kept (D14).",
        Bytes{[](Settings& s) -> std::uint64_t& { return s.node.hint_bytes_max; }, 0, 1ULL << 50}},
    Setting{
        "background_rate", "SIZE",
        "what repairs and hints that others deliver may cost per second at most", "bytes",
        "Half is for hints, half for repairs. While clients wait longer than they are used to it "
        "is as little as a 64th, but for hints that would else take more than two minutes.",
        Bytes{[](Settings& s) -> std::uint64_t& { return s.node.background_bytes_per_second; },
              1ULL << 16, 1ULL << 40}},
    Setting{"log_level", "LEVEL", "the least that is worth a line on standard error", "",
            "Starts, stops and alarms; never a line per request.",
            Choice{[](Settings& s) -> std::string& { return s.log_level; }, log_levels}},
};
static_assert(kTable.size() <= 40, "at most 40 settings (design 2.2)");

}  // namespace

node::NodeOptions Settings::default_node_options() {
  node::NodeOptions options;
  options.data_directory = "stator-data";
  options.engine.name = "rocksdb";
  options.peer_listen = {"127.0.0.1", 7381};
  options.disk = {.marks = {.low = 1ULL << 30, .refuse = 192ULL << 20, .read_only = 96ULL << 20},
                  .reserve_bytes = 32ULL << 20};
  return options;
}

std::span<const Setting> settings_table() {
  return kTable;
}

}  // namespace stator::cli
