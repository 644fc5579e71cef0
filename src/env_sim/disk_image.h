#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "env_sim/faults.h"
#include "env_sim/random.h"

namespace stator::sim {

/// The content of one file, which its names point at. `bytes` is what a reader sees; `pending` are
/// the changes among it from the first on that no sync has made durable, oldest first, each with
/// what it replaced, so that a loss of power can take any of them back.
class FileContent {
 public:
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  /// What a reader gets: `bytes`, but for blocks that have gone stale.
  void read(std::uint64_t offset, std::size_t size, std::string& out) const;
  void write(std::uint64_t offset, std::string_view bytes);
  void truncate(std::uint64_t size);
  /// How many changes were ever made: what a sync that begins now will cover.
  [[nodiscard]] std::uint64_t changes() const { return durable_changes_ + pending_.size(); }
  /// How many of them survive a loss of power for certain.
  [[nodiscard]] std::uint64_t durable_changes() const { return durable_changes_; }
  /// A sync that began after the first `changes` changes is complete.
  void make_durable(std::uint64_t changes) { settle(changes, Fate::kDurable); }
  /// It has failed, and what it covered is lost with the power, whatever later syncs do.
  void forget(std::uint64_t changes) { settle(changes, Fate::kLost); }
  /// All that a reader sees is durable.
  void make_all_durable();
  /// Keeps, tears or takes back each change that is not durable.
  void lose_power(const DiskFaults& faults, Random& random);
  /// Readers of one block get what it held some writes ago, or before there was the file, until it
  /// is written again. Not of an empty file.
  void go_stale(Random& random);

  bool sync_failed = false;  // dead to every later sync (D31)
  bool broken = false;       // no call of it works

 private:
  enum class Fate : std::uint8_t { kOpen, kDurable, kLost };
  struct Change {
    Fate fate = Fate::kOpen;  // in a loss of power
    bool truncation = false;
    std::uint64_t offset = 0;    // of a truncation: the new size
    std::uint64_t length = 0;    // of a write
    std::uint64_t old_size = 0;  // of the file
    std::string replaced{};      // the bytes that stood there; of a truncation: the tail
  };
  /// A block by its number, and what it holds or held; shorter than a block where the file ended.
  struct Block {
    std::uint64_t number = 0;
    std::string bytes{};
  };
  friend class DiskImage;
  void settle(std::uint64_t changes, Fate fate);
  void keep_sectors(const Change& change, std::string_view bytes, Random& random);
  void put(std::uint64_t offset, std::string_view bytes);
  void remember(std::uint64_t offset);

  std::string bytes_;
  std::deque<Change> pending_;  // the first is never durable: that is what makes it pending
  std::size_t settled_ = 0;     // so many at its front are not open
  std::uint64_t durable_changes_ = 0;
  std::deque<Block> older_;   // of some blocks that were written again
  std::vector<Block> stale_;  // that readers get
};

/// One host's disk: names and files, each with a volatile and a durable layer. A name is durable
/// once its directory was synced, a directory once its parent was; a file's content once the file
/// was (D31). Paths are absolute or relative as the program writes them, separated by '/'; no
/// links.
class DiskImage {
 public:
  explicit DiskImage(Random random) : random_(random) {}

  DiskFaults faults;
  bool read_only = false;  // nothing can be changed, and no sync works
  [[nodiscard]] Random& random() { return random_; }
  /// Calls may fail, so that a program may rightly say that it cannot start.
  [[nodiscard]] bool may_fail() const;
  /// What would stay for ever is over: the disk can be written, its files can be used again, and no
  /// write goes astray any more. What went astray stays where it is.
  void mend();

  [[nodiscard]] std::shared_ptr<FileContent> find(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  [[nodiscard]] bool is_directory(const std::string& path) const;
  /// kIo when the directory does not exist or something of that name does.
  [[nodiscard]] Result<std::shared_ptr<FileContent>> create(const std::string& path);
  [[nodiscard]] Result<void> create_directories(const std::string& path);
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to);
  [[nodiscard]] Result<void> remove(const std::string& path);
  [[nodiscard]] Result<void> sync_directory(const std::string& path);
  [[nodiscard]] bool lock(const std::string& directory);
  void unlock(const std::string& directory);
  void release_locks() { locks_.clear(); }
  /// Files that a process has open, and its locks.
  [[nodiscard]] std::size_t descriptors() const { return open_files_ + locks_.size(); }
  void file_opened() { ++open_files_; }
  void file_closed() { --open_files_; }
  [[nodiscard]] std::uint64_t used_bytes() const;

  /// What was not synced is lost, torn or kept, as `faults` has it.
  void lose_power();
  /// Makes all that is written durable: what an operator does before the machine is handed over.
  void sync_all();
  /// One bit of what is stored flips, wherever it lies. Nothing where nothing is stored.
  void rot();
  /// A block of a file goes stale, wherever it lies. Nothing where nothing is stored.
  void go_stale();
  /// The next write goes to another place, of this file or of another, and spoils what is there.
  void misdirect_next() { misdirects_ = true; }
  /// True: these bytes, meant for `file`, have gone astray, and what is read at their place is what
  /// was there, or nothing.
  [[nodiscard]] bool write_astray(FileContent& file, std::uint64_t offset, std::string_view bytes);
  /// A new, empty disk. No process may be running.
  void wipe();
  /// Remembers what is on the disk now, and brings that back later: a backup. No process may be
  /// running at restore_image().
  void keep_image();
  void restore_image();
  /// Gets all that stands on `other` instead of what it has: a clone. No process may be running.
  void become_copy_of(const DiskImage& other);

 private:
  struct Entry {
    std::shared_ptr<FileContent> file;  // nullptr: a directory
  };
  using Image = std::map<std::string, std::string>;  // names of directories end with '/'
  using Names = std::map<std::string, Entry>;
  struct NameChange {
    std::string removed;  // empty: none
    std::string added;    // empty: none
    Entry entry;
  };
  void change_names(NameChange change);
  [[nodiscard]] Image image() const;
  void restore(const Image& image);
  /// Those that are not empty.
  [[nodiscard]] std::vector<FileContent*> files_with_content() const;
  static void apply(const NameChange& change, Names& names);

  Random random_;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> pending_names_;  // oldest first
  std::set<std::string> locks_;
  std::size_t open_files_ = 0;
  Image image_;
  bool misdirects_ = false;
};

}  // namespace stator::sim
