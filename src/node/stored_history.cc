#include "node/stored_history.h"

#include <cstddef>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/probe.h"
#include "storage/disk_remedy.h"

namespace stator::node {
namespace {

constexpr std::size_t kHistoryBytesMax = 64 << 20;

std::string sealed(const History& history) {
  std::string body;
  history.encode(body);
  std::string out;
  append_u64(out, hash64(body));
  out += body;
  return out;
}

}  // namespace

Result<History> unseal_history(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint64_t checksum = reader.u64();
  if (!reader.ok() || hash64(reader.rest()) != checksum) {
    return std::unexpected(
        Error{.code = ErrorCode::kCorrupt, .detail = "its checksum does not hold"});
  }
  return History::decode(reader.rest());
}

Result<StoredHistory> read_history(env::Disk& disk, const std::string& directory) {
  StoredHistory stored;
  bool any = false;
  bool failed = false;      // the disk did not give a copy, which may be as good as ever
  bool replaceable = true;  // nothing of what cannot be used may be known there alone
  std::string damage;
  for (const char* name : kHistoryFiles) {
    const std::string path = directory + "/" + name;
    const auto exists = disk.exists(path);
    if (!exists) return std::unexpected(storage::with_disk_remedy(exists.error(), directory));
    if (!*exists) {
      stored.mend = true;
      continue;
    }
    const auto bytes = env::read_whole_file(disk, path, kHistoryBytesMax);
    auto read = bytes ? unseal_history(*bytes) : Result<History>(std::unexpected(bytes.error()));
    if (!read && read.error().code == ErrorCode::kNotSupported) {
      // Whole, and perhaps the only one that knows of the latest change.
      return std::unexpected(Error{.code = ErrorCode::kNotSupported,
                                   .detail = path + ": " + read.error().detail +
                                             ": start the version of stator that wrote it"});
    }
    if (!read) {
      STATOR_PROBE("history: one copy is damaged");
      damage = path + ": " + read.error().detail;
      failed = failed || read.error().code == ErrorCode::kIo;
      replaceable = replaceable && read.error().code == ErrorCode::kCorrupt;
      stored.mend = true;
      continue;
    }
    stored.mend = stored.mend || (any && read->version() != stored.history.version());
    if (const auto merged = stored.history.merge(*read); !merged) {
      return std::unexpected(
          Error{.code = merged.error().code,
                .detail = path +
                          ": it is of another cluster or founding than the other copy: restore the "
                          "directory from a backup, or start with an empty one"});
    }
    any = true;
  }
  if (!any && failed) {
    return std::unexpected(Error{
        .code = ErrorCode::kIo,
        .detail = damage + "; no copy of the membership history can be read: check the disk, and "
                           "start this node again"});
  }
  if (!any && !damage.empty()) {
    return std::unexpected(Error{
        .code = ErrorCode::kCorrupt,
        .detail = damage + "; both copies of the membership history are damaged: "
                           "restore the directory from a backup, or start with an empty one"});
  }
  stored.mend = stored.mend && any && replaceable;
  return stored;
}

Result<void> write_history(env::Disk& disk, const std::string& directory, const History& history) {
  const std::string bytes = sealed(history);
  for (const char* name : kHistoryFiles) {
    const auto written = env::write_whole_file(disk, directory + "/" + name, bytes);
    if (!written) return written;
  }
  return {};
}

}  // namespace stator::node
