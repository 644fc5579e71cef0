#include "front/redis/store_calls.h"

#include "front/redis/errors.h"
#include "front/redis/redis_front.h"

namespace stator::redis {

const Version* take_read(Command& command, const node::ReadResult& result) {
  // A tombstone was read too: the next write must be later.
  const Version* latest = result.object == nullptr ? nullptr : result.object->latest();
  if (latest != nullptr) command.saw(latest->time);
  const bool living = latest != nullptr && !latest->dead(result.now);
  node::Metrics& counters = command.front().counters();
  ++(living ? counters.keys_found_total : counters.keys_missing_total);
  return living ? latest : nullptr;
}

void read_then(Command& command, std::string_view key, ReadThen then,
               const node::ReadQuorum& quorum) {
  command.front().store().read(kDefaultBucket, key, quorum,
                               [&command, then](const Result<node::ReadResult>& result) {
                                 if (!result) {
                                   RespWriter out = command.reply();
                                   write_error(out, result.error());
                                   command.finish();
                                   return;
                                 }
                                 then(command, *result, take_read(command, *result));
                               });
}

node::WriteRequest plain_write(const Command& command, std::string_view key) {
  node::WriteRequest request;
  request.bucket = kDefaultBucket;
  request.key = key;
  request.kind = node::WriteKind::kOverAll;
  request.floor = command.floor();
  return request;
}

void write_then(Command& command, const node::WriteRequest& request, WriteThen then) {
  command.front().store().write(request, [&command, then](const node::WriteResult& result) {
    command.saw(result.time);
    if (result.outcome != Outcome::kOk) {
      RespWriter out = command.reply();
      write_outcome(out, result);
      command.finish();
      return;
    }
    then(command, result);
  });
}

void answer_ok(Command& command, const node::WriteResult&) {
  command.reply().ok();
  command.finish();
}

void answer_one(Command& command, const node::WriteResult&) {
  command.reply().integer(1);
  command.finish();
}

}  // namespace stator::redis
