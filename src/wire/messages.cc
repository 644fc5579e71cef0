#include "wire/messages.h"

#include "wire/fields.h"

namespace stator::wire {
namespace {

using internal::FieldReader;
using internal::FieldWriter;

// One description per message: (visitor, message, the message with all defaults). A tag, once
// released, is never reused. docs/format/frames.md has the same tables.

// Shared by Ping and Pong: tags 16 and up.
template <typename Visitor, typename Info>
void describe_info(Visitor& v, Info& m, const NodeInfo& d) {
  v.field(16, m.name, d.name);
  v.field(17, m.zone, d.zone);
  v.field(18, m.redis_address, d.redis_address);
  v.field(19, m.http_address, d.http_address);
  v.field(20, m.peer_address, d.peer_address);
  v.field(21, m.engine, d.engine);
  v.field(22, m.version, d.version);
  v.field(23, m.incarnation, d.incarnation);
  v.field(24, m.started_at, d.started_at);
  v.field(25, m.weight_milli, d.weight_milli);
  v.field(26, m.requests_per_second, d.requests_per_second);
  v.field(27, m.requests_in_flight, d.requests_in_flight);
  v.field(28, m.storage_p99_us, d.storage_p99_us);
  v.field(29, m.bytes_stored, d.bytes_stored);
  v.field(30, m.keys_stored, d.keys_stored);
  v.field(31, m.overloaded, d.overloaded);
  v.field(32, m.stopping, d.stopping);
  v.field(33, m.no_write, d.no_write);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const Refusal& d) {
  v.field(1, m.code, d.code);
  v.field(2, m.needed, d.needed);
  v.field(3, m.got, d.got);
  v.field(4, m.detail, d.detail);
  v.field(5, m.history, d.history);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const Ping& d) {
  v.field(1, m.wall, d.wall);
  v.field(2, m.sent, d.sent);
  v.field(3, m.about, d.about);
  v.field(4, m.link, d.link);
  describe_info(v, m.info, d.info);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const Pong& d) {
  v.field(1, m.echoed, d.echoed);
  v.field(2, m.wall, d.wall);
  v.field(3, m.about, d.about);
  v.field(4, m.heard_ms, d.heard_ms);
  v.field(5, m.fenced, d.fenced);
  describe_info(v, m.info, d.info);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const ReplicaPut& d) {
  v.field(1, m.bucket, d.bucket);
  v.field(2, m.key, d.key);
  v.field(3, m.object, d.object);
  v.field(4, m.durability, d.durability);
  v.field(5, m.repair, d.repair);
  v.field(6, m.intended, d.intended);
  v.field(7, m.restores, d.restores);
  v.field(8, m.early, d.early);
  v.field(9, m.pace, d.pace);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const ReplicaPutReply& d) {
  v.field(1, m.status, d.status);
  v.field(2, m.code, d.code);
  v.field(3, m.durable, d.durable);
  v.field(4, m.digest, d.digest);
  v.field(5, m.object, d.object);
  v.field(6, m.pause_us, d.pause_us);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const ReplicaGet& d) {
  v.field(1, m.bucket, d.bucket);
  v.field(2, m.key, d.key);
  v.field(3, m.value, d.value);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const ReplicaGetReply& d) {
  v.field(1, m.status, d.status);
  v.field(2, m.code, d.code);
  v.field(3, m.digest, d.digest);
  v.field(4, m.object, d.object);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const ForwardWrite& d) {
  v.field(1, m.bucket, d.bucket);
  v.field(2, m.key, d.key);
  v.field(3, m.kind, d.kind);
  v.field(4, m.write_id, d.write_id);
  v.field(5, m.value, d.value);
  v.field(6, m.content_type, d.content_type);
  v.field(7, m.tombstone, d.tombstone);
  v.field(8, m.expires_at, d.expires_at);
  v.field(9, m.context, d.context);
  v.field(10, m.w, d.w);
  v.field(11, m.pw, d.pw);
  v.field(12, m.dw, d.dw);
  v.field(13, m.floor, d.floor);
  v.field(14, m.flags, d.flags);
  v.field(15, m.receiver_incarnation, d.receiver_incarnation);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const ForwardWriteReply& d) {
  v.field(1, m.outcome, d.outcome);
  v.field(2, m.code, d.code);
  v.field(3, m.needed, d.needed);
  v.field(4, m.got, d.got);
  v.field(5, m.evidence.primaries, d.evidence.primaries);
  v.field(6, m.evidence.fallbacks, d.evidence.fallbacks);
  v.field(7, m.evidence.nodes, d.evidence.nodes);
  v.field(8, m.evidence.zones, d.evidence.zones);
  v.field(9, m.context, d.context);
  v.field(10, m.time, d.time);
  v.field(11, m.write_id, d.write_id);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const HistoryFetch& d) {
  v.field(1, m.have, d.have);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const HistoryReply& d) {
  v.field(1, m.version, d.version);
  v.list(2, m.entries);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const Scan& d) {
  v.field(1, m.partition, d.partition);
  v.field(2, m.from, d.from);
  v.field(3, m.keys_max, d.keys_max);
}

template <typename Visitor, typename Message>
void describe(Visitor& v, Message& m, const ScanReply& d) {
  v.list(1, m.keys);
  v.field(2, m.done, d.done);
}

}  // namespace

template <typename Message>
void encode_body(const Message& message, std::string& out) {
  FieldWriter writer(out);
  describe(writer, message, Message{});
}

template <typename Message>
Result<void> decode_body(std::string_view body, Message& out) {
  out = Message{};
  FieldReader reader(body);
  describe(reader, out, Message{});
  return reader.finish();
}

#define STATOR_WIRE_MESSAGE(Message)                       \
  template void encode_body(const Message&, std::string&); \
  template Result<void> decode_body(std::string_view, Message&)
STATOR_WIRE_MESSAGE(Refusal);
STATOR_WIRE_MESSAGE(Ping);
STATOR_WIRE_MESSAGE(Pong);
STATOR_WIRE_MESSAGE(ReplicaPut);
STATOR_WIRE_MESSAGE(ReplicaPutReply);
STATOR_WIRE_MESSAGE(ReplicaGet);
STATOR_WIRE_MESSAGE(ReplicaGetReply);
STATOR_WIRE_MESSAGE(ForwardWrite);
STATOR_WIRE_MESSAGE(ForwardWriteReply);
STATOR_WIRE_MESSAGE(HistoryFetch);
STATOR_WIRE_MESSAGE(HistoryReply);
STATOR_WIRE_MESSAGE(Scan);
STATOR_WIRE_MESSAGE(ScanReply);
#undef STATOR_WIRE_MESSAGE

}  // namespace stator::wire
