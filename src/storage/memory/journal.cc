#include "storage/memory/journal.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/probe.h"
#include "storage/directories.h"

namespace stator::storage::memory {
namespace {

constexpr std::string_view kPrefix = "journal-";
constexpr std::string_view kUnfinished = "journal.new";
constexpr std::uint64_t kCompactFrom = 1 << 20;
constexpr std::uint64_t kCompactFromRarely = 128 << 10;
constexpr std::size_t kSnapshotFrameSize = 64 << 10;
constexpr std::size_t kSnapshotFrameSizeRarely = 512;

std::optional<std::uint64_t> generation_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::uint64_t generation = 0;
  const auto [end, problem] =
      std::from_chars(name.data(), name.data() + name.size(), generation, 10);
  if (problem != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return generation;
}

// After a failed sync nobody knows what is durable: whatever its reason, it does not pass as a full
// disk does (D31).
Error for_good(Error error) {
  error.code = ErrorCode::kIo;
  return error;
}

/// Writes a whole store as frames of a new file.
class SnapshotWriter final : public ChangeSink {
 public:
  /// A frame ends as soon as it has `frame_size` bytes.
  SnapshotWriter(env::File& file, const JournalHeader& header, std::size_t frame_size)
      : file_(file), header_(header), frame_size_(frame_size) {
    append_journal_header(header, buffer_);
    flush();
  }
  void put(PartitionId partition, std::string_view key, std::string_view value) override {
    if (buffer_.empty()) begin_frame(buffer_);
    append_put(partition, key, value, buffer_);
    if (buffer_.size() >= frame_size_) finish();
  }
  void erase(PartitionId, std::string_view) override { STATOR_ASSERT(false); }
  void drop(PartitionId) override { STATOR_ASSERT(false); }

  Result<std::uint64_t> end() {
    if (!buffer_.empty()) finish();
    if (!result_) return std::unexpected(result_.error());
    return end_;
  }

 private:
  void finish() {
    finish_frame(header_, 0, end_, 0, buffer_);
    flush();
  }
  void flush() {
    if (result_) result_ = file_.write_at(end_, buffer_);
    end_ += buffer_.size();
    buffer_.clear();
  }

  env::File& file_;
  JournalHeader header_;
  std::size_t frame_size_;
  std::string buffer_;
  std::uint64_t end_ = 0;
  Result<void> result_;
};

}  // namespace

std::string Journal::path_of(std::uint64_t generation) const {
  return directory_ + "/" + std::string(kPrefix) + std::to_string(generation);
}

Result<std::shared_ptr<Journal>> Journal::open(env::Disk& disk, std::string directory,
                                               std::uint64_t seed, JournalOwner& owner,
                                               env::Buggify* rare) {
  std::shared_ptr<Journal> journal(new Journal(disk, std::move(directory), owner, rare));
  if (auto opened = journal->open_files(seed); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  return journal;
}

Result<void> Journal::open_files(std::uint64_t seed) {
  if (auto made = create_durable_directories(disk_, directory_); !made) return made;
  auto lock = disk_.lock(directory_);
  if (!lock) return std::unexpected(std::move(lock.error()));
  lock_ = std::move(*lock);
  const auto names = disk_.list(directory_);
  if (!names) return std::unexpected(names.error());
  std::optional<std::uint64_t> newest;
  for (const std::string& name : *names) {
    newest = std::max(newest, generation_of(name));
  }
  if (!newest) {
    static_cast<void>(owner_.begin_replay(seed));
    return begin_generation({.generation = 1, .seed = seed});
  }
  // A generation is whole when it has its name, so an older one beside it is a left-over.
  auto replayed = replay_file(path_of(*newest));
  if (!replayed) return replayed;
  // The last run may have been killed between giving the file its name and making that durable.
  if (auto named = disk_.sync_directory(directory_); !named) return named;
  remove_others(header_.generation);
  return {};
}

Result<void> Journal::replay_file(const std::string& path) {
  const auto in_file = [&path](Error error) -> Result<void> {
    if (error.code == ErrorCode::kCorrupt) {
      error.detail = path + ": " + error.detail +
                     ". Restore the directory, or remove it and let this node be replaced.";
    } else if (error.code == ErrorCode::kNotSupported) {
      error.detail =
          path + ": " + error.detail + ". Run the version that wrote it, or a newer one.";
    }
    return std::unexpected(std::move(error));
  };
  auto file = disk_.open(path, env::Disk::Open::kExisting);
  if (!file) return std::unexpected(std::move(file.error()));
  file_ = std::move(*file);
  const auto size = file_->size();
  if (!size) return std::unexpected(size.error());
  std::string bytes;
  if (auto read = file_->read_at(0, *size, bytes); !read) return read;
  const auto header = read_journal_header(bytes);
  if (!header) return in_file(header.error());
  // By the number a later file is told from an earlier one, and which of them goes.
  if (path_of(header->generation) != path) {
    return in_file({.code = ErrorCode::kCorrupt,
                    .detail = "its header is that of journal-" +
                              std::to_string(header->generation) + ", not of this file"});
  }
  header_ = *header;
  const auto replayed = replay_journal(bytes, header_, owner_.begin_replay(header_.seed));
  if (!replayed) return in_file(replayed.error());
  const auto [end, known] = *replayed;
  if (end < *size) {
    STATOR_PROBE("journal: a torn end is cut off");
    if (auto cut = file_->truncate(end); !cut) return cut;
  }
  // What was replayed is served from now on as if it were durable, so it has to be. A sync that
  // works is not enough: if one of a run before has failed, what that covered is shown and may not
  // be on the disk, where only another write brings it (D31).
  const auto unsure = std::string_view(bytes).substr(0, end).substr(std::min(known, end));
  if (file_->write_at(end - unsure.size(), unsure) && file_->sync_now()) {
    end_ = durable_end_ = end;
    return {};
  }
  // A sync of this file has failed, now or in a run before, and none of it is believed any more
  // (D31): what passed its checksums goes into a new one.
  STATOR_PROBE("journal: written anew, as its file cannot be synced");
  return begin_generation({.generation = header_.generation + 1, .seed = header_.seed});
}

Result<void> Journal::append(const WriteBatch& batch) {
  const std::size_t begin = begin_frame(buffer_);
  for (const WriteBatch::Entry& entry : batch.entries()) {
    STATOR_ASSERT(entry.partition.value < kPartitionsMax);
    if (entry.erase) {
      append_erase(entry.partition, batch.key(entry), buffer_);
    } else {
      append_put(entry.partition, batch.key(entry), batch.value(entry), buffer_);
    }
  }
  return append_frame(begin);
}

Result<void> Journal::append_drop(PartitionId partition) {
  STATOR_ASSERT(partition.value < kPartitionsMax);
  const std::size_t begin = begin_frame(buffer_);
  memory::append_drop(partition, buffer_);
  return append_frame(begin);
}

Result<void> Journal::append_mark() {
  return append_frame(begin_frame(buffer_));
}

Result<void> Journal::append_frame(std::size_t begin) {
  Result<void> written = failure_;
  if (written) {
    finish_frame(header_, begin, end_, durable_end_, buffer_);
    // A failed write may leave a part of the frame behind the end; the next one goes over it.
    written = write_frame();
  }
  if (written) {
    end_ += buffer_.size();
    appended_ += buffer_.size();
  }
  buffer_.clear();
  return written;
}

Result<void> Journal::write_frame() {
  if (!buggified("journal: a frame in two pieces")) return file_->write_at(end_, buffer_);
  STATOR_PROBE("journal: a frame in two pieces");
  const std::size_t half = buffer_.size() / 2;
  const std::string_view frame = buffer_;
  if (auto written = file_->write_at(end_, frame.substr(0, half)); !written) return written;
  return file_->write_at(end_ + half, frame.substr(half));
}

void Journal::sync() {
  wanted_ = appended_;
  if (syncing_ || !failure_ || durable_ >= wanted_) return;
  syncing_ = true;
  syncing_generation_ = header_.generation;
  ++syncs_;
  file_->sync([self = weak_from_this(), generation = header_.generation, appended = appended_,
               end = end_](const Result<void>& result) {
    if (const auto journal = self.lock()) journal->on_synced(generation, appended, end, result);
  });
}

void Journal::on_synced(std::uint64_t generation, std::uint64_t appended, std::uint64_t end,
                        const Result<void>& result) {
  syncing_ = false;
  // What a replaced file held is durable in the file that replaced it.
  if (generation != header_.generation) {
    STATOR_PROBE("journal: a sync of the replaced file completes");
    if (durable_ < wanted_) sync();
    return;
  }
  if (!result) {
    failure_ = std::unexpected(for_good(result.error()));
  } else {
    durable_ = std::max(durable_, appended);
    durable_end_ = end;
  }
  if (durable_ < wanted_) {
    STATOR_PROBE("journal: more was written while it synced");
    sync();
  }
  owner_.on_journal_progress();
}

bool Journal::compaction_due() const {
  if (end_ < kCompactFromRarely || end_ < compact_from_ || !failure_) return false;
  if (end_ < 2 * owner_.live_bytes()) return false;
  if (end_ < kCompactFrom) {
    if (!buggified("journal: written anew early")) return false;
    STATOR_PROBE("journal: written anew early");
  }
  // One replaced file at a time: the last one's sync has to come back first.
  if (syncing_ && syncing_generation_ != header_.generation) {
    STATOR_PROBE("journal: the replaced file still syncs");
    return false;
  }
  return true;
}

void Journal::applied() {
  if (!compaction_due()) return;
  compact_from_ = end_ + end_ / 2;  // unless it works: on a full disk not at every append
  compact();
}

void Journal::compact() {
  const std::uint64_t generation = header_.generation + 1;
  auto old = std::move(file_);  // its sync may be under way, and completes though it is closed
  if (!begin_generation({.generation = generation, .seed = header_.seed})) {
    if (header_.generation != generation) file_ = std::move(old);
    if (!failure_) owner_.on_journal_progress();
    return;
  }
  STATOR_PROBE("journal: written anew");
  if (syncing_) STATOR_PROBE("journal: written anew while it syncs");
  durable_ = appended_;
  remove_others(generation);
  owner_.on_journal_progress();
}

Result<void> Journal::begin_generation(JournalHeader header) {
  const std::string unfinished = directory_ + "/" + std::string(kUnfinished);
  // One that is left over may be a file whose sync failed: never to be used again.
  static_cast<void>(disk_.remove(unfinished));
  auto file = disk_.open(unfinished, env::Disk::Open::kCreateNew);
  if (!file) return std::unexpected(std::move(file.error()));
  const bool small = buggified("journal: a new file in small frames");
  if (small) STATOR_PROBE("journal: a new file in small frames");
  SnapshotWriter writer(**file, header, small ? kSnapshotFrameSizeRarely : kSnapshotFrameSize);
  owner_.write_all(writer);
  const auto end = writer.end();
  if (!end) return std::unexpected(end.error());
  if (auto synced = (*file)->sync_now(); !synced) return synced;
  if (auto renamed = disk_.rename(unfinished, path_of(header.generation)); !renamed) {
    // Otherwise it may have happened, and a crash may leave either file.
    if (renamed.error().code != ErrorCode::kDiskFull) failure_ = renamed;
    return renamed;
  }
  file_ = std::move(*file);
  header_ = header;
  end_ = durable_end_ = *end;
  compact_from_ = 0;
  // Without this a crash may leave the old name or the new one: nothing may be promised on either.
  auto named = disk_.sync_directory(directory_);
  if (!named) failure_ = std::unexpected(for_good(named.error()));
  return named;
}

void Journal::remove_others(std::uint64_t generation) {
  const auto names = disk_.list(directory_);
  if (!names) return;
  for (const std::string& name : *names) {
    const auto found = generation_of(name);
    if ((found && *found < generation) || name == kUnfinished) {
      STATOR_PROBE("journal: a left-over is removed");
      // Only tidying up: a left-over is ignored by the next start, and removed by it.
      static_cast<void>(disk_.remove(directory_ + "/" + name));
    }
  }
}

}  // namespace stator::storage::memory
