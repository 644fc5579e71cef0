#include "storage/testing/fake_disk.h"

#include <utility>

#include "storage/directories.h"

namespace stator::storage::testing {
namespace {

Error failure(ErrorCode code) {
  return {.code = code, .detail = "injected"};
}

class FakeFile final : public env::File {
 public:
  FakeFile(FakeDisk& disk, std::shared_ptr<FakeDisk::Content> content,
           std::shared_ptr<std::size_t> open_files)
      : disk_(disk), content_(std::move(content)), open_files_(std::move(open_files)) {
    ++*open_files_;
  }
  ~FakeFile() override { --*open_files_; }
  FakeFile(const FakeFile&) = delete;
  FakeFile& operator=(const FakeFile&) = delete;

  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    std::string& all = content_->bytes;
    const bool fails = disk_.writes_fail && disk_.writes_spared == 0;
    if (disk_.writes_fail && !fails) --disk_.writes_spared;
    // A failing write leaves a part behind.
    const std::string_view kept = fails ? bytes.substr(0, bytes.size() / 2) : bytes;
    if (all.size() < offset + kept.size()) all.resize(offset + kept.size());
    all.replace(offset, kept.size(), kept);
    if (fails) return std::unexpected(failure(*disk_.writes_fail));
    return {};
  }
  Result<void> read_at(std::uint64_t offset, std::size_t size, std::string& out) override {
    if (disk_.reads_fail) return std::unexpected(failure(*disk_.reads_fail));
    if (offset < content_->bytes.size()) out.append(content_->bytes, offset, size);
    return {};
  }
  Result<std::uint64_t> size() override { return content_->bytes.size(); }
  Result<void> truncate(std::uint64_t size) override {
    content_->bytes.resize(size);
    return {};
  }
  void sync(Callback<void(Result<void>)> done) override {
    ++disk_.syncs;
    content_->syncs.emplace_back(content_->bytes, std::move(done));
    if (!disk_.hold_syncs) disk_.complete_syncs();
  }
  Result<void> sync_now() override {
    content_->sync_failed = content_->sync_failed || disk_.syncs_fail.has_value();
    if (content_->sync_failed) {
      return std::unexpected(failure(disk_.syncs_fail.value_or(ErrorCode::kIo)));
    }
    content_->durable = content_->bytes;
    return {};
  }

 private:
  FakeDisk& disk_;
  std::shared_ptr<FakeDisk::Content> content_;
  std::shared_ptr<std::size_t> open_files_;
};

class FakeLock final : public env::DirectoryLock {
 public:
  FakeLock(std::shared_ptr<std::set<std::string>> locks, std::string directory)
      : locks_(std::move(locks)), directory_(std::move(directory)) {}
  ~FakeLock() override { locks_->erase(directory_); }
  FakeLock(const FakeLock&) = delete;
  FakeLock& operator=(const FakeLock&) = delete;

 private:
  std::shared_ptr<std::set<std::string>> locks_;
  std::string directory_;
};

}  // namespace

void FakeDisk::complete_syncs() {
  auto files = std::exchange(removed_, {});
  for (const auto& [path, content] : files_) files.push_back(content);
  for (const auto& content : files) {
    while (!content->syncs.empty()) {
      auto [bytes, done] = std::move(content->syncs.front());
      content->syncs.pop_front();
      content->sync_failed = content->sync_failed || syncs_fail.has_value();
      if (content->sync_failed) {
        done(std::unexpected(failure(syncs_fail.value_or(ErrorCode::kIo))));
      } else {
        content->durable = std::move(bytes);
        done({});
      }
      if (hold_syncs) break;  // one of each file
    }
  }
}

void FakeDisk::crash() {
  for (const auto& [path, content] : files_) content->bytes = content->durable;
  kill();
}

void FakeDisk::kill() {
  for (const auto& content : removed_) content->syncs.clear();
  removed_.clear();
  for (auto& [path, content] : files_) {
    auto fresh = std::make_shared<Content>();
    fresh->bytes = content->bytes;
    fresh->durable = content->durable;
    content->syncs.clear();
    content = std::move(fresh);
  }
  locks_ = std::make_shared<std::set<std::string>>();
}

Result<std::unique_ptr<env::File>> FakeDisk::open(const std::string& path, Open mode) {
  const auto found = files_.find(path);
  if (found != files_.end()) {
    if (mode == Open::kCreateNew) return std::unexpected(failure(ErrorCode::kConflict));
    return std::make_unique<FakeFile>(*this, found->second, open_files_);
  }
  if (mode == Open::kExisting || !directories_.contains(parent_directory(path))) {
    return std::unexpected(failure(ErrorCode::kIo));
  }
  const auto content = std::make_shared<Content>();
  files_[path] = content;
  return std::make_unique<FakeFile>(*this, content, open_files_);
}

Result<bool> FakeDisk::exists(const std::string& path) {
  return files_.contains(path) || directories_.contains(path);
}

Result<void> FakeDisk::create_directories(const std::string& path) {
  for (std::string made = path; made != "." && made != "/"; made = parent_directory(made)) {
    directories_.insert(made);
  }
  return {};
}

Result<std::vector<std::string>> FakeDisk::list(const std::string& path) {
  if (!directories_.contains(path)) return std::unexpected(failure(ErrorCode::kIo));
  std::set<std::string> names;
  const auto add = [&](const std::string& other) {
    if (other != path && parent_directory(other) == path)
      names.insert(other.substr(path.size() + 1));
  };
  for (const auto& [file, content] : files_) add(file);
  for (const std::string& directory : directories_) add(directory);
  return std::vector<std::string>(names.begin(), names.end());
}

Result<void> FakeDisk::rename(const std::string& from, const std::string& to) {
  if (renames_fail) return std::unexpected(failure(*renames_fail));
  const auto found = files_.find(from);
  if (found == files_.end()) return std::unexpected(failure(ErrorCode::kIo));
  files_[to] = found->second;
  files_.erase(from);
  return {};
}

Result<void> FakeDisk::remove(const std::string& path) {
  if (removes_fail) return std::unexpected(failure(*removes_fail));
  const auto found = files_.find(path);
  if (found == files_.end()) return std::unexpected(failure(ErrorCode::kIo));
  if (!found->second->syncs.empty()) removed_.push_back(found->second);
  files_.erase(found);
  return {};
}

Result<void> FakeDisk::sync_directory(const std::string&) {
  if (directory_syncs_fail) return std::unexpected(failure(*directory_syncs_fail));
  return {};
}

Result<std::unique_ptr<env::DirectoryLock>> FakeDisk::lock(const std::string& directory) {
  if (!locks_->insert(directory).second) {
    return std::unexpected(Error{.code = ErrorCode::kConflict, .detail = directory + " is in use"});
  }
  return std::make_unique<FakeLock>(locks_, directory);
}

Result<std::uint64_t> FakeDisk::free_bytes(const std::string&) {
  return 1ULL << 40;
}

}  // namespace stator::storage::testing
