#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "core/ring/position.h"
#include "core/version/context.h"
#include "front/redis/errors.h"
#include "front/redis/handlers.h"
#include "front/redis/redis_front.h"
#include "front/redis/store_calls.h"
#include "front/redis/text.h"

// The Dynamo interface of paper 4.1 for clients of Redis: get answers all siblings and a context,
// put takes the context of what the writer saw.

namespace stator::redis {
namespace {

constexpr std::uint8_t kReplicasMax = 7;

bool refuse(Call& call, std::string_view reason) {
  call.command.reply().error("ERR", reason);
  call.command.finish();
  return false;
}

bool parse_replicas(Call& call, std::string_view text, std::uint8_t& out) {
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > kReplicasMax) {
    return refuse(call, "a number of replicas is from 1 to N, and N is at most 7");
  }
  out = static_cast<std::uint8_t>(*number);
  return true;
}

// --- EVIDENCE ----------------------------------------------------------------------------------

// Of Command::mode: the answer says who stands behind it. Only where it is asked for, so that the
// answers that clients know keep their shape.
constexpr std::uint8_t kWithEvidence = 1;

bool takes_evidence(Call& call, std::string_view option) {
  if (!equal_ignoring_case(option, "evidence")) return false;
  call.command.mode = kWithEvidence;
  return true;
}

// A map, or in RESP2 a list of its values without their names.
void begin_fields(RespWriter& out, std::size_t count) {
  if (out.resp3()) {
    out.map(count);
  } else {
    out.array(count);
  }
}

void write_evidence(RespWriter& out, const node::Evidence& evidence) {
  const std::array<std::pair<std::string_view, std::uint8_t>, 4> fields = {{
      {"primaries", evidence.primaries},
      {"fallbacks", evidence.fallbacks},
      {"nodes", evidence.nodes},
      {"zones", evidence.zones},
  }};
  if (out.resp3()) out.bulk("evidence");
  begin_fields(out, fields.size());
  for (const auto& [name, value] : fields) {
    if (out.resp3()) out.bulk(name);
    out.integer(value);
  }
}

// --- ST.GET ------------------------------------------------------------------------------------

void write_sibling(RespWriter& out, const Version& version) {
  std::string text;
  const auto field = [&](std::string_view name, std::string_view bytes) {
    if (out.resp3()) out.bulk(name);
    out.bulk(bytes);
  };
  begin_fields(out, 6);
  field("value", version.value);
  append_dot(text, version.dot);
  field("dot", text);
  if (out.resp3()) out.bulk("time_ms");
  out.integer(version.time.wall().ms());
  text.clear();
  append_write_id(text, version.write_id);
  field("write_id", text);
  field("content_type", version.content_type);
  if (out.resp3()) out.bulk("expires_ms");
  out.integer(version.expires_at.ms());
}

void answer_siblings(Command& command, const node::ReadResult& result, const Version*) {
  const Object nothing{};
  const Object& object = result.object != nullptr ? *result.object : nothing;
  Context context;
  make_context(object, result.fastest, context);
  encode_context_text(context, kDefaultBucket, command.words[1],
                      command.front().store().context_secret(), command.scratch);
  RespWriter out = command.reply();
  const bool with_evidence = command.mode == kWithEvidence;
  begin_fields(out, with_evidence ? 3 : 2);
  if (out.resp3()) out.bulk("context");
  out.bulk(command.scratch);
  if (out.resp3()) out.bulk("siblings");
  out.array(object.living(result.now));
  for (const Version& version : object.versions) {
    if (!version.dead(result.now)) write_sibling(out, version);
  }
  if (with_evidence) write_evidence(out, result.evidence);
  command.finish();
}

// --- ST.PUT, ST.DEL ----------------------------------------------------------------------------

// Options from `words[first]` on. False: answered.
bool parse_write_options(Call& call, std::size_t first, node::WriteRequest& request,
                         Context& context) {
  for (std::size_t i = first; i < call.words.size(); ++i) {
    const std::string_view option = call.words[i];
    if (takes_evidence(call, option)) continue;
    if (++i == call.words.size()) return refuse(call, "syntax error: an option lacks its value");
    const std::string_view value = call.words[i];
    if (equal_ignoring_case(option, "ctx")) {
      const auto decoded = decode_context_text(value, request.bucket, request.key,
                                               call.front.store().context_secret(), context);
      if (!decoded) {
        RespWriter out = call.command.reply();
        write_error(out, decoded.error());
        call.command.finish();
        return false;
      }
      request.context = &context;
    } else if (equal_ignoring_case(option, "w")) {
      if (!parse_replicas(call, value, request.quorum.w)) return false;
    } else if (equal_ignoring_case(option, "pw")) {
      if (!parse_replicas(call, value, request.quorum.pw)) return false;
    } else if (equal_ignoring_case(option, "dw")) {
      if (!parse_replicas(call, value, request.quorum.dw)) return false;
    } else if (equal_ignoring_case(option, "wid")) {
      const auto id = parse_write_id(value);
      if (!id || !*id) return refuse(call, "a write id is 32 hex digits or a UUID, best a UUIDv7");
      request.id = *id;
    } else {
      return refuse(call,
                    "syntax error: the options are [CTX context] [W n] [PW n] [DW n] [WID id] "
                    "[EVIDENCE]");
    }
  }
  return true;
}

void answer_context(Command& command, const node::WriteResult& result) {
  command.scratch.clear();
  if (result.context != nullptr) {
    encode_context_text(*result.context, result.bucket, result.key,
                        command.front().store().context_secret(), command.scratch);
  }
  RespWriter out = command.reply();
  if (command.mode == kWithEvidence) {
    begin_fields(out, 2);
    if (out.resp3()) out.bulk("context");
    out.bulk(command.scratch);
    write_evidence(out, result.evidence);
  } else {
    out.bulk(command.scratch);
  }
  command.finish();
}

}  // namespace

void do_st_get(Call& call) {
  node::ReadQuorum quorum;
  for (std::size_t i = 2; i < call.words.size(); ++i) {
    if (takes_evidence(call, call.words[i])) continue;
    const bool pr = equal_ignoring_case(call.words[i], "pr");
    if ((!pr && !equal_ignoring_case(call.words[i], "r")) || i + 1 == call.words.size()) {
      refuse(call, "syntax error: ST.GET key [R n] [PR n] [EVIDENCE]");
      return;
    }
    if (!parse_replicas(call, call.words[++i], pr ? quorum.pr : quorum.r)) return;
  }
  call.command.words.keep(call.words.first(2));
  read_then(call.command, call.words[1], answer_siblings, quorum);
}

void do_st_put(Call& call) {
  Context context;
  node::WriteRequest request = plain_write(call.command, call.words[1]);
  request.kind = node::WriteKind::kWithContext;
  request.value = call.words[2];
  if (!parse_write_options(call, 3, request, context)) return;
  write_then(call.command, request, answer_context);
}

void do_st_del(Call& call) {
  Context context;
  node::WriteRequest request = plain_write(call.command, call.words[1]);
  request.tombstone = true;
  if (!parse_write_options(call, 2, request, context)) return;
  if (request.context != nullptr) {
    request.kind = node::WriteKind::kWithContext;
  } else if (request.id) {
    // Minted twice, it could take with it what came between (put_over_all in core/version).
    refuse(call, "ST.DEL takes WID with CTX only; without a context it deletes what there is");
    return;
  }
  write_then(call.command, request, answer_context);
}

}  // namespace stator::redis
