// Hostile bytes as a context. First byte: even, the rest is bytes or text as a client sends them;
// odd, the rest are the fields and their checksum is added, so that what lies behind it is reached.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "core/version/context.h"

namespace {

using namespace stator;

constexpr std::string_view kBucket = "default";
constexpr std::string_view kKey = "cart:42";
constexpr std::uint64_t kSecret = 7;

void expect_round_trip(const Context& context) {
  std::string bytes;
  encode_context(context, kBucket, kKey, kSecret, bytes);
  if (bytes.size() > kContextBytesMax) return;
  Context back;
  STATOR_ASSERT(decode_context(bytes, kBucket, kKey, kSecret, back));
  std::string again;
  encode_context(back, kBucket, kKey, kSecret, again);
  STATOR_ASSERT(again == bytes);
  STATOR_ASSERT(back.clock == context.clock);
  STATOR_ASSERT(!decode_context(bytes, kBucket, "cart:43", kSecret, back));
}

void use(const Context& context) {
  Object object;
  const Write write{.id = WriteId::make(1'800'000'000'000, WriteId::kRetryable, 1, 1)};
  const Dot dot = choose_dot(object, context, {{7}, 7}, 9);
  if (!can_mint(object, context, dot)) return;
  put(object, write, context, dot, {1'800'000'000'000'000});
  STATOR_ASSERT(object.find(write.id) != nullptr);
  Context extended = context;
  extend_context(extended, object.versions[0]);
  expect_round_trip(extended);
}

void feed(std::string_view bytes) {
  Context context;
  if (!decode_context(bytes, kBucket, kKey, kSecret, context)) {
    STATOR_ASSERT(context.empty());
    return;
  }
  expect_round_trip(context);
  use(context);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    feed(rest);
    Context context;
    if (decode_context_text(rest, kBucket, kKey, kSecret, context)) expect_round_trip(context);
    return 0;
  }
  std::string sealed(rest);
  append_u64(sealed, hash64(kKey, hash64(kBucket, hash64(rest, kSecret))));
  feed(sealed);
  return 0;
}
