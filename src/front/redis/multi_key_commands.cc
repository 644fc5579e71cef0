#include "front/redis/errors.h"
#include "front/redis/handlers.h"
#include "front/redis/many_keys.h"
#include "front/redis/redis_front.h"
#include "front/redis/store_calls.h"

namespace stator::redis {
namespace {

// Of one answer; it has to be whole before it can be sent, since one failed key fails it.
constexpr std::size_t kAnswerBytesMax = 32 << 20;

using PartThen = void (*)(Command&, std::uint32_t, const Version*);

void read_part(Command& command, std::uint32_t index, PartThen then) {
  command.front().store().read(kDefaultBucket, key_of(command, index), {},
                               [&command, index, then](const Result<node::ReadResult>& result) {
                                 if (!result) {
                                   part_failed(command, result.error());
                                   return;
                                 }
                                 then(command, index, take_read(command, *result));
                               });
}

void write_part(Command& command, const node::WriteRequest& request) {
  command.front().store().write(request, [&command](const node::WriteResult& result) {
    command.saw(result.time);
    if (result.outcome != Outcome::kOk) {
      part_failed(command, result);
      return;
    }
    ++command.parts.succeeded;
    part_done(command);
  });
}

// --- MGET --------------------------------------------------------------------------------------

void gather(Command& command, std::uint32_t index, const Version* version) {
  if (version == nullptr) {
    part_done(command);
    return;
  }
  const std::size_t size = version->value.size();
  RedisFront& front = command.front();
  if (command.scratch.size() + size > kAnswerBytesMax) {
    part_failed(command,
                Error{.code = ErrorCode::kTooLarge,
                      .detail = "the values are more than 32 MiB together; ask for fewer keys"});
    return;
  }
  if (front.gathered + size > front.options().gathered_bytes_max) {
    part_failed(command, Error{.code = ErrorCode::kOverloaded});
    return;
  }
  Command::Part& part = command.parts.list[index];
  part.found = true;
  part.offset = static_cast<std::uint32_t>(command.scratch.size());
  part.size = static_cast<std::uint32_t>(size);
  command.scratch.append(version->value);
  front.gathered += size;
  part_done(command);
}

void end_mget(Command& command) {
  command.front().gathered -= command.scratch.size();
  RespWriter out = command.reply();
  if (command.parts.failed) {
    out.raw(command.parts.error);
  } else {
    out.array(command.parts.list.size());
    for (const Command::Part& part : command.parts.list) {
      if (part.found) {
        out.bulk(std::string_view(command.scratch).substr(part.offset, part.size));
      } else {
        out.null();
      }
    }
  }
  command.finish();
}

// --- EXISTS, TOUCH -----------------------------------------------------------------------------

void count_living(Command& command, std::uint32_t, const Version* version) {
  if (version != nullptr) ++command.number;
  part_done(command);
}

void end_count(Command& command) {
  RespWriter out = command.reply();
  if (command.parts.failed) {
    out.raw(command.parts.error);
  } else {
    out.integer(static_cast<std::int64_t>(command.number));
  }
  command.finish();
}

// --- DEL, UNLINK -------------------------------------------------------------------------------

void delete_living(Command& command, std::uint32_t index, const Version* version) {
  if (version == nullptr) {
    ++command.number;  // keys that were not there
    part_done(command);
    return;
  }
  node::WriteRequest request = plain_write(command, key_of(command, index));
  request.tombstone = true;
  write_part(command, request);
}

void end_del(Command& command) {
  if (command.parts.failed) {
    answer_failed_writes(command);
    return;
  }
  command.reply().integer(command.parts.succeeded);
  command.finish();
}

// --- MSET --------------------------------------------------------------------------------------

void end_mset(Command& command) {
  if (command.parts.failed) {
    answer_failed_writes(command);
    return;
  }
  command.reply().ok();
  command.finish();
}

}  // namespace

void do_mget(Call& call) {
  make_parts(call, 1, false);
  run_parts(
      call.command,
      [](Command& command, std::uint32_t index) { read_part(command, index, gather); }, end_mget);
}

void do_exists(Call& call) {
  make_parts(call, 1, false);
  run_parts(
      call.command,
      [](Command& command, std::uint32_t index) { read_part(command, index, count_living); },
      end_count);
}

void do_del(Call& call) {
  make_parts(call, 1, true);
  run_parts(
      call.command,
      [](Command& command, std::uint32_t index) { read_part(command, index, delete_living); },
      end_del);
}

void do_mset(Call& call) {
  if (call.words.size() % 2 == 0) {
    RespWriter out = call.command.reply();
    wrong_arity(out, "mset");
    call.command.finish();
    return;
  }
  make_parts(call, 2, true);
  run_parts(
      call.command,
      [](Command& command, std::uint32_t index) {
        node::WriteRequest request = plain_write(command, key_of(command, index));
        request.value = command.words[command.parts.list[index].word + 1];
        write_part(command, request);
      },
      end_mset);
}

}  // namespace stator::redis
