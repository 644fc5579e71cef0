// Hostile bytes from a Redis client, through the whole door, over a store of real objects. The
// first byte chooses how they arrive. Where a stream is cut is nobody's business: the client must
// read the same; and when the store answers, and in what order, must not change how many answers it
// gets. Of a client that hangs up in the middle nothing may remain. "{ctx}" in the input stands for
// a context of key "k", which nobody could guess; what was read there are two siblings.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/ring/position.h"
#include "core/version/context.h"
#include "front/redis/command_table.h"
#include "front/redis/testing/fakes.h"

namespace {

using namespace stator;
using namespace stator::redis;
using stator::redis::testing::Client;
using stator::redis::testing::FakeExecutor;
using stator::redis::testing::FakeStore;

constexpr std::string_view kKey = "k";
constexpr std::string_view kContextWord = "{ctx}";
constexpr int kContextsMax = 16;
constexpr std::size_t kInputMax = 4096;
constexpr int kStepsMax = 100'000;

void write_siblings(FakeStore& store) {
  store.write_blind(kKey, "one");
  store.write_blind(kKey, "two");
}

struct Door {
  Door() {
    write_siblings(store);
    store.scan_result.next = 42;
    for (const char* key : {"k", "key:1", "other"}) {
      store.scan_result.keys.push_back({.bucket = std::string(kDefaultBucket), .key = key});
    }
  }
  static RedisFrontOptions small_limits() {
    RedisFrontOptions options;
    options.gathered_bytes_max = 64;  // so that an MGET meets it
    return options;
  }
  /// Carries out what the store holds, in some order. Time goes on only for who waits in line.
  void settle() {
    for (int step = 0;; ++step) {
      STATOR_ASSERT(step < kStepsMax);  // or something waits for ever
      if (store.held() > 0) release();
      executor.advance({});
      if (store.held() == 0 && client.paused()) executor.advance(milliseconds(1));
      client.turn();
      if (store.held() == 0 && (!client.paused() || client.closed_by_server())) return;
    }
  }
  void release() { store.release(order_++ * 7 % store.held()); }
  void expect_nothing_left() {
    client.close();
    bystander.close();
    STATOR_ASSERT(front.connections() == 0);
    STATOR_ASSERT(front.drained());
    STATOR_ASSERT(front.input_kept == 0 && front.gathered == 0 && front.stalled_bytes == 0);
  }

  FakeStore store;
  FakeExecutor executor;
  RedisFront front{store, executor, small_limits()};
  Client client{front};
  Client bystander{front, "127.0.0.1", 50002};

 private:
  std::size_t order_ = 0;
};

struct Heard {
  std::string answers;
  bool cut = false;  // what had been answered meanwhile may be lost
};

Heard talk(std::string_view bytes, std::size_t piece, bool hold) {
  Door door;
  door.store.hold = hold;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    door.client.send(bytes.substr(0, piece));
    if (!hold) door.settle();
    if (door.store.held() > 4) door.release();
    door.client.turn();
  }
  // Who has said all still gets its answers.
  if (door.client.paused()) door.settle();
  if (!door.client.closed_by_server()) door.client.end_input();
  door.settle();
  STATOR_ASSERT(door.client.closed_by_server());
  Heard heard{.answers = door.client.take(), .cut = door.client.cut_by_server()};
  if (!door.bystander.closed_by_server()) {
    STATOR_ASSERT(door.bystander.run({"PING"}) == "+PONG\r\n");
  }
  door.expect_nothing_left();
  return heard;
}

void hang_up_in_the_middle(std::string_view bytes, std::size_t piece) {
  Door door;
  door.store.hold = true;
  door.client.send(bytes.substr(0, bytes.size() / 2), piece);
  door.client.close();
  door.store.let_go();
  door.executor.advance({});
  door.expect_nothing_left();
}

std::int64_t number_of(std::string_view line) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), number);
  STATOR_ASSERT(problem == std::errc() && end == line.data() + line.size());
  return number;
}

// What is sent to a client is whole answers, whatever came in.
std::size_t count_answers(std::string_view bytes) {
  std::size_t answers = 0;
  std::size_t missing = 0;  // values of the one that is read
  while (!bytes.empty()) {
    if (missing == 0) {
      ++answers;
      missing = 1;
    }
    --missing;
    const std::size_t end = bytes.find("\r\n");
    STATOR_ASSERT(end != std::string_view::npos && end > 0);
    const char type = bytes.front();
    const std::string_view line = bytes.substr(1, end - 1);
    bytes.remove_prefix(end + 2);
    if (type == '$' || type == '=') {
      const std::int64_t size = number_of(line);
      if (size < 0) continue;  // null
      const auto length = static_cast<std::size_t>(size);
      STATOR_ASSERT(bytes.size() >= length + 2 && bytes.substr(length, 2) == "\r\n");
      bytes.remove_prefix(length + 2);
    } else if (type == '*' || type == '~' || type == '%') {
      const std::int64_t members = number_of(line);
      if (members > 0) missing += static_cast<std::size_t>(members) * (type == '%' ? 2 : 1);
    } else {
      STATOR_ASSERT(std::string_view("+-:_,").find(type) != std::string_view::npos);
    }
  }
  STATOR_ASSERT(missing == 0);
  return answers;
}

// Such commands answer with what has been received so far, or what the process is like now.
bool tells_of_itself(std::string_view bytes) {
  RespParser parser;
  ArgumentList list;
  while (!bytes.empty()) {
    const Parsed parsed = parser.next(bytes, {}, list);
    if (parsed.status != ParseStatus::kCommand) return false;
    bytes.remove_prefix(parsed.consumed);
    if (list.views.empty()) continue;
    const CommandRow* row = find_command(list.all());
    if (row == nullptr) continue;
    for (const std::string_view name : {"info", "client|info", "client|list"}) {
      if (row->name == name) return true;
    }
  }
  return false;
}

std::string with_contexts(std::string_view bytes) {
  FakeStore store;
  write_siblings(store);
  Context context;
  make_context(store.object_of(kKey), store.view.members.at(0).id, context);
  std::string text;
  encode_context_text(context, kDefaultBucket, kKey, store.context_secret(), text);
  std::string out;
  for (int left = kContextsMax; left > 0; --left) {
    const std::size_t at = bytes.find(kContextWord);
    if (at == std::string_view::npos) break;
    out.append(bytes.substr(0, at)).append(text);
    bytes.remove_prefix(at + kContextWord.size());
  }
  out.append(bytes);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kInputMax) return 0;
  const std::string input = with_contexts({reinterpret_cast<const char*>(data) + 1, size - 1});
  const std::size_t piece = 1U + data[0] % 64;
  const Heard whole = talk(input, std::string_view::npos, false);
  const Heard pieces = talk(input, piece, false);
  const Heard held = talk(input, piece, true);
  STATOR_ASSERT(whole.cut == pieces.cut);
  if (!tells_of_itself(input)) {
    const std::size_t common = std::min(whole.answers.size(), pieces.answers.size());
    STATOR_ASSERT(whole.cut || whole.answers.size() == pieces.answers.size());
    STATOR_ASSERT(whole.answers.compare(0, common, pieces.answers, 0, common) == 0);
  }
  const std::size_t answers = count_answers(whole.answers);
  STATOR_ASSERT(whole.cut || count_answers(pieces.answers) == answers);
  STATOR_ASSERT(whole.cut || held.cut || count_answers(held.answers) == answers);
  hang_up_in_the_middle(input, piece);
  return 0;
}
