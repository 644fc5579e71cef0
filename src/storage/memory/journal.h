#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/buggify.h"
#include "env/disk.h"
#include "storage/memory/journal_format.h"
#include "storage/write_batch.h"

namespace stator::storage::memory {

/// What a journal needs from the store whose changes it keeps.
class JournalOwner {
 public:
  virtual ~JournalOwner() = default;
  /// Called once by Journal::open: what takes the changes that are there. `seed` is the store's, as
  /// it was when its first file was begun.
  virtual ChangeSink& begin_replay(std::uint64_t seed) = 0;
  /// Gives everything the store holds, as puts.
  virtual void write_all(ChangeSink& sink) = 0;
  /// About what write_all() comes to in a file, and not less. Asked at every change.
  [[nodiscard]] virtual std::uint64_t live_bytes() const = 0;
  /// durable() has grown, or failure() has come about.
  virtual void on_journal_progress() = 0;
};

/// The changes of a store, one after the other, in a file on env's disk: what makes the memory
/// engine survive in the simulator. One file `journal-<generation>`; when it is over 1 MiB and more
/// than twice as large as what the store holds, the store is written whole into the next
/// generation, which replaces it by sync, rename and directory sync. That happens inside one call,
/// and costs a write of what lives: less than what was appended since the last time.
///
/// Group commit: at most one sync is under way; what is appended meanwhile is covered by the next.
/// After a failed sync (or when it is unknown which file a crash would leave) the journal takes
/// nothing any more, for good (D31); the next open() writes what is whole in that file into a new
/// one. A failed append, as on a full disk, fails that append only.
/// On one thread.
class Journal : public std::enable_shared_from_this<Journal> {
 public:
  /// Replays what is there, or begins the first file, with `seed`. kConflict when another process
  /// uses the directory. `owner` and `rare` outlive the journal. `rare`: env::Env::buggify.
  [[nodiscard]] static Result<std::shared_ptr<Journal>> open(env::Disk& disk, std::string directory,
                                                             std::uint64_t seed,
                                                             JournalOwner& owner,
                                                             env::Buggify* rare = nullptr);

  [[nodiscard]] Result<void> append(const WriteBatch& batch);
  [[nodiscard]] Result<void> append_drop(PartitionId partition);
  /// A frame without changes: it knows how much is durable, so that later damage to that is
  /// noticed.
  [[nodiscard]] Result<void> append_mark();
  /// To be called when the store has applied what was appended: compacts when that is due.
  void applied();

  /// Counts the bytes appended in this run; never goes back.
  [[nodiscard]] std::uint64_t appended() const { return appended_; }
  /// Everything appended up to here survives a crash.
  [[nodiscard]] std::uint64_t durable() const { return durable_; }
  /// Sees to it that durable() reaches what is appended() now; tells the owner.
  void sync();
  /// Set for good once nothing more can be made durable.
  [[nodiscard]] const Result<void>& failure() const { return failure_; }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }
  /// Of the present file.
  [[nodiscard]] std::uint64_t file_bytes() const { return end_; }

 private:
  Journal(env::Disk& disk, std::string directory, JournalOwner& owner, env::Buggify* rare)
      : disk_(disk), directory_(std::move(directory)), owner_(owner), rare_(rare) {}

  [[nodiscard]] bool buggified(env::BuggifyPoint point) const {
    return rare_ != nullptr && rare_->strikes(point);
  }

  Result<void> open_files(std::uint64_t seed);
  Result<void> replay_file(const std::string& path);
  Result<void> append_frame(std::size_t begin);
  [[nodiscard]] Result<void> write_frame();
  Result<void> begin_generation(JournalHeader header);
  void compact();
  void remove_others(std::uint64_t generation);
  void on_synced(std::uint64_t generation, std::uint64_t appended, std::uint64_t end,
                 const Result<void>& result);
  [[nodiscard]] bool compaction_due() const;
  [[nodiscard]] std::string path_of(std::uint64_t generation) const;

  env::Disk& disk_;
  std::string directory_;
  JournalOwner& owner_;
  env::Buggify* rare_;
  std::unique_ptr<env::DirectoryLock> lock_;
  std::unique_ptr<env::File> file_;
  JournalHeader header_;
  std::string buffer_;              // the frame being made
  std::uint64_t end_ = 0;           // of the file's good part
  std::uint64_t durable_end_ = 0;   // how much of it is durable
  std::uint64_t compact_from_ = 0;  // size of the file; not below it, after a failure
  std::uint64_t appended_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t wanted_ = 0;  // durable() shall reach it
  bool syncing_ = false;
  std::uint64_t syncing_generation_ = 0;  // the file whose sync is under way
  Result<void> failure_;
  std::uint64_t syncs_ = 0;
};

}  // namespace stator::storage::memory
