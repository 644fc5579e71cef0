#include "env_sim/disk.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "env_sim/host.h"
#include "env_sim/process.h"

namespace stator::sim {
namespace {

Error closed() {
  return {.code = ErrorCode::kClosed};
}

Error broken() {
  return {.code = ErrorCode::kIo, .detail = "this file cannot be used any more"};
}

// Of a call that would change something, and may need room for that.
Result<void> may_change(DiskImage& image) {
  if (image.read_only) {
    return std::unexpected(Error{.code = ErrorCode::kIo, .detail = "the disk is read-only"});
  }
  if (image.random().chance(image.faults.no_room)) {
    return std::unexpected(Error{.code = ErrorCode::kDiskFull});
  }
  return {};
}

Duration sync_delay(DiskImage& image) {
  const DiskFaults& faults = image.faults;
  Random& random = image.random();
  Duration delay = faults.sync_min + random.exponential(faults.sync_mean);
  if (random.chance(faults.sync_tail)) {
    delay = delay + std::min(random.exponential(faults.sync_tail_mean), faults.sync_tail_max);
  }
  return delay;
}

// The syncs of one open file that are under way. They complete even if the file is closed
// meanwhile.
class SyncQueue {
 public:
  SyncQueue(DiskImage& image, ShardLoop& loop, std::shared_ptr<FileContent> content)
      : image_(image), loop_(loop), content_(std::move(content)) {}

  static void begin(const std::shared_ptr<SyncQueue>& queue, Callback<void(Result<void>)> done) {
    const MonoTime end = std::max(queue->last_end_, queue->loop_.now()) + sync_delay(queue->image_);
    queue->last_end_ = end;
    queue->pending_.push_back({queue->content_->changes(), std::move(done)});
    queue->loop_.schedule(end, EventKind::kDisk, [queue] { queue->complete(); });
  }
  Result<void> finish(std::uint64_t changes) {
    const bool full = image_.random().chance(image_.faults.no_room);
    if (full || image_.read_only || content_->broken ||
        image_.random().chance(image_.faults.sync_fails)) {
      fail(changes);
    }
    if (failed_ || content_->sync_failed) {
      return std::unexpected(
          Error{.code = full ? ErrorCode::kDiskFull : ErrorCode::kIo, .detail = "sync failed"});
    }
    content_->make_durable(changes);
    return {};
  }

 private:
  struct Pending {
    std::uint64_t changes = 0;
    Callback<void(Result<void>)> done;
  };
  // Dead for whoever has it open in any case (env/disk.h).
  void fail(std::uint64_t changes) {
    failed_ = true;
    if (image_.faults.sync_forgets) {
      content_->forget(changes);
    } else {
      content_->sync_failed = true;
    }
  }
  void complete() {
    Pending first = std::move(pending_.front());
    pending_.pop_front();
    first.done(finish(first.changes));
  }

  DiskImage& image_;
  ShardLoop& loop_;
  std::shared_ptr<FileContent> content_;
  std::deque<Pending> pending_;
  MonoTime last_end_{};
  bool failed_ = false;
};

class SimFile final : public env::File {
 public:
  SimFile(DiskImage& image, ShardLoop& loop, std::shared_ptr<FileContent> content)
      : image_(image),
        loop_(loop),
        content_(content),
        syncs_(std::make_shared<SyncQueue>(image, loop, std::move(content))) {
    image_.file_opened();
  }
  ~SimFile() override { image_.file_closed(); }
  SimFile(const SimFile&) = delete;
  SimFile& operator=(const SimFile&) = delete;

  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override;
  Result<void> read_at(std::uint64_t offset, std::size_t size, std::string& out) override;
  Result<std::uint64_t> size() override { return content_->bytes().size(); }
  Result<void> truncate(std::uint64_t size) override;
  Result<void> begin_call(bool changes);
  void sync(Callback<void(Result<void>)> done) override;
  Result<void> sync_now() override;

 private:
  DiskImage& image_;
  ShardLoop& loop_;
  std::shared_ptr<FileContent> content_;
  std::shared_ptr<SyncQueue> syncs_;
};

Result<void> SimFile::begin_call(bool changes) {
  if (!loop_.alive()) return std::unexpected(closed());
  loop_.process().block(image_.faults.call_cost);
  if (image_.random().chance(image_.faults.file_breaks)) content_->broken = true;
  if (content_->broken) return std::unexpected(broken());
  return changes ? may_change(image_) : Result<void>();
}

Result<void> SimFile::write_at(std::uint64_t offset, std::string_view bytes) {
  if (auto begun = begin_call(true); !begun) return begun;
  if (image_.random().chance(image_.faults.write_fails)) {
    content_->write(offset, bytes.substr(0, image_.random().below(bytes.size() + 1)));
    return std::unexpected(Error{.code = ErrorCode::kIo, .detail = "write failed"});
  }
  const std::uint64_t end = offset + bytes.size();
  const std::uint64_t old = content_->bytes().size();
  // Summing up all files is slow, so that it is done only where it can matter.
  if (end > old && image_.faults.capacity < DiskFaults::kRoomy &&
      image_.used_bytes() + (end - old) > image_.faults.capacity) {
    return std::unexpected(Error{.code = ErrorCode::kDiskFull});
  }
  if (!image_.write_astray(*content_, offset, bytes)) content_->write(offset, bytes);
  return {};
}

Result<void> SimFile::read_at(std::uint64_t offset, std::size_t size, std::string& out) {
  if (auto begun = begin_call(false); !begun) return begun;
  if (image_.random().chance(image_.faults.read_fails)) {
    return std::unexpected(Error{.code = ErrorCode::kIo, .detail = "read failed"});
  }
  content_->read(offset, size, out);
  return {};
}

Result<void> SimFile::truncate(std::uint64_t size) {
  if (auto begun = begin_call(true); !begun) return begun;
  content_->truncate(size);
  return {};
}

void SimFile::sync(Callback<void(Result<void>)> done) {
  if (loop_.alive()) SyncQueue::begin(syncs_, std::move(done));
}

Result<void> SimFile::sync_now() {
  if (!loop_.alive()) return std::unexpected(closed());
  loop_.process().block(sync_delay(image_));
  return syncs_->finish(content_->changes());
}

class SimLock final : public env::DirectoryLock {
 public:
  SimLock(DiskImage& image, ShardLoop& loop, std::string directory)
      : image_(image), loop_(loop), directory_(std::move(directory)) {}
  ~SimLock() override {
    // The death of its process has released it already, and another may hold it by now.
    if (loop_.alive()) image_.unlock(directory_);
  }
  SimLock(const SimLock&) = delete;
  SimLock& operator=(const SimLock&) = delete;

 private:
  DiskImage& image_;
  ShardLoop& loop_;
  std::string directory_;
};

}  // namespace

Result<void> ShardDisk::begin_call() {
  if (!loop_.alive()) return std::unexpected(closed());
  loop_.process().block(image_.faults.call_cost);
  return {};
}

Result<void> ShardDisk::begin_change() {
  if (auto begun = begin_call(); !begun) return begun;
  return may_change(image_);
}

Result<std::unique_ptr<env::File>> ShardDisk::open(const std::string& path, Open mode) {
  if (auto begun = begin_call(); !begun) return std::unexpected(begun.error());
  if (image_.is_directory(path)) {
    return std::unexpected(Error{.code = ErrorCode::kIo, .detail = path + ": is a directory"});
  }
  std::shared_ptr<FileContent> content = image_.find(path);
  if (content != nullptr && mode == Open::kCreateNew) {
    return std::unexpected(
        Error{.code = ErrorCode::kConflict, .detail = path + ": exists already"});
  }
  if (content == nullptr) {
    if (mode == Open::kExisting) {
      return std::unexpected(Error{.code = ErrorCode::kIo, .detail = path + ": no such file"});
    }
    if (auto may = may_change(image_); !may) return std::unexpected(may.error());
    auto created = image_.create(path);
    if (!created) return std::unexpected(created.error());
    content = std::move(*created);
  }
  return std::make_unique<SimFile>(image_, loop_, std::move(content));
}

Result<bool> ShardDisk::exists(const std::string& path) {
  if (auto begun = begin_call(); !begun) return std::unexpected(begun.error());
  return image_.exists(path);
}

Result<void> ShardDisk::create_directories(const std::string& path) {
  // On a disk that takes no changes, one that is there is found all the same.
  auto begun = image_.is_directory(path) ? begin_call() : begin_change();
  return begun ? image_.create_directories(path) : begun;
}

Result<std::vector<std::string>> ShardDisk::list(const std::string& path) {
  if (auto begun = begin_call(); !begun) return std::unexpected(begun.error());
  return image_.list(path);
}

Result<void> ShardDisk::rename(const std::string& from, const std::string& to) {
  if (auto begun = begin_change(); !begun) return begun;
  return image_.rename(from, to);
}

Result<void> ShardDisk::remove(const std::string& path) {
  if (auto begun = begin_call(); !begun) return begun;
  if (image_.read_only) return may_change(image_);
  return image_.remove(path);
}

Result<void> ShardDisk::sync_directory(const std::string& path) {
  if (auto begun = begin_change(); !begun) return begun;
  loop_.process().block(sync_delay(image_));
  return image_.sync_directory(path);
}

Result<std::unique_ptr<env::DirectoryLock>> ShardDisk::lock(const std::string& directory) {
  if (auto begun = begin_call(); !begun) return std::unexpected(begun.error());
  if (!image_.is_directory(directory)) {
    return std::unexpected(
        Error{.code = ErrorCode::kIo, .detail = directory + ": no such directory"});
  }
  if (!image_.lock(directory)) {
    return std::unexpected(
        Error{.code = ErrorCode::kConflict, .detail = directory + " is in use by another process"});
  }
  return std::make_unique<SimLock>(image_, loop_, directory);
}

Result<std::uint64_t> ShardDisk::free_bytes(const std::string& path) {
  if (auto begun = begin_call(); !begun) return std::unexpected(begun.error());
  if (!image_.exists(path)) {
    return std::unexpected(Error{.code = ErrorCode::kIo, .detail = path + ": does not exist"});
  }
  const std::uint64_t used = image_.used_bytes();
  return image_.faults.capacity > used ? image_.faults.capacity - used : 0;
}

}  // namespace stator::sim
