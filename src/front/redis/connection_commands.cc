#include <string_view>

#include "front/redis/errors.h"
#include "front/redis/handlers.h"
#include "front/redis/info.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::string_view kNoCredentials =
    "this node has no users and no passwords: it is meant to be reached from its own machine; "
    "connect without AUTH";

void refuse(Call& call, std::string_view prefix, std::string_view reason) {
  call.command.reply().error(prefix, reason);
  call.command.finish();
}

// Options of HELLO behind the version. False: answered.
bool parse_hello(Call& call, std::string_view& name) {
  for (std::size_t i = 2; i < call.words.size();) {
    if (equal_ignoring_case(call.words[i], "auth")) {
      refuse(call, "ERR", kNoCredentials);
      return false;
    }
    if (!equal_ignoring_case(call.words[i], "setname") || i + 1 == call.words.size()) {
      refuse(call, "ERR", "syntax error: HELLO [2|3 [SETNAME name]]");
      return false;
    }
    name = call.words[i + 1];
    if (!valid_name(name)) {
      refuse(call, "ERR", "a name has at most 64 bytes, without spaces and line ends");
      return false;
    }
    i += 2;
  }
  return true;
}

}  // namespace

void do_ping(Call& call) {
  if (call.words.size() > 2) {
    RespWriter out = call.command.reply();
    wrong_arity(out, "ping");
  } else if (call.words.size() == 2) {
    call.command.reply().bulk(call.words[1]);
  } else {
    call.command.reply().simple("PONG");
  }
  call.command.finish();
}

void do_echo(Call& call) {
  call.command.reply().bulk(call.words[1]);
  call.command.finish();
}

void do_ok(Call& call) {
  call.command.reply().ok();
  call.command.finish();
}

void do_quit(Call& call) {
  call.command.reply().ok();
  call.connection.close_when_answered();
  call.command.finish();
}

void do_reset(Call& call) {
  call.connection.reset();
  call.command.reply().simple("RESET");
  call.command.finish();
}

void do_select(Call& call) {
  const auto number = parse_integer(call.words[1]);
  if (number && *number == 0) {
    do_ok(call);
  } else {
    refuse(call, "ERR",
           "DB index is out of range: there is database 0 only; put what you would number into the "
           "key, or use buckets over HTTP");
  }
}

void do_hello(Call& call) {
  int protocol = call.connection.protocol();
  if (call.words.size() > 1) {
    const auto asked = parse_integer(call.words[1]);
    if (!asked || *asked < 2 || *asked > 3) {
      refuse(call, "NOPROTO", "unsupported protocol version: ask for 2 or 3");
      return;
    }
    protocol = static_cast<int>(*asked);
  }
  std::string_view name;
  if (!parse_hello(call, name)) return;
  if (!name.empty()) call.connection.names().client = name;
  call.connection.set_protocol(protocol);
  RespWriter out = call.command.reply();
  out.map(7);
  out.bulk("server");
  out.bulk("redis");  // what clients compare it with
  out.bulk("version");
  out.bulk(kRedisVersion);
  out.bulk("proto");
  out.integer(protocol);
  out.bulk("id");
  out.integer(static_cast<std::int64_t>(call.connection.id()));
  out.bulk("mode");
  out.bulk("cluster");
  out.bulk("role");
  out.bulk("master");
  out.bulk("modules");
  out.array(0);
  call.command.finish();
}

void do_auth(Call& call) {
  refuse(call, "ERR", kNoCredentials);
}

}  // namespace stator::redis
