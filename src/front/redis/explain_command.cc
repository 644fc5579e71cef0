#include <string>
#include <string_view>

#include "core/ring/position.h"
#include "core/version/object_codec.h"
#include "front/redis/errors.h"
#include "front/redis/handlers.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

void write_version(RespWriter& out, const Version& version) {
  std::string dot;
  append_dot(dot, version.dot);
  std::string id;
  append_write_id(id, version.write_id);
  out.map(6);
  out.bulk("dot");
  out.bulk(dot);
  out.bulk("time_ms");
  out.integer(version.time.wall().ms());
  out.bulk("write_id");
  out.bulk(id);
  out.bulk("tombstone");
  out.integer(version.tombstone ? 1 : 0);
  out.bulk("expires_ms");
  out.integer(version.expires_at.ms());
  out.bulk("bytes");
  out.integer(static_cast<std::int64_t>(version.value.size()));
}

void write_object(RespWriter& out, std::string_view bytes) {
  Object object;
  if (!bytes.empty() && !decode_object(bytes, object)) object.clear();
  out.bulk("clock");
  out.array(object.clock.entries().size());
  for (const Dot& entry : object.clock.entries()) {
    std::string dot;
    append_dot(dot, entry);
    out.bulk(dot);
  }
  out.bulk("versions");
  out.array(object.versions.size());
  for (const Version& version : object.versions) write_version(out, version);
}

void write_replica(RespWriter& out, const node::ReplicaView& replica) {
  std::string id;
  append_node_name(id, replica.node);
  std::string digest;
  append_hex(digest, replica.digest);
  out.map(9);
  out.bulk("node");
  out.bulk(replica.name);
  out.bulk("id");
  out.bulk(id);
  out.bulk("role");
  out.bulk(replica.owner ? "owner" : "stand-in");
  out.bulk("healthy");
  out.integer(replica.healthy ? 1 : 0);
  out.bulk("answered");
  out.integer(replica.answered ? 1 : 0);
  out.bulk("error");
  out.bulk(replica.error);
  out.bulk("digest");
  out.bulk(digest);
  write_object(out, replica.object_bytes);
}

}  // namespace

void do_st_explain(Call& call) {
  call.front.store().explain(kDefaultBucket, call.words[1],
                             [&command = call.command](const Result<node::Explanation>& result) {
                               RespWriter out = command.reply();
                               if (result) {
                                 out.map(5);
                                 out.bulk("slot");
                                 out.integer(result->slot);
                                 out.bulk("partition");
                                 out.integer(result->partition);
                                 out.bulk("verdict");
                                 out.bulk(result->verdict);
                                 out.bulk("replicas");
                                 out.array(result->replicas.size());
                                 for (const node::ReplicaView& replica : result->replicas)
                                   write_replica(out, replica);
                                 out.bulk("merged");
                                 out.map(2);
                                 write_object(out, result->merged_bytes);
                               } else {
                                 write_error(out, result.error());
                               }
                               command.finish();
                             });
}

}  // namespace stator::redis
