#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stator::storage::rocks {

/// Bytes in order, as a digest that does not depend on how they were cut.
class Digest {
 public:
  void add(std::string_view bytes);
  [[nodiscard]] std::uint64_t value() const;
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::string rest_;  // less than a block
  std::uint64_t whole_ = 0;
  std::uint64_t bytes_ = 0;
};

/// How far each log of RocksDB was synced, and what stood there: the file `synced` beside them
/// (docs/format/rocksdb.md). It tells a torn tail, which every crash may leave and nobody was
/// promised, from damage to acknowledged writes; RocksDB takes either for the end of the log (D30,
/// I16). Its manifest is such a log, too: of what tables there are. Without its last entries the
/// newest tables would be removed as if nobody knew them.
///
/// What it says may lag behind the logs, and never runs ahead of them: so it never stops a start
/// after a mere crash. It is written after a sync, and is not synced itself: it survives the end of
/// the process at once, and the loss of power when the system has written it, within seconds. Only
/// a log that is going to be deleted, or begun anew, is taken from it durably, before. Any thread.
class SyncedLogs {
 public:
  /// Reads what is said of the logs in `directory` and compares it with them. Changes nothing
  /// there. kCorrupt names the log that is damaged or missing; kIo is one that cannot be read. A
  /// file that is missing, or was torn by a crash, says nothing.
  [[nodiscard]] static Result<std::shared_ptr<SyncedLogs>> open(std::string directory);
  ~SyncedLogs();
  SyncedLogs(const SyncedLogs&) = delete;
  SyncedLogs& operator=(const SyncedLogs&) = delete;

  /// Makes the name of a new log durable (D31): before anything is said of it. RocksDB does so only
  /// after the log's first sync, when another shard may be writing this list.
  [[nodiscard]] bool sync_names() const;
  struct Part {
    std::uint64_t bytes = 0;
    std::uint64_t digest = 0;
  };
  /// What is said of a log; all zero for one that nothing is said of.
  [[nodiscard]] Part part_of(std::uint64_t log);
  /// The first `bytes` of a log, of this digest, are durable.
  void synced(std::uint64_t log, std::uint64_t bytes, std::uint64_t digest);
  /// Writes down what has come about since the last time. A failure leaves what was said before.
  void save();
  /// The same, and durably.
  void save_durably();
  /// Durably, since the log is deleted next; false if that did not work: then it has to stay.
  [[nodiscard]] bool forget(std::uint64_t log);

 private:
  explicit SyncedLogs(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] Result<void> read();
  [[nodiscard]] Result<void> compare(std::uint64_t log, const Part& part) const;
  [[nodiscard]] bool open_for_writing();
  [[nodiscard]] bool write(bool durably);

  const std::string directory_;
  std::mutex mutex_;
  std::map<std::uint64_t, Part> logs_;
  bool changed_ = false;
  int descriptor_ = -1;
};

/// "/a/000012.log" -> 12; 0 for what is no log.
[[nodiscard]] std::uint64_t log_number_of(std::string_view path);

/// Under which number a file stands in the list: that of a log, or, with this bit, of a manifest,
/// "/a/MANIFEST-000005". 0 for what does not stand there.
inline constexpr std::uint64_t kManifest = 1ULL << 63;
[[nodiscard]] std::uint64_t listed_number_of(std::string_view path);

}  // namespace stator::storage::rocks
