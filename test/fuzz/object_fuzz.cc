// Hostile bytes as a stored or received object. The input is split in two objects, so that merging
// what is valid alone but contradicts the other is reached too. First byte: where to split, in
// parts of 256.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/version/context.h"
#include "core/version/object.h"
#include "core/version/object_codec.h"

namespace {

using namespace stator;

constexpr WallTime kNow{1'800'000'000'000'000};

std::string encoded(const Object& object) {
  std::string bytes;
  encode_object(object, bytes);
  return bytes;
}

// What is accepted has one form, and it keeps the invariants of Object whatever is done to it.
void expect_sound(const Object& object) {
  const std::string bytes = encoded(object);
  Object back;
  STATOR_ASSERT(decode_object(bytes, back));
  STATOR_ASSERT(encoded(back) == bytes);
  STATOR_ASSERT(digest(back) == digest(object));
}

void expect_canonical(std::string_view input, const Object& object) {
  const std::string bytes = encoded(object);
  // What follows the object is of a later minor version. Varints have longer forms, which are read.
  STATOR_ASSERT(bytes.size() <= input.size());
  expect_sound(object);
}

void write_into(Object object, const Object& read) {
  Context context;
  make_context(read, {}, context);
  const Write write{.id = WriteId::make(1'800'000'000'000, WriteId::kMintedOnce, 1, 1),
                    .value = "v"};
  if (probe(object, write.id) != PutEffect::kMinted) return;
  const Dot dot = choose_dot(object, context, {{7}, 7}, 1ULL << 40);
  // A forged context may name even the life that begins now; the caller asks before it mints.
  if (!can_mint(object, context, dot)) return;
  put(object, write, context, dot, kNow);
  STATOR_ASSERT(object.find(write.id) != nullptr);
  expect_sound(object);
  if (restamp(object, write.id, {dot.actor, dot.counter + 1}, {})) {
    STATOR_ASSERT(object.find(write.id) != nullptr);
    expect_sound(object);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = rest.size() * data[0] / 255;
  Object a;
  Object b;
  const bool has_a = decode_object(rest.substr(0, cut), a).has_value();
  const bool has_b = decode_object(rest.substr(cut), b).has_value();
  STATOR_ASSERT(has_a || (a.empty() && a.guards.empty()));
  if (has_a) expect_canonical(rest.substr(0, cut), a);
  if (has_b) expect_canonical(rest.substr(cut), b);
  Object both = a;
  merge(both, b);
  expect_sound(both);
  Object again = both;
  merge(again, b);
  STATOR_ASSERT(encoded(again) == encoded(both));
  const Relation relation = compare(both, b);
  STATOR_ASSERT(relation == Relation::kCovers || relation == Relation::kEqual);
  write_into(both, a);
  write_into(a, both);
  return 0;
}
