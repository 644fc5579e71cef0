#include "env_sim/trace.h"

#include <cinttypes>

namespace stator::sim {

const char* to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kWorld: return "world";
    case EventKind::kStart: return "start";
    case EventKind::kTask: return "task";
    case EventKind::kTimer: return "timer";
    case EventKind::kFrames: return "frames";
    case EventKind::kStream: return "stream";
    case EventKind::kLink: return "link";
    case EventKind::kDisk: return "disk";
    case EventKind::kBlocking: return "blocking";
    case EventKind::kShard: return "shard";
    case EventKind::kNote: return "note";
  }
  return "unknown";
}

void Trace::note(MonoTime when, std::uint32_t host, std::string_view text) {
  const std::uint64_t text_hash = hash64(text);
  hash_ = mix64(hash_ ^ static_cast<std::uint64_t>(when.ns) ^ text_hash);
  if (textual_) describe(when, EventKind::kNote, host, text_hash, text);
}

void Trace::remember(std::size_t lines) {
  capacity_ = lines;
  ring_.clear();
  next_ = 0;
  textual_ = capacity_ > 0 || file_ != nullptr;
}

void Trace::print_to(std::FILE* file) {
  file_ = file;
  textual_ = capacity_ > 0 || file_ != nullptr;
}

void Trace::write_to(std::FILE* file) const {
  std::fprintf(file, "notes\n");
  for (const Line& note : notes_) print(file, note);
  std::fprintf(file, "the last %zu lines, after %" PRIu64 " events\n", ring_.size(), events_);
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    print(file, ring_[ring_.size() < capacity_ ? i : (next_ + i) % capacity_]);
  }
}

void Trace::describe(MonoTime when, EventKind kind, std::uint32_t host, std::uint64_t bytes_hash,
                     std::string_view text) {
  Line line{when, kind, host, bytes_hash, std::string(text)};
  if (file_ != nullptr) print(file_, line);
  if (capacity_ == 0) return;
  if (kind == EventKind::kNote) notes_.push_back(line);
  if (ring_.size() < capacity_) {
    ring_.push_back(std::move(line));
  } else {
    ring_[next_] = std::move(line);
    next_ = (next_ + 1) % capacity_;
  }
}

void Trace::print(std::FILE* file, const Line& line) {
  std::fprintf(file, "%" PRId64 ".%09" PRId64 " ", line.when.ns / 1'000'000'000,
               line.when.ns % 1'000'000'000);
  if (line.host == kNoHost) {
    std::fprintf(file, "  - ");
  } else {
    std::fprintf(file, "%3" PRIu32 " ", line.host);
  }
  if (line.kind == EventKind::kNote) {
    std::fprintf(file, "%s\n", line.text.c_str());
  } else {
    std::fprintf(file, "%-8s %016" PRIx64 "\n", to_string(line.kind), line.bytes_hash);
  }
}

}  // namespace stator::sim
