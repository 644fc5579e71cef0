#include "storage/open_engine.h"

#include <array>
#include <string>
#include <utility>

#include "storage/directories.h"
#include "storage/disk_remedy.h"
#include "storage/memory/memory_engine.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace stator::storage {
namespace {

struct Kind {
  const Capabilities& (*capabilities)();
  Result<std::unique_ptr<EngineHome>> (*open)(const EngineOptions&, const env::Env&);
};
constexpr std::array kKinds = {Kind{&rocks::capabilities, &rocks::open},
                               Kind{&memory::capabilities, &memory::open}};

// The file that says whose directory it is; written before the engine's first file.
constexpr std::string_view kMarkerName = "ENGINE";
constexpr std::string_view kMarkerPrefix = "stator engine ";

std::string marker_of(std::string_view name) {
  return std::string(kMarkerPrefix).append(name).append("\n");
}

Error error(ErrorCode code, std::string detail) {
  return {.code = code, .detail = std::move(detail)};
}

/// Refuses a directory of another engine, or of something else.
Result<void> check_owner(const EngineOptions& options, env::Disk& disk, bool create) {
  const std::string marker = options.directory + "/" + std::string(kMarkerName);
  const auto marked = disk.exists(marker);
  if (!marked) return std::unexpected(marked.error());
  if (*marked) {
    const auto owner = env::read_whole_file(disk, marker, 256);
    if (!owner) return std::unexpected(owner.error());
    if (*owner == marker_of(options.name)) return {};
    for (const Kind& kind : kKinds) {
      const std::string other(kind.capabilities().name);
      if (*owner != marker_of(other)) continue;
      return std::unexpected(
          error(ErrorCode::kConflict, options.directory + " belongs to the engine " + other +
                                          ". Use that engine, or another directory."));
    }
    return std::unexpected(
        error(ErrorCode::kCorrupt, marker + " is damaged. Write `" + std::string(kMarkerPrefix) +
                                       "NAME` into it, with the name of the engine "
                                       "that made the directory."));
  }
  if (!create) return {};
  if (auto made = create_durable_directories(disk, options.directory); !made) return made;
  const auto names = disk.list(options.directory);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (name.starts_with(kMarkerName)) continue;  // its making was interrupted
    return std::unexpected(
        error(ErrorCode::kConflict, options.directory + " holds files that are no engine's (" +
                                        name + "). Use an empty or missing directory."));
  }
  return env::write_whole_file(disk, marker, marker_of(options.name));
}

}  // namespace

std::vector<Capabilities> known_engines() {
  std::vector<Capabilities> known;
  for (const Kind& kind : kKinds) known.push_back(kind.capabilities());
  return known;
}

bool keeps_files(const EngineOptions& options) {
  if (options.journal) return true;
  for (const Kind& kind : kKinds) {
    if (kind.capabilities().name == options.name) return kind.capabilities().survives_process;
  }
  return true;
}

Result<std::unique_ptr<EngineHome>> open_engine(const EngineOptions& options, const env::Env& env) {
  std::string names;
  for (const Kind& kind : kKinds) {
    const std::string_view name = kind.capabilities().name;
    names.append(names.empty() ? "" : ", ").append(name);
    if (name != options.name) continue;
    if (auto owned = check_owner(options, env.disk, keeps_files(options)); !owned) {
      return std::unexpected(with_disk_remedy(std::move(owned.error()), options.directory));
    }
    return kind.open(options, env);
  }
  return std::unexpected(error(ErrorCode::kNotSupported, "There is no engine \"" + options.name +
                                                             "\". Use one of: " + names + "."));
}

}  // namespace stator::storage
