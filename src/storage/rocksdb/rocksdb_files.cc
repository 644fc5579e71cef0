#include "storage/rocksdb/rocksdb_files.h"

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "storage/rocksdb/open_logs.h"
#include "storage/rocksdb/synced_logs.h"

namespace stator::storage::rocks {
namespace {

using ::rocksdb::FileOptions;
using ::rocksdb::FSRandomAccessFile;
using ::rocksdb::FSWritableFile;
using ::rocksdb::IODebugContext;
using ::rocksdb::IOOptions;
using ::rocksdb::IOStatus;
using ::rocksdb::Slice;

struct ThreadState {
  bool no_waiting = false;
  bool would_have_waited = false;
};
thread_local ThreadState thread_state;

IOStatus io_error(const std::string& what, int code) {
  const std::string text = std::strerror(code);
  return code == ENOSPC ? IOStatus::NoSpace(what, text) : IOStatus::IOError(what, text);
}

/// A table. With RWF_NOWAIT the kernel answers from the page cache or not at all.
class TableFile final : public FSRandomAccessFile {
 public:
  TableFile(std::string path, int descriptor, std::shared_ptr<FileEvents> events)
      : path_(std::move(path)), descriptor_(descriptor), events_(std::move(events)) {}
  ~TableFile() override { ::close(descriptor_); }
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* result,
                char* scratch, IODebugContext*) const override {
    *result = Slice(scratch, 0);
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = read_some(offset + done, size - done, scratch + done);
      if (got == 0) break;  // the end of the file
      if (got > 0) {
        done += static_cast<std::size_t>(got);
      } else if (errno != EINTR) {
        return io_error("while reading " + path_, errno);
      }
    }
    *result = Slice(scratch, done);
    return IOStatus::OK();
  }
  IOStatus Prefetch(std::uint64_t offset, std::size_t size, const IOOptions&,
                    IODebugContext*) override {
    static_cast<void>(::readahead(descriptor_, static_cast<off_t>(offset), size));  // a hint
    return IOStatus::OK();
  }
  void Hint(AccessPattern pattern) override {
    const int advice = pattern == kRandom       ? POSIX_FADV_RANDOM
                       : pattern == kSequential ? POSIX_FADV_SEQUENTIAL
                                                : POSIX_FADV_NORMAL;
    static_cast<void>(::posix_fadvise(descriptor_, 0, 0, advice));
  }
  IOStatus InvalidateCache(std::size_t offset, std::size_t size) override {
    static_cast<void>(::posix_fadvise(descriptor_, static_cast<off_t>(offset),
                                      static_cast<off_t>(size), POSIX_FADV_DONTNEED));
    return IOStatus::OK();
  }

 private:
  ssize_t read_some(std::uint64_t offset, std::size_t size, char* into) const {
    if (!thread_state.no_waiting) {
      return ::pread(descriptor_, into, size, static_cast<off_t>(offset));
    }
    if (events_->no_page_cache.load(std::memory_order_relaxed)) {
      thread_state.would_have_waited = true;
      errno = EAGAIN;
      return -1;
    }
    const iovec target{into, size};
    const ssize_t got = ::preadv2(descriptor_, &target, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    // A file system that cannot promise not to wait is taken to wait.
    if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) thread_state.would_have_waited = true;
    return got;
  }

  std::string path_;
  int descriptor_;
  std::shared_ptr<FileEvents> events_;
};

class WatchedWritable : public ::rocksdb::FSWritableFileOwnerWrapper {
 public:
  WatchedWritable(std::unique_ptr<FSWritableFile> file, std::shared_ptr<FileEvents> events)
      : FSWritableFileOwnerWrapper(std::move(file)), events_(std::move(events)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) final {
    return note(data, full() ? IOStatus::NoSpace() : target()->Append(data, options, debug));
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const ::rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) final {
    return note(
        data, full() ? IOStatus::NoSpace() : target()->Append(data, options, verification, debug));
  }

 protected:
  /// What became of an append, which ends with what this returns.
  virtual IOStatus note(const Slice&, IOStatus status) { return status; }
  [[nodiscard]] FileEvents& events() { return *events_; }

 private:
  [[nodiscard]] bool full() const { return events_->no_space.load(std::memory_order_relaxed); }

  std::shared_ptr<FileEvents> events_;
};

/// What becomes of the logs of one store.
struct Logs {
  std::shared_ptr<SyncedLogs> synced;
  std::shared_ptr<OpenLogs> open;
};

/// Tells what a sync has made durable. RocksDB appends on one thread at a time, and may sync on
/// another one meanwhile, as the store may on a third.
class LogFile final : public WatchedWritable, private OpenLogs::Log {
 public:
  LogFile(std::unique_ptr<FSWritableFile> file, std::shared_ptr<FileEvents> events, Logs logs,
          std::uint64_t number, bool known)
      : WatchedWritable(std::move(file), std::move(events)),
        logs_(std::move(logs)),
        number_(number),
        known_(known) {
    logs_.open->add(number_, *this);
  }
  ~LogFile() override {
    logs_.open->remove(number_);
    if (broken_) events().broken_logs.fetch_sub(1);
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    logs_.open->remove(number_);
    return target()->Close(options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    // The kernel tells of a failure once: whoever is next must not meet a success before that is
    // known (D31).
    const std::lock_guard one_at_a_time(syncing_);
    const Part part = written();
    await_turn();
    return settle(part, fails() ? failed() : target()->Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard one_at_a_time(syncing_);
    const Part part = written();
    await_turn();
    return settle(part, fails() ? failed() : target()->Fsync(options, debug));
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t size, const IOOptions& options,
                     IODebugContext* debug) override {
    return watch(target()->RangeSync(offset, size, options, debug));
  }

 private:
  struct Part {
    std::uint64_t appended = 0;
    std::uint64_t bytes = 0;  // of these, as far as they are known
    std::uint64_t digest = 0;
  };

  bool sync_appended() override {
    {
      const std::lock_guard lock(mutex_);
      if (durable_ == appended_) return true;
    }
    return Sync(IOOptions(), nullptr).ok();
  }
  [[nodiscard]] Part written() {
    const std::lock_guard lock(mutex_);
    return {appended_, digest_.bytes(), digest_.value()};
  }
  IOStatus note(const Slice& data, IOStatus status) override {
    const std::lock_guard lock(mutex_);
    // A failed one may have left a part of itself: what follows stands somewhere else.
    if (!status.ok()) known_ = false;
    if (!status.ok()) events().log_append_full.store(status.IsNoSpace());
    if (!status.ok() && !std::exchange(broken_, true)) events().broken_logs.fetch_add(1);
    if (known_) digest_.add({data.data(), data.size()});
    appended_ += data.size();
    return status;
  }
  void await_turn() {
    const std::uint64_t number = events().log_syncs_begun.fetch_add(1) + 1;
    for (;;) {
      const std::uint64_t allowed = events().log_syncs_allowed.load();
      if (number <= allowed) return;
      events().log_syncs_allowed.wait(allowed);
    }
  }
  [[nodiscard]] bool fails() { return events().fail_log_syncs.load(std::memory_order_relaxed); }
  static IOStatus failed() { return io_error("while syncing the log", EIO); }
  IOStatus settle(const Part& part, IOStatus status) {
    if (status.ok()) {
      events().log_syncs.fetch_add(1, std::memory_order_relaxed);
      // A sync that works after one that failed proves nothing (D31).
      if (!events().log_sync_failed.load()) {
        logs_.synced->synced(number_, part.bytes, part.digest);
        const std::lock_guard lock(mutex_);
        durable_ = part.appended;
      }
    }
    return watch(std::move(status));
  }
  IOStatus watch(IOStatus status) {
    if (!status.ok()) events().log_sync_failed.store(true);
    return status;
  }

  Logs logs_;
  std::uint64_t number_;
  std::mutex syncing_;  // before the other
  std::mutex mutex_;
  Digest digest_;
  std::uint64_t appended_ = 0;  // bytes of this run, known or not
  std::uint64_t durable_ = 0;   // of these
  bool broken_ = false;
  bool known_;  // what stands in the file, from its first byte to its last
};

/// Of which tables there are: tells `synced` at once what a sync has made durable. RocksDB appends
/// and syncs it on one thread at a time.
class ManifestFile final : public WatchedWritable {
 public:
  ManifestFile(std::unique_ptr<FSWritableFile> file, std::shared_ptr<FileEvents> events,
               std::shared_ptr<SyncedLogs> synced, std::uint64_t number, bool known)
      : WatchedWritable(std::move(file), std::move(events)),
        synced_(std::move(synced)),
        number_(number),
        known_(known) {}

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return settle(target()->Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return settle(target()->Fsync(options, debug));
  }

 private:
  IOStatus note(const Slice& data, IOStatus status) override {
    known_ = known_ && status.ok();
    if (known_) digest_.add({data.data(), data.size()});
    return status;
  }
  IOStatus settle(IOStatus status) {
    known_ = known_ && status.ok();
    if (known_) {
      synced_->synced(number_, digest_.bytes(), digest_.value());
      synced_->save();
    }
    return status;
  }

  std::shared_ptr<SyncedLogs> synced_;
  std::uint64_t number_;
  Digest digest_;
  bool known_;  // what stands in the file, from its first byte to its last
};

/// A log, or a manifest, that is read back. It was compared with what was synced, but RocksDB reads
/// it once more, and takes whatever it cannot make sense of for the end: so what it gets is
/// compared, too. Fails as an error of the disk, upon which RocksDB does not open and changes
/// nothing.
class ReadBackLog final : public ::rocksdb::FSSequentialFileOwnerWrapper {
 public:
  ReadBackLog(std::unique_ptr<::rocksdb::FSSequentialFile> file, std::string path,
              SyncedLogs::Part part)
      : FSSequentialFileOwnerWrapper(std::move(file)), path_(std::move(path)), part_(part) {}

  IOStatus Read(std::size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    const IOStatus status = target()->Read(size, options, result, scratch, debug);
    if (!status.ok() || compared_) return status;
    const std::uint64_t left = part_.bytes - digest_.bytes();
    digest_.add({result->data(), std::min<std::size_t>(result->size(), left)});
    if (result->size() < left && result->size() == size) return status;  // more will come
    compared_ = true;
    if (digest_.bytes() == part_.bytes && digest_.value() == part_.digest) return status;
    return io_error("while reading " + path_ + " again", EIO);
  }
  IOStatus Skip(std::uint64_t size) override {
    compared_ = true;  // RocksDB skips nothing of a log that it replays
    return target()->Skip(size);
  }

 private:
  const std::string path_;
  const SyncedLogs::Part part_;
  Digest digest_;
  bool compared_ = false;
};

class WatchedFiles final : public ::rocksdb::FileSystemWrapper {
 public:
  WatchedFiles(std::shared_ptr<FileEvents> events, Logs logs)
      : FileSystemWrapper(::rocksdb::FileSystem::Default()),
        events_(std::move(events)),
        logs_(std::move(logs)) {}

  const char* Name() const override { return "WatchedFiles"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<::rocksdb::FSSequentialFile>* file,
                             IODebugContext* debug) override {
    const IOStatus status = target()->NewSequentialFile(path, options, file, debug);
    const std::uint64_t listed = listed_number_of(path);
    if (!status.ok() || listed == 0) return status;
    if (const SyncedLogs::Part part = logs_.synced->part_of(listed); part.bytes > 0) {
      *file = std::make_unique<ReadBackLog>(std::move(*file), path, part);
    }
    return status;
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<FSRandomAccessFile>* file,
                               IODebugContext*) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) return IOStatus::PathNotFound(path, "is missing");
    if (descriptor < 0) return io_error("while opening " + path, errno);
    *file = std::make_unique<TableFile>(path, descriptor, events_);
    return IOStatus::OK();
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    // One of a start that was cut short may stand there, and is cut to nothing.
    const std::uint64_t listed = listed_number_of(path);
    if (listed != 0 && !logs_.synced->forget(listed)) return io_error("before making " + path, EIO);
    return watched(target()->NewWritableFile(path, options, file, debug), path, true, file);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* debug) override {
    return watched(target()->ReopenWritableFile(path, options, file, debug), path, false, file);
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                             const FileOptions& options, std::unique_ptr<FSWritableFile>* file,
                             IODebugContext* debug) override {
    return watched(target()->ReuseWritableFile(path, old_path, options, file, debug), path, false,
                   file);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override {
    // Before: a log that is said to be there and is not is damage.
    const std::uint64_t listed = listed_number_of(path);
    if (listed != 0 && !logs_.synced->forget(listed)) {
      return io_error("before deleting " + path, EIO);
    }
    return target()->DeleteFile(path, options, debug);
  }

 private:
  IOStatus watched(IOStatus status, const std::string& path, bool is_new,
                   std::unique_ptr<FSWritableFile>* file) {
    if (!status.ok()) return status;
    const std::uint64_t listed = listed_number_of(path);
    if (listed == 0) {
      *file = std::make_unique<WatchedWritable>(std::move(*file), events_);
      return status;
    }
    const bool named = !is_new || sync_names();
    const bool known = is_new && named;
    if ((listed & kManifest) != 0) {
      *file =
          std::make_unique<ManifestFile>(std::move(*file), events_, logs_.synced, listed, known);
      return status;
    }
    // D31: whoever syncs the log would rely on a name that nobody knows to be durable, and RocksDB
    // would try again.
    if (!named) events_->log_sync_failed.store(true);
    *file = std::make_unique<LogFile>(std::move(*file), events_, logs_, listed, known);
    return status;
  }

  [[nodiscard]] bool sync_names() {
    return !events_->fail_folder_syncs.load() && logs_.synced->sync_names();
  }

  std::shared_ptr<FileEvents> events_;
  Logs logs_;
};

}  // namespace

NoWaiting::NoWaiting() {
  thread_state = {.no_waiting = true, .would_have_waited = false};
}
NoWaiting::~NoWaiting() {
  thread_state.no_waiting = false;
}
bool NoWaiting::would_have_waited() const {
  return thread_state.would_have_waited;
}

std::shared_ptr<::rocksdb::FileSystem> watched_files(std::shared_ptr<FileEvents> events,
                                                     std::shared_ptr<SyncedLogs> synced,
                                                     std::shared_ptr<OpenLogs> open) {
  return std::make_shared<WatchedFiles>(std::move(events),
                                        Logs{std::move(synced), std::move(open)});
}

}  // namespace stator::storage::rocks
