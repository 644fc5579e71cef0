#include "storage/data_directory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/probe.h"
#include "storage/directories.h"
#include "storage/disk_remedy.h"

namespace stator::storage {
namespace {

constexpr std::string_view kMagic = "stator data directory\n";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kIdentityBytesMax = 4096;

Error error(ErrorCode code, std::string detail) {
  return Error{.code = code, .detail = std::move(detail)};
}

std::string encode(const NodeIdentity& identity) {
  std::string out(kMagic);
  append_u32(out, kFormatVersion);
  append_sized(out, identity.cluster_id);
  append_u64(out, identity.node_id.value);
  append_sized(out, identity.name);
  append_sized(out, identity.engine);
  append_u64(out, hash64(out));
  return out;
}

Result<NodeIdentity> decode(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.bytes(kMagic.size()) != kMagic) {
    return std::unexpected(
        error(ErrorCode::kCorrupt, "it is no identity file of a data directory"));
  }
  // Every version ends with this checksum, so that a rotten version number is not taken for a newer
  // one.
  const std::size_t covered = bytes.size() - std::min(bytes.size(), sizeof(std::uint64_t));
  ByteReader trailer(bytes.substr(covered));
  if (trailer.u64() != hash64(bytes.substr(0, covered))) {
    return std::unexpected(error(ErrorCode::kCorrupt, "its checksum does not hold"));
  }
  const std::uint32_t version = reader.u32();
  if (reader.ok() && version != kFormatVersion) {
    return std::unexpected(error(ErrorCode::kNotSupported, "it has format " +
                                                               std::to_string(version) +
                                                               ", and this program reads format " +
                                                               std::to_string(kFormatVersion)));
  }
  NodeIdentity identity;
  identity.cluster_id = reader.sized();
  identity.node_id = {reader.u64()};
  identity.name = reader.sized();
  identity.engine = reader.sized();
  static_cast<void>(reader.u64());
  if (!reader.finished() || !identity.node_id) {
    return std::unexpected(error(ErrorCode::kCorrupt, "it makes no sense"));
  }
  return identity;
}

class OpenDirectory final : public DataDirectory {
 public:
  OpenDirectory(std::unique_ptr<env::DirectoryLock> lock, NodeIdentity identity, bool existed,
                bool mended)
      : lock_(std::move(lock)),
        identity_(std::move(identity)),
        existed_(existed),
        mended_(mended) {}
  [[nodiscard]] const NodeIdentity& identity() const override { return identity_; }
  [[nodiscard]] bool existed() const override { return existed_; }
  [[nodiscard]] bool mended() const override { return mended_; }

 private:
  std::unique_ptr<env::DirectoryLock> lock_;
  NodeIdentity identity_;
  bool existed_;
  bool mended_;
};

Result<void> save(env::Disk& disk, const std::string& path, const NodeIdentity& identity) {
  const std::string bytes = encode(identity);
  for (const char* name : kIdentityCopies) {
    if (auto written = env::write_whole_file(disk, path + "/" + name, bytes); !written)
      return written;
  }
  return {};
}

/// The identity that stands in the directory; empty node id when there is none. `mended`: one copy
/// was written anew.
Result<NodeIdentity> load(env::Disk& disk, const std::string& path, bool& mended) {
  NodeIdentity found;
  bool damaged = false;
  bool failed = false;  // the disk did not give a copy, which may be as good as ever
  std::string damage;
  for (const char* name : kIdentityCopies) {
    const std::string file = path + "/" + name;
    const auto exists = disk.exists(file);
    if (!exists) return std::unexpected(with_disk_remedy(exists.error(), path));
    if (!*exists) {
      damaged = true;
      continue;
    }
    const auto bytes = env::read_whole_file(disk, file, kIdentityBytesMax);
    const auto identity =
        bytes ? decode(*bytes) : Result<NodeIdentity>(std::unexpected(bytes.error()));
    if (identity) {
      // The first copy is written first: where they differ, it is the newer one.
      if (!found.node_id) found = *identity;
      if (*identity != found) damaged = true;
      continue;
    }
    if (identity.error().code == ErrorCode::kNotSupported) {
      return std::unexpected(error(
          ErrorCode::kNotSupported,
          file + ": " + identity.error().detail + ": start the version of stator that wrote it"));
    }
    damaged = true;
    failed = failed || identity.error().code == ErrorCode::kIo;
    damage = file + ": " + identity.error().detail;
  }
  if (!found.node_id && failed) {
    return std::unexpected(
        error(ErrorCode::kIo, damage + "; no copy of the identity can be read: check the disk of " +
                                  path + ", and start this node again"));
  }
  if (!found.node_id && !damage.empty()) {
    return std::unexpected(error(
        ErrorCode::kCorrupt, damage + "; both copies of the identity are damaged: restore " + path +
                                 " from a backup, or start this node with an empty directory"));
  }
  if (found.node_id && damaged) {
    STATOR_PROBE("identity: one copy is mended by the other");
    if (auto saved = save(disk, path, found); !saved) {
      return std::unexpected(with_disk_remedy(std::move(saved.error()), path));
    }
    mended = true;
  }
  return found;
}

Result<void> compare(const std::string& path, NodeIdentity& has, const DirectoryWish& wish,
                     bool& changed) {
  const NodeIdentity& wants = wish.identity;
  if (!wants.cluster_id.empty() && has.cluster_id.empty()) {
    has.cluster_id = wants.cluster_id;
    if (wants.node_id) has.node_id = wants.node_id;
    changed = true;
  }
  if (!wants.cluster_id.empty() && wants.cluster_id != has.cluster_id) {
    return std::unexpected(
        error(ErrorCode::kConflict, "the data directory " + path + " belongs to cluster '" +
                                        has.cluster_id + "', not to '" + wants.cluster_id +
                                        "': give another --data-dir, or the right --cluster-id"));
  }
  if (!wants.name.empty() && wants.name != has.name) {
    return std::unexpected(
        error(ErrorCode::kConflict, "the data directory " + path + " belongs to node '" + has.name +
                                        "', not to '" + wants.name +
                                        "': give another --data-dir, or --name " + has.name));
  }
  if (wants.node_id && wants.node_id != has.node_id) {
    return std::unexpected(error(ErrorCode::kConflict, "the data directory " + path +
                                                           " belongs to another node of cluster '" +
                                                           has.cluster_id +
                                                           "': give another --data-dir"));
  }
  if (!wants.engine.empty() && wants.engine != has.engine) {
    return std::unexpected(error(ErrorCode::kConflict, "the data directory " + path +
                                                           " was made with engine '" + has.engine +
                                                           "', not '" + wants.engine +
                                                           "': start with --engine " + has.engine +
                                                           ", or give an empty --data-dir"));
  }
  return {};
}

/// Refuses to make a node where `names` tell of something else, or of a node's data. A crash while
/// the directory was made leaves the lock, temporary files, and nothing else.
Result<void> nothing_else(env::Disk& disk, const std::string& path,
                          const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == "LOCK" || name.starts_with("identity")) continue;
    const auto data = disk.exists(path + "/" + name + "/ENGINE");
    if (data && *data) {
      return std::unexpected(
          error(ErrorCode::kCorrupt, "the data directory " + path +
                                         " holds data, and both copies of its identity are "
                                         "missing: restore identity from a backup, or start this "
                                         "node with an empty directory"));
    }
    return std::unexpected(
        error(ErrorCode::kConflict, "the directory " + path +
                                        " is not empty and is no data directory of stator "
                                        "(it holds '" +
                                        name + "'): give an empty or a new --data-dir"));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> open_data_directory(env::Disk& disk,
                                                           const DirectoryWish& wish) {
  if (auto made = create_durable_directories(disk, wish.path); !made) {
    Error failed = std::move(made.error());
    failed.detail = "cannot make the data directory " + wish.path + " (" + failed.detail + ")";
    if (failed.code == ErrorCode::kDiskFull) {
      return std::unexpected(with_disk_remedy(std::move(failed), wish.path));
    }
    failed.detail += ": give another --data-dir, one that this user may write";
    return std::unexpected(std::move(failed));
  }
  auto names = disk.list(wish.path);
  if (!names) return std::unexpected(with_disk_remedy(std::move(names.error()), wish.path));
  // Locking makes a file: what belongs to something else is refused before, and nothing is left in
  // it. A process that makes this directory just now has locked it already.
  const bool locked = std::find(names->begin(), names->end(), "LOCK") != names->end();
  const bool ours = std::any_of(names->begin(), names->end(), [](const std::string& name) {
    return name.starts_with("identity");
  });
  if (!locked && !ours) {
    if (auto free = nothing_else(disk, wish.path, *names); !free) {
      return std::unexpected(std::move(free.error()));
    }
  }
  auto lock = disk.lock(wish.path);
  if (!lock) {
    Error failed = with_disk_remedy(std::move(lock.error()), wish.path);
    if (failed.code == ErrorCode::kConflict) {
      failed.detail += ": stop it, or give another --data-dir";
    }
    return std::unexpected(std::move(failed));
  }
  bool mended = false;
  auto loaded = load(disk, wish.path, mended);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  NodeIdentity identity = std::move(*loaded);
  const bool existed = static_cast<bool>(identity.node_id);
  bool changed = false;
  if (existed) {
    // Whoever wrote it may have been killed before its name was durable.
    if (auto synced = disk.sync_directory(wish.path); !synced) {
      return std::unexpected(with_disk_remedy(std::move(synced.error()), wish.path));
    }
    if (auto agrees = compare(wish.path, identity, wish, changed); !agrees) {
      return std::unexpected(std::move(agrees.error()));
    }
  } else {
    if (auto free = nothing_else(disk, wish.path, *names); !free) {
      return std::unexpected(std::move(free.error()));
    }
    identity = wish.identity;
    if (!identity.node_id) identity.node_id = wish.new_node_id;
    if (identity.engine.empty()) identity.engine = wish.new_engine;
    changed = true;
  }
  if (changed) {
    if (auto saved = save(disk, wish.path, identity); !saved) {
      return std::unexpected(with_disk_remedy(std::move(saved.error()), wish.path));
    }
  }
  return std::make_unique<OpenDirectory>(std::move(*lock), std::move(identity), existed, mended);
}

}  // namespace stator::storage
