#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

// The file calls of this test program, RocksDB's and ours alike: the program defines open(),
// write(), fsync() and their like itself, in front of the C library's, so that everything below one
// folder is seen, written down, and can be made to fail. What goes through stdio is not seen, but
// for RocksDB's sequential reads: its information log, which no promise stands on.

namespace stator::crash {

enum class Call : std::uint8_t {
  kOpen,    // of a file that is there
  kCreate,  // of a file or a folder
  kRead,
  kWrite,
  kResize,  // truncation, allocation of space
  kSync,    // of a file
  kRename,
  kRemove,
  kSyncFolder,
};

/// What becomes of one call.
struct Fault {
  int error = 0;        // fails with this
  bool flip = false;    // of a read: one bit of what it returns is another
  bool zero = false;    // a read returns zeros; a write leaves zeros
  bool astray = false;  // a read returns what stands beside its place; a write goes there
  bool half = false;    // half of a read or a write is done, and that is what it returns
  bool skip = false;    // reports success and does nothing
};

/// What was done to files and names, in order. Paths are relative to the folder; files are numbers,
/// since their names change.
struct Event {
  enum class Kind : std::uint8_t {
    kCreate,
    kCreateFolder,
    kWrite,
    kResize,
    kSync,
    kRename,
    kRemove,
    kSyncFolder,
    kMark,
  };
  Kind kind = Kind::kMark;
  std::uint64_t file = 0;
  std::string path{};
  std::string to{};          // of a rename
  std::uint64_t number = 0;  // offset, size, or what the test marks
  std::string bytes{};
};

/// Watches one folder while it lives. At most one at a time; any thread may make calls.
class FileCalls {
 public:
  using Decide = std::function<Fault(Call, const std::string& path)>;

  /// `folder` is there, empty if its calls are recorded.
  explicit FileCalls(std::string folder);
  ~FileCalls();
  FileCalls(const FileCalls&) = delete;
  FileCalls& operator=(const FileCalls&) = delete;

  /// Asked in front of every call, with the lock held: it makes no file calls.
  void decide(Decide decide);
  void record(bool on);
  /// Notes in order with the events that something was promised.
  void mark(const std::string& what, std::uint64_t number);
  [[nodiscard]] std::vector<Event> events();

  // For the calls themselves.
  struct OpenFile {
    std::string path;
    std::uint64_t file = 0;
    std::uint64_t position = 0;
    bool append = false;
    bool folder = false;
  };
  [[nodiscard]] bool covers(const char* path) const;
  [[nodiscard]] std::string relative(const char* path) const;
  [[nodiscard]] std::mutex& mutex() { return mutex_; }
  [[nodiscard]] Fault ask(Call call, const std::string& path) const {
    return decide_ ? decide_(call, path) : Fault{};
  }
  [[nodiscard]] OpenFile* find(int descriptor);
  void opened(int descriptor, const std::string& path, int flags, bool folder);
  void closed(int descriptor) { open_.erase(descriptor); }
  void wrote(OpenFile& file, std::uint64_t offset, const char* bytes, std::size_t size);
  void resized(const OpenFile& file, std::uint64_t size);
  [[nodiscard]] std::uint64_t size_of(const OpenFile& file) { return sizes_[file.file]; }
  void synced(const OpenFile& file);
  void renamed(const std::string& from, const std::string& to);
  void removed(const std::string& path);
  void made_folder(const std::string& path);

  [[nodiscard]] static FileCalls* watching();

 private:
  void add(Event event) {
    if (recording_) events_.push_back(std::move(event));
  }

  const std::string folder_;
  std::mutex mutex_;
  Decide decide_;
  bool recording_ = false;
  std::vector<Event> events_;
  std::map<int, OpenFile> open_;
  std::map<std::string, std::uint64_t> names_;
  std::map<std::uint64_t, std::uint64_t> sizes_;
  std::uint64_t files_ = 0;
};

}  // namespace stator::crash
