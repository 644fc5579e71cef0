#include <string>
#include <string_view>

#include "front/redis/errors.h"
#include "front/redis/glob.h"
#include "front/redis/handlers.h"
#include "front/redis/info.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::size_t kSectionsMax = 33;  // and the name of the command

struct Setting {
  std::string_view name;
  std::string_view value;
};

// What clients and tools ask for. Those that hang on this node's limits are added below.
constexpr Setting kSettings[] = {
    {"appendonly", "no"},
    {"cluster-enabled", "yes"},
    {"databases", "1"},
    {"maxmemory", "0"},
    {"maxmemory-policy", "noeviction"},
    {"save", ""},
    {"tcp-keepalive", "0"},
    {"timeout", "0"},
};

// In the words of Redis: everysec is soon after the answer, no is when the system likes.
std::string_view appendfsync(WritesSynced synced) {
  switch (synced) {
    case WritesSynced::kBefore: return "always";
    case WritesSynced::kSoon: return "everysec";
    case WritesSynced::kSometime: break;
  }
  return "no";
}

template <typename Visit>
void for_each_setting(const RedisFront& front, Visit visit) {
  visit("appendfsync", appendfsync(front.options().writes_synced));
  for (const Setting& setting : kSettings) visit(setting.name, setting.value);
  const node::Limits& limits = front.options().limits;
  visit("maxclients", std::string_view(std::to_string(limits.clients_max)));
  visit("proto-max-bulk-len", std::string_view(std::to_string(limits.value_bytes_max)));
}

bool asked_for(Arguments patterns, std::string_view name) {
  for (const std::string_view pattern : patterns) {
    if (pattern.size() <= kGlobBytesMax && glob_match(lower_case(pattern), name)) return true;
  }
  return false;
}

}  // namespace

void do_info(Call& call) {
  if (call.words.size() > kSectionsMax) {
    call.command.reply().error("ERR", "more than 32 sections; INFO everything shows all");
    call.command.finish();
    return;
  }
  std::string text;
  if (call.words.size() == 1) append_info(call.front, "default", text);
  for (const std::string_view name : call.words.subspan(1)) append_info(call.front, name, text);
  call.command.reply().verbatim(text);
  call.command.finish();
}

void do_config_get(Call& call) {
  const Arguments patterns = call.words.subspan(2);
  std::size_t count = 0;
  const auto visit_asked = [&](auto visit) {
    for_each_setting(call.front, [&](std::string_view name, std::string_view value) {
      if (asked_for(patterns, name)) visit(name, value);
    });
  };
  visit_asked([&](std::string_view, std::string_view) { ++count; });
  RespWriter out = call.command.reply();
  out.map(count);
  visit_asked([&](std::string_view name, std::string_view value) {
    out.bulk(name);
    out.bulk(value);
  });
  call.command.finish();
}

void do_time(Call& call) {
  const std::int64_t us = call.front.store().guarded_now().us;
  RespWriter out = call.command.reply();
  out.array(2);
  out.bulk(std::to_string(us / 1'000'000));
  out.bulk(std::to_string(us % 1'000'000));
  call.command.finish();
}

}  // namespace stator::redis
