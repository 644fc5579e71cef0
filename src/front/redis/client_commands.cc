#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "front/redis/errors.h"
#include "front/redis/handlers.h"
#include "front/redis/info.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::size_t kIdsMax = 256;

void refuse(Call& call, std::string_view reason) {
  call.command.reply().error("ERR", reason);
  call.command.finish();
}

void field(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty() && out.back() != '\n') out += ' ';
  out += name;
  out += '=';
  out += value;
}

void field(std::string& out, std::string_view name, std::uint64_t value) {
  field(out, name, std::string_view());
  append_number(out, value);
}

std::uint64_t seconds_since(const RedisFront& front, MonoTime then) {
  const Duration age = front.executor().now() - then;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(age.ns, 0) / 1'000'000'000);
}

void append_client(const RedisFront& front, const Connection& client, std::string& out) {
  const Connection::Names* names = client.known_names();
  const std::string_view none;
  field(out, "id", client.id());
  field(out, "addr", env::to_string(client.remote()));
  field(out, "name", names != nullptr ? names->client : none);
  field(out, "age", seconds_since(front, client.connected_at()));
  field(out, "idle", seconds_since(front, client.last_seen()));
  field(out, "flags", "N");
  field(out, "db", std::uint64_t{0});
  field(out, "sub", std::uint64_t{0});
  field(out, "psub", std::uint64_t{0});
  field(out, "multi", "-1");
  field(out, "qbuf", std::uint64_t{client.input_kept()});
  field(out, "oll", std::uint64_t{client.open_commands()});
  field(out, "omem", std::uint64_t{client.unsent()});
  field(out, "cmd", client.last_command());
  field(out, "user", "default");
  field(out, "resp", static_cast<std::uint64_t>(client.protocol()));
  field(out, "lib-name", names != nullptr ? names->library : none);
  field(out, "lib-ver", names != nullptr ? names->library_version : none);
  out += '\n';
}

// Which connections CLIENT LIST and CLIENT KILL mean.
struct Filter {
  std::vector<std::uint64_t> ids;  // empty: any
  std::string_view address;        // empty: any
  bool none = false;               // a type or user that no connection has
  const Connection* skipped = nullptr;

  [[nodiscard]] bool wants(const Connection& client) const {
    if (none || &client == skipped) return false;
    if (!ids.empty() && std::ranges::find(ids, client.id()) == ids.end()) return false;
    return address.empty() || env::to_string(client.remote()) == address;
  }
};

// One `NAME value` of CLIENT KILL, or of LIST. False: not understood.
bool parse_filter(std::string_view name, std::string_view value, Filter& filter) {
  if (equal_ignoring_case(name, "id")) {
    const auto id = parse_unsigned(value);
    if (!id) return false;
    filter.ids.push_back(*id);
  } else if (equal_ignoring_case(name, "addr")) {
    filter.address = value;
  } else if (equal_ignoring_case(name, "type")) {
    filter.none = filter.none || !equal_ignoring_case(value, "normal");
  } else if (equal_ignoring_case(name, "user")) {
    filter.none = filter.none || value != "default";
  } else if (equal_ignoring_case(name, "skipme")) {
    if (equal_ignoring_case(value, "no")) filter.skipped = nullptr;
    return equal_ignoring_case(value, "no") || equal_ignoring_case(value, "yes");
  } else {
    return false;
  }
  return true;
}

// Closes after the answer where the client kills itself. Returns how many.
std::int64_t kill(Call& call, const Filter& filter) {
  std::int64_t killed = 0;
  Connection* following = nullptr;
  for (Connection* client = call.front.first_connection(); client != nullptr; client = following) {
    following = client->next;
    if (!filter.wants(*client)) continue;
    ++killed;
    if (client == &call.connection) {
      client->close_when_answered();
    } else {
      client->close_now();
    }
  }
  return killed;
}

}  // namespace

void do_client_id(Call& call) {
  call.command.reply().integer(static_cast<std::int64_t>(call.connection.id()));
  call.command.finish();
}

void do_client_getname(Call& call) {
  const Connection::Names* names = call.connection.known_names();
  RespWriter out = call.command.reply();
  if (names == nullptr || names->client.empty()) {
    out.null();
  } else {
    out.bulk(names->client);
  }
  call.command.finish();
}

void do_client_setname(Call& call) {
  if (!valid_name(call.words[2])) {
    refuse(call, "a name has at most 64 bytes, without spaces and line ends");
    return;
  }
  call.connection.names().client = call.words[2];
  do_ok(call);
}

void do_client_setinfo(Call& call) {
  const bool library = equal_ignoring_case(call.words[2], "lib-name");
  if (!library && !equal_ignoring_case(call.words[2], "lib-ver")) {
    refuse(call, "CLIENT SETINFO knows LIB-NAME and LIB-VER");
  } else if (!valid_name(call.words[3])) {
    refuse(call, "a name has at most 64 bytes, without spaces and line ends");
  } else {
    Connection::Names& names = call.connection.names();
    (library ? names.library : names.library_version) = call.words[3];
    do_ok(call);
  }
}

void do_client_list(Call& call) {
  Filter filter;
  if (call.words.size() > kIdsMax) {
    refuse(call, "more than 256 words; CLIENT LIST without ID shows all");
    return;
  }
  for (std::size_t i = 2; i < call.words.size();) {
    const bool id = equal_ignoring_case(call.words[i], "id");
    if ((!id && !equal_ignoring_case(call.words[i], "type")) || i + 1 == call.words.size()) {
      refuse(call, "syntax error: CLIENT LIST [TYPE normal] [ID id ...]");
      return;
    }
    // ID takes all that follows.
    const std::size_t end = id ? call.words.size() : i + 2;
    for (std::size_t k = i + 1; k < end; ++k) {
      if (parse_filter(call.words[i], call.words[k], filter)) continue;
      refuse(call, "an ID is a number; see CLIENT LIST without it");
      return;
    }
    i = end;
  }
  std::string text;
  for (Connection* client = call.front.first_connection(); client != nullptr;
       client = client->next) {
    if (filter.wants(*client)) append_client(call.front, *client, text);
  }
  call.command.reply().verbatim(text);
  call.command.finish();
}

void do_client_info(Call& call) {
  std::string text;
  append_client(call.front, call.connection, text);
  call.command.reply().verbatim(text);
  call.command.finish();
}

void do_client_kill(Call& call) {
  Filter filter;
  if (call.words.size() == 3) {  // the old form: CLIENT KILL address
    filter.address = call.words[2];
    if (kill(call, filter) > 0) {
      call.command.reply().ok();
      call.command.finish();
    } else {
      refuse(call, "No such client; CLIENT LIST shows those of this shard");
    }
    return;
  }
  filter.skipped = &call.connection;
  bool understood = call.words.size() % 2 == 0 && call.words.size() <= kIdsMax;
  for (std::size_t i = 2; understood && i < call.words.size(); i += 2) {
    understood = parse_filter(call.words[i], call.words[i + 1], filter);
  }
  if (!understood) {
    refuse(call, "syntax error: CLIENT KILL [ID id] [ADDR a:p] [TYPE normal] [SKIPME yes|no]");
    return;
  }
  const std::int64_t killed = kill(call, filter);
  call.command.reply().integer(killed);
  call.command.finish();
}

void do_client_reply(Call& call) {
  if (equal_ignoring_case(call.words[2], "on")) {
    do_ok(call);
  } else {
    refuse(
        call,
        "CLIENT REPLY OFF and SKIP are not offered: a write whose answer nobody reads may be lost "
        "without anybody knowing; pipeline, and read the answers");
  }
}

void do_client_switch(Call& call) {
  if (equal_ignoring_case(call.words[2], "on") || equal_ignoring_case(call.words[2], "off")) {
    do_ok(call);
  } else {
    refuse(call, "syntax error: ON or OFF");
  }
}

}  // namespace stator::redis
