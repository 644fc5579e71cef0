#include "limit/append_log.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace stator::limit {

namespace {

constexpr std::uint64_t kSegmentSize = std::uint64_t{64} << 20;

struct RecordHeader {
  std::uint32_t size = 0;
  std::uint32_t key_size = 0;
  std::uint64_t version = 0;
};

[[noreturn]] void log_failed(const char* what) {
  std::fprintf(stderr, "limit: the log failed in %s: %s\n", what, std::strerror(errno));
  std::_Exit(1);
}

Error io_error(const std::string& what) {
  return {.code = ErrorCode::kIo, .detail = what + ": " + std::strerror(errno)};
}

bool fill_with_zeros(int file) {
  const std::vector<char> zeros(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < kSegmentSize; at += zeros.size()) {
    if (pwrite(file, zeros.data(), zeros.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(zeros.size())) {
      return false;
    }
  }
  return fdatasync(file) == 0;
}

}  // namespace

Result<std::unique_ptr<AppendLog>> AppendLog::open(const std::string& path, Durability durability,
                                                   Counters& counters) {
  std::unique_ptr<AppendLog> log(new AppendLog(durability, counters));
  if (durability == Durability::kMemory) return log;
  log->file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (log->file_ < 0) return std::unexpected(io_error("cannot open " + path));
  if (!fill_with_zeros(log->file_)) return std::unexpected(io_error("cannot fill " + path));
  if (durability == Durability::kSync) {
    log->completion_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (log->completion_ < 0) return std::unexpected(io_error("eventfd"));
    log->thread_ = std::thread(&AppendLog::sync_loop, log.get());
  }
  return log;
}

AppendLog::~AppendLog() {
  if (thread_.joinable()) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    work_.notify_one();
    thread_.join();
  }
  if (file_ >= 0) close(file_);
  if (completion_ >= 0) close(completion_);
}

std::uint64_t AppendLog::append(std::uint64_t version, std::string_view key,
                                std::string_view value) {
  RecordHeader header;
  header.size = static_cast<std::uint32_t>(sizeof header + key.size() + value.size());
  header.key_size = static_cast<std::uint32_t>(key.size());
  header.version = version;
  char raw[sizeof header];
  std::memcpy(raw, &header, sizeof header);
  gathering_.append({raw, sizeof raw});
  gathering_.append(key);
  gathering_.append(value);
  return ++appended_;
}

void AppendLog::end_turn() {
  if (gathering_.empty()) return;
  if (durability_ == Durability::kPageCache) {
    write_group(gathering_.view());
    gathering_.clear();
    stable_.store(appended_, std::memory_order_relaxed);
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (busy_) return;  // its completion wakes the loop, whose end of turn comes here again
    std::swap(gathering_, committing_);
    committing_last_ = appended_;
    busy_ = true;
  }
  work_.notify_one();
}

void AppendLog::drain_completions() {
  std::uint64_t count = 0;
  ++counters_.other_calls;
  // Nothing to read is possible and harmless: an earlier call took the same completion.
  [[maybe_unused]] const ssize_t got = read(completion_, &count, sizeof count);
}

void AppendLog::write_group(std::string_view group) {
  while (!group.empty()) {
    if (offset_ == kSegmentSize) offset_ = 0;
    const std::size_t room = static_cast<std::size_t>(kSegmentSize - offset_);
    const std::size_t size = group.size() < room ? group.size() : room;
    counters_.log_calls.fetch_add(1, std::memory_order_relaxed);
    const ssize_t written = pwrite(file_, group.data(), size, static_cast<off_t>(offset_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) log_failed("pwrite");
    offset_ += static_cast<std::uint64_t>(written);
    group.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AppendLog::sync_loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return busy_ || stopping_; });
    if (!busy_) return;
    lock.unlock();  // busy_ keeps the loop away from committing_
    write_group(committing_.view());
    counters_.log_calls.fetch_add(2, std::memory_order_relaxed);
    if (fdatasync(file_) != 0) log_failed("fdatasync");
    committing_.clear();
    lock.lock();
    stable_.store(committing_last_, std::memory_order_release);
    busy_ = false;
    const std::uint64_t one = 1;
    if (write(completion_, &one, sizeof one) != sizeof one) log_failed("eventfd");
  }
}

}  // namespace stator::limit
