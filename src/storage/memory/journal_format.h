#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

// The bytes of the memory engine's journal (docs/format/data-directory.md). Pure functions.
//
// Every frame says how far the file was known to be durable when the frame was written. That is
// what tells a torn tail from damage when a replay meets bytes that are no frame: if a frame behind
// them knows them to be durable, acknowledged writes are gone and the journal is corrupt; otherwise
// they are writes that nobody was promised, and are cut off. A frame's checksum covers its place in
// the file and the file's own random seed, so that nothing that clients store can look like a
// frame.

namespace stator::storage::memory {

/// Partitions are numbers below this, here and in RocksDB's keys.
inline constexpr std::uint32_t kPartitionsMax = 1U << 16;

struct JournalHeader {
  std::uint64_t generation = 0;  // of the file: each compaction makes the next
  std::uint64_t seed = 0;        // of the store's hash tables and the checksums; for ever the same
};
inline constexpr std::size_t kJournalHeaderSize = 36;

void append_journal_header(const JournalHeader& header, std::string& out);
/// kCorrupt or kNotSupported (a newer version); the caller knows the file's name and completes the
/// detail.
[[nodiscard]] Result<JournalHeader> read_journal_header(std::string_view bytes);

/// Takes changes in the order in which they were made.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  virtual void put(PartitionId partition, std::string_view key, std::string_view value) = 0;
  virtual void erase(PartitionId partition, std::string_view key) = 0;
  virtual void drop(PartitionId partition) = 0;
};

/// Builds one frame at the end of `out`: begin, any number of changes, finish. Replayed whole or
/// not at all.
std::size_t begin_frame(std::string& out);
void append_put(PartitionId partition, std::string_view key, std::string_view value,
                std::string& out);
/// What a put takes in a file beside its key and value: at most this, with a frame of its own.
inline constexpr std::uint64_t kPutOverheadMax = 38;
void append_erase(PartitionId partition, std::string_view key, std::string& out);
void append_drop(PartitionId partition, std::string& out);
/// `begin` is what begin_frame returned, `position` where the frame will stand in the file,
/// `durable` up to where the file is known to be durable.
void finish_frame(const JournalHeader& header, std::size_t begin, std::uint64_t position,
                  std::uint64_t durable, std::string& out);

/// What a replay has found of a file.
struct ReplayedJournal {
  std::uint64_t end = 0;  // of its good part
  std::uint64_t durable =
      0;  // so much of that was known to be durable when the last frame was made
};
/// Gives the changes of a whole file to `sink`. kCorrupt when bytes that were durable are not good.
[[nodiscard]] Result<ReplayedJournal> replay_journal(std::string_view file,
                                                     const JournalHeader& header, ChangeSink& sink);

}  // namespace stator::storage::memory
