#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"

namespace stator::sim {

enum class EventKind : std::uint8_t {
  kWorld,     // the harness: faults, checks; belongs to no process
  kStart,     // a process begins
  kTask,      // posted by the program itself
  kTimer,     // a timer of the program
  kFrames,    // frames of a peer arrive
  kStream,    // bytes, opening or end of a client connection
  kLink,      // a frame link came up or went down
  kDisk,      // a sync is complete
  kBlocking,  // a job of a side thread is complete
  kShard,     // posted by another shard of the process
  kNote,      // text for the reader of the trace, written by the harness
};
[[nodiscard]] const char* to_string(EventKind kind);

/// What happened, as one number and, where wanted, as text. The hash covers every event that was
/// delivered: its time, kind, host and bytes. Equal seed and equal binary give an equal hash (I19),
/// so a difference anywhere in a run shows at its end. Recording costs a few nanoseconds; text is
/// kept only after remember() or print_to().
class Trace {
 public:
  static constexpr std::uint32_t kNoHost = UINT32_MAX;

  void record(MonoTime when, EventKind kind, std::uint32_t host, std::uint64_t bytes_hash) {
    ++events_;
    hash_ = mix64(hash_ ^ static_cast<std::uint64_t>(when.ns));
    hash_ = mix64(hash_ ^ bytes_hash ^ ((std::uint64_t{host} << 8) | static_cast<unsigned>(kind)));
    if (textual_) describe(when, kind, host, bytes_hash, {});
  }
  /// A line of text; part of the hash too. Costs nothing but the hash when nobody reads it.
  void note(MonoTime when, std::uint32_t host, std::string_view text);

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

  /// Keeps all notes and the last `lines` events for write_to().
  void remember(std::size_t lines);
  /// Prints every event as it happens. `file` outlives the trace.
  void print_to(std::FILE* file);
  void write_to(std::FILE* file) const;

 private:
  struct Line {
    MonoTime when{};
    EventKind kind{};
    std::uint32_t host = kNoHost;
    std::uint64_t bytes_hash = 0;
    std::string text{};
  };
  void describe(MonoTime when, EventKind kind, std::uint32_t host, std::uint64_t bytes_hash,
                std::string_view text);
  static void print(std::FILE* file, const Line& line);

  std::uint64_t hash_ = 0;
  std::uint64_t events_ = 0;
  bool textual_ = false;
  std::FILE* file_ = nullptr;
  std::vector<Line> notes_;
  std::vector<Line> ring_;
  std::size_t capacity_ = 0;
  std::size_t next_ = 0;
};

}  // namespace stator::sim
