#include "storage/rocksdb/synced_logs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"

namespace stator::storage::rocks {
namespace {

constexpr const char* kFileName = "synced";
constexpr std::string_view kMagic = "stator synced logs\n";
constexpr std::uint32_t kFormatVersion = 2;
constexpr std::string_view kManifestName = "MANIFEST-";
constexpr std::size_t kBlockSize = 4096;  // of the digest: part of the format
constexpr std::size_t kReadSize = 256 << 10;
constexpr std::size_t kFileBytesMax = 1 << 20;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }
  /// At most `size` bytes, less only at the end; nothing on an error, which is in errno.
  [[nodiscard]] std::optional<std::string> read(std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = ::read(number_, bytes.data() + done, size - done);
      if (got == 0) break;
      if (got > 0) {
        done += static_cast<std::size_t>(got);
      } else if (errno != EINTR) {
        return std::nullopt;
      }
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  int number_;
};

std::unexpected<Error> cannot_read(const std::string& path) {
  return std::unexpected(Error{.code = ErrorCode::kIo,
                               .detail = path + " cannot be read (" + std::strerror(errno) +
                                         "). Check the disk and the permissions and start again."});
}

/// As RocksDB names it: at least six digits.
std::string name_of(std::uint64_t listed) {
  const bool manifest = (listed & kManifest) != 0;
  std::string number = std::to_string(listed & ~kManifest);
  number.insert(0, 6 - std::min<std::size_t>(number.size(), 6), '0');
  return manifest ? std::string(kManifestName) + number : number + ".log";
}

/// 0 for what is none.
std::uint64_t to_number(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return problem == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace

void Digest::add(std::string_view bytes) {
  bytes_ += bytes.size();
  while (rest_.size() + bytes.size() >= kBlockSize) {
    const std::size_t taken = kBlockSize - rest_.size();
    if (rest_.empty()) {
      whole_ = hash64(bytes.substr(0, taken), whole_);
    } else {
      rest_.append(bytes.substr(0, taken));
      whole_ = hash64(rest_, whole_);
      rest_.clear();
    }
    bytes.remove_prefix(taken);
  }
  rest_.append(bytes);
}

std::uint64_t Digest::value() const {
  return hash64(rest_, whole_);
}

std::uint64_t log_number_of(std::string_view path) {
  constexpr std::string_view kExtension = ".log";
  if (!path.ends_with(kExtension)) return 0;
  path.remove_suffix(kExtension.size());
  return to_number(base_name(path));
}

std::uint64_t listed_number_of(std::string_view path) {
  const std::string_view name = base_name(path);
  if (!name.starts_with(kManifestName)) return log_number_of(path);
  const std::uint64_t number = to_number(name.substr(kManifestName.size()));
  return number == 0 ? 0 : number | kManifest;
}

Result<std::shared_ptr<SyncedLogs>> SyncedLogs::open(std::string directory) {
  std::shared_ptr<SyncedLogs> logs(new SyncedLogs(std::move(directory)));
  if (auto read = logs->read(); !read) return std::unexpected(std::move(read.error()));
  for (const auto& [log, part] : logs->logs_) {
    if (auto same = logs->compare(log, part); !same) {
      return std::unexpected(std::move(same.error()));
    }
  }
  return logs;
}

SyncedLogs::~SyncedLogs() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> SyncedLogs::read() {
  const std::string path = directory_ + "/" + kFileName;
  const Descriptor file(path);
  if (!file.is_open()) return errno == ENOENT ? Result<void>() : cannot_read(path);
  const auto bytes = file.read(kFileBytesMax);
  if (!bytes) return cannot_read(path);
  ByteReader reader(*bytes);
  if (reader.bytes(kMagic.size()) != kMagic) return {};
  // The first version is this one without manifests.
  if (const std::uint32_t version = reader.u32(); version < 1 || version > kFormatVersion)
    return {};
  std::map<std::uint64_t, Part> logs;
  for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
    const std::uint64_t log = reader.u64();
    Part& part = logs[log];
    part.bytes = reader.u64();
    part.digest = reader.u64();
  }
  const std::size_t covered = bytes->size() - reader.rest().size();
  // Behind the checksum may stand what is left of a longer list.
  const std::uint64_t checksum = reader.u64();
  if (!reader.ok() || checksum != hash64(std::string_view(*bytes).substr(0, covered))) return {};
  logs_ = std::move(logs);
  return {};
}

Result<void> SyncedLogs::compare(std::uint64_t log, const Part& part) const {
  const std::string path = directory_ + "/" + name_of(log);
  const auto damaged = [this, &path](const std::string& what) {
    return std::unexpected(
        Error{.code = ErrorCode::kCorrupt,
              .detail = path + " " + what +
                        ": acknowledged writes are damaged, and nothing was changed. Restore " +
                        directory_ +
                        ", or remove it and let this node be replaced (docs/ops/damaged-log.md)."});
  };
  const Descriptor file(path);
  if (!file.is_open() && errno == ENOENT) return damaged("is missing");
  if (!file.is_open()) return cannot_read(path);
  Digest digest;
  while (digest.bytes() < part.bytes) {
    const auto bytes = file.read(std::min<std::uint64_t>(kReadSize, part.bytes - digest.bytes()));
    if (!bytes) return cannot_read(path);
    if (bytes->empty()) {
      return damaged("is cut after " + std::to_string(digest.bytes()) + " of the " +
                     std::to_string(part.bytes) + " bytes that were synced");
    }
    digest.add(*bytes);
  }
  if (digest.value() == part.digest) return {};
  return damaged("is not as it was written, within the " + std::to_string(part.bytes) +
                 " bytes that were synced");
}

bool SyncedLogs::sync_names() const {
  const Descriptor folder(directory_);
  return folder.is_open() && ::fsync(folder.number()) == 0;
}

SyncedLogs::Part SyncedLogs::part_of(std::uint64_t log) {
  const std::lock_guard lock(mutex_);
  const auto known = logs_.find(log);
  return known == logs_.end() ? Part() : known->second;
}

void SyncedLogs::synced(std::uint64_t log, std::uint64_t bytes, std::uint64_t digest) {
  const std::lock_guard lock(mutex_);
  const auto known = logs_.find(log);
  // Two syncs of one log may end in any order.
  if (bytes <= (known == logs_.end() ? 0 : known->second.bytes)) return;
  logs_[log] = {bytes, digest};
  changed_ = true;
}

void SyncedLogs::save() {
  const std::lock_guard lock(mutex_);
  if (changed_ && write(/*durably=*/false)) changed_ = false;
}

void SyncedLogs::save_durably() {
  const std::lock_guard lock(mutex_);
  if (write(/*durably=*/true)) changed_ = false;
}

bool SyncedLogs::forget(std::uint64_t log) {
  const std::lock_guard lock(mutex_);
  const auto known = logs_.find(log);
  if (known == logs_.end()) return true;
  const Part part = known->second;
  logs_.erase(known);
  if (write(/*durably=*/true)) {
    changed_ = false;
    return true;
  }
  logs_[log] = part;
  return false;
}

bool SyncedLogs::open_for_writing() {
  if (descriptor_ >= 0) return true;
  const std::string path = directory_ + "/" + kFileName;
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) return false;
  // A name that a crash takes back would say nothing, which is safe: no reason to fail.
  static_cast<void>(sync_names());
  return true;
}

bool SyncedLogs::write(bool durably) {
  if (!open_for_writing()) return false;
  std::string out(kMagic);
  append_u32(out, kFormatVersion);
  append_u32(out, static_cast<std::uint32_t>(logs_.size()));
  for (const auto& [log, part] : logs_) {
    append_u64(out, log);
    append_u64(out, part.bytes);
    append_u64(out, part.digest);
  }
  append_u64(out, hash64(out));
  // In place: neither its space nor its size change, so that a later sync of a log has no more to
  // do.
  const ssize_t written = ::pwrite(descriptor_, out.data(), out.size(), 0);
  if (written != static_cast<ssize_t>(out.size())) return false;
  return !durably || ::fdatasync(descriptor_) == 0;
}

}  // namespace stator::storage::rocks
