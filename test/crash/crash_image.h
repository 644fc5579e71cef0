#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "file_calls.h"

namespace stator::crash {

/// What becomes of that which was not synced when the power goes.
enum class Fate : std::uint8_t {
  kLost,       // all of it
  kKept,       // nothing: as after kill -9
  kNamesOnly,  // names are there, what was written is not
  kDataOnly,   // the other way round
  kLast,       // of each file only the last write: they reach the disk in any order
  kAny,        // each write is kept, torn into sectors or lost, and names up to any place
};
inline constexpr std::uint8_t kFates = 6;

/// One folder of one disk, built up from events: of each file what a sync has made durable and the
/// changes since, of the names the same. Changes of names keep their order, as the journals of file
/// systems do, and those of a folder are durable once it was synced, or a later one of them was
/// (D31). A change of a file's content may be lost while later ones are kept.
class CrashImage {
 public:
  void apply(const Event& event);
  /// Writes what is left when the power goes now into `folder`, which is empty.
  void write_to(const std::filesystem::path& folder, Fate fate, SplitMix64& random) const;

 private:
  struct Content {
    std::string durable;
    std::vector<Event> pending;  // writes and changes of size
  };
  using Names = std::map<std::string, std::uint64_t>;  // 0: a folder

  static void apply_name(const Event& event, Names& names);
  [[nodiscard]] static std::string settle(const Content& content, Fate fate, SplitMix64& random);

  std::map<std::uint64_t, Content> files_;
  Names durable_names_;
  std::vector<Event> pending_names_;
};

}  // namespace stator::crash
