#include "env_real/real_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "env_real/system_error.h"

namespace stator::env {

namespace {

// A wish for more than the file holds costs no more memory than this beyond what is there.
constexpr std::size_t kReadPiece = 1024 * 1024;

struct SyncCall {
  Callback<void(Result<void>)> done;
  Result<void> result;
};

}  // namespace

struct RealFile::Shared {
  const Descriptor descriptor;
  const std::string path;
  std::mutex mutex;  // sync_now may meet a sync
  bool dead = false;

  // After a failed sync the kernel may have dropped the pages that it could not write, and a second
  // sync would succeed without them (D31). So the first failure is the last word.
  Result<void> sync() {
    const std::lock_guard lock(mutex);
    if (dead) {
      return std::unexpected(
          Error{.code = ErrorCode::kIo, .detail = "an earlier sync of " + path + " failed"});
    }
    int result = 0;
    do {
      result = ::fdatasync(descriptor.get());
    } while (result != 0 && errno == EINTR);
    if (result == 0) return {};
    dead = true;
    return std::unexpected(system_error("cannot sync " + path, errno));
  }
};

RealFile::RealFile(Loop& loop, Descriptor descriptor, std::string path)
    : loop_(loop), shared_(new Shared{std::move(descriptor), std::move(path), {}, false}) {}

RealFile::~RealFile() = default;

Result<void> RealFile::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(shared_->descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return std::unexpected(failed("cannot write ", errno));
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> RealFile::read_at(std::uint64_t offset, std::size_t size, std::string& out) {
  while (size > 0) {
    const std::size_t before = out.size();
    const std::size_t wanted = std::min(size, kReadPiece);
    ssize_t got = 0;
    int error = 0;
    out.resize_and_overwrite(before + wanted, [&](char* start, std::size_t) {
      got = ::pread(shared_->descriptor.get(), start + before, wanted, static_cast<off_t>(offset));
      error = errno;
      return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    });
    if (got < 0 && error == EINTR) continue;
    if (got < 0) return std::unexpected(failed("cannot read ", error));
    if (got == 0) break;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<std::uint64_t> RealFile::size() {
  struct stat info{};
  if (::fstat(shared_->descriptor.get(), &info) != 0) {
    return std::unexpected(failed("cannot ask for the size of ", errno));
  }
  return static_cast<std::uint64_t>(info.st_size);
}

Result<void> RealFile::truncate(std::uint64_t size) {
  int result = 0;
  do {
    result = ::ftruncate(shared_->descriptor.get(), static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return std::unexpected(failed("cannot cut ", errno));
  return {};
}

void RealFile::sync(Callback<void(Result<void>)> done) {
  auto call = std::make_shared<SyncCall>(SyncCall{std::move(done), {}});
  loop_.syncer().run([shared = shared_, call] { call->result = shared->sync(); },
                     [call] { call->done(std::move(call->result)); });
}

Result<void> RealFile::sync_now() {
  return shared_->sync();
}

Error RealFile::failed(const char* what, int error_number) const {
  return system_error(what + shared_->path, error_number);
}

}  // namespace stator::env
