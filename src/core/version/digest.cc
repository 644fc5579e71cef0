#include <array>
#include <cstring>
#include <type_traits>

#include "base/hash.h"
#include "core/version/object.h"

namespace stator {
namespace {

static_assert(sizeof(Dot) == 24 && std::has_unique_object_representations_v<Dot>);
static_assert(sizeof(WriteId) == 16 && std::has_unique_object_representations_v<WriteId>);

// Hashes a sequence of words without a heap: whole blocks are hashed with the hash of what came
// before as seed. An ordinary object fits one block.
class BlockHash {
 public:
  void add(std::uint64_t word) {
    if (used_ == block_.size()) fold();
    block_[used_++] = word;
  }
  void add(const Dot& dot) {
    add(dot.actor.incarnation.value);
    add(dot.actor.life);
    add(dot.counter);
  }
  std::uint64_t finish() {
    fold();
    return hash_;
  }

 private:
  void fold() {
    hash_ = hash64({reinterpret_cast<const char*>(block_.data()), used_ * sizeof block_[0]}, hash_);
    used_ = 0;
  }

  std::array<std::uint64_t, 64> block_;
  std::size_t used_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace

std::uint64_t digest(const Object& object) {
  if (object.empty()) return 0;
  BlockHash hash;
  // The counts keep the three lists apart.
  hash.add(object.clock.entries().size() << 32 | object.cloud.size());
  for (const Dot& dot : object.clock.entries()) hash.add(dot);
  for (const Dot& dot : object.cloud) hash.add(dot);
  for (const Version& version : object.versions) {
    hash.add(version.dot);
    hash.add(version.first_counter << 1 | (version.tombstone ? 1U : 0U));
    hash.add(version.write_id.high);
    hash.add(version.write_id.low);
  }
  const std::uint64_t result = hash.finish();
  return result != 0 ? result : 1;
}

}  // namespace stator
