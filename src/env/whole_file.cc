#include "env/disk.h"

namespace stator::env {

namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_and_sync(Disk& disk, const std::string& path, std::string_view bytes) {
  // One that is left over may be a file whose sync failed: never to be used again (D31).
  const auto left_over = disk.exists(path);
  if (!left_over) return std::unexpected(left_over.error());
  if (*left_over) {
    if (auto removed = disk.remove(path); !removed) return removed;
  }
  auto file = disk.open(path, Disk::Open::kCreateNew);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto written = (*file)->write_at(0, bytes); !written) return written;
  return (*file)->sync_now();
}

}  // namespace

Result<void> write_whole_file(Disk& disk, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  auto done = write_and_sync(disk, temporary, bytes);
  if (done) done = disk.rename(temporary, path);
  if (!done) {
    static_cast<void>(disk.remove(temporary));  // best effort: the error to tell is the first one
    return done;
  }
  return disk.sync_directory(directory_of(path));
}

Result<std::string> read_whole_file(Disk& disk, const std::string& path, std::size_t size_max) {
  auto file = disk.open(path, Disk::Open::kExisting);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size > size_max) {
    return std::unexpected(Error{.code = ErrorCode::kTooLarge,
                                 .detail = path + " has " + std::to_string(*size) +
                                           " bytes; at most " + std::to_string(size_max) +
                                           " were expected"});
  }
  std::string bytes;
  if (auto read = (*file)->read_at(0, *size, bytes); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return bytes;
}

}  // namespace stator::env
