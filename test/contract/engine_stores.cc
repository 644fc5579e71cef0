#include "engine_stores.h"

#include <optional>
#include <utility>

#include "base/assert.h"

namespace stator::storage::testing {

Result<std::unique_ptr<env::Listener>> NoNetwork::listen_streams(const env::Address&,
                                                                 env::StreamAcceptor&) {
  STATOR_ASSERT(false);
}
Result<std::unique_ptr<env::Listener>> NoNetwork::listen_frames(const env::Address&,
                                                                env::FrameSink&) {
  STATOR_ASSERT(false);
}
std::unique_ptr<env::FrameLink> NoNetwork::open_link(const env::Address&, env::LinkEvents&) {
  STATOR_ASSERT(false);
}
void NoNetwork::connect_stream(const env::Address&, env::StreamAcceptor&,
                               Callback<void(const Error&)>) {
  STATOR_ASSERT(false);
}

Store::Store(std::string name, bool journal, const TemporaryFolder& folder, Opener opener)
    : env_{loop_, network_, disk_}, opener_(std::move(opener)) {
  options_ = {.name = std::move(name),
              .directory = (folder.path() / "engine").string(),
              .memory_bytes_max = 16 << 20,
              .journal = journal};
}

Store::~Store() {
  if (engine_) static_cast<void>(close());
}

Result<void> Store::try_open() {
  auto home = opener_(options_, env_);
  if (!home) return std::unexpected(std::move(home.error()));
  home_ = std::move(*home);
  engine_ = home_->attach(env_);
  return {};
}

void Store::open() {
  const auto opened = try_open();
  if (!opened) std::fputs(opened.error().detail.c_str(), stderr);
  STATOR_ASSERT(opened.has_value());
}

Result<void> Store::close() {
  std::optional<Result<void>> closed;
  engine_->close([&closed](Result<void> result) { closed = std::move(result); });
  loop_.run_until([&closed] { return closed.has_value(); });
  engine_.reset();
  home_.reset();
  return *closed;
}

void Store::reopen() {
  const auto closed = close();
  STATOR_ASSERT(closed.has_value());
  open();
}

Store::Answer Store::get(PartitionId partition, std::string_view key) {
  Answer later;
  Answer now;
  std::string room = "what was there before";
  std::string_view found;
  now.status =
      engine_->get(partition, key, room, found, [&later](GetStatus status, std::string_view value) {
        later = {status, std::string(value), true};
      });
  if (now.status != GetStatus::kPending) {
    if (now.status == GetStatus::kFound) now.value = found;
    return now;
  }
  loop_.run_until([&later] { return later.status != GetStatus::kPending; });
  return later;
}

Result<void> Store::submit(const WriteBatch& batch, bool sync) {
  std::optional<Result<void>> done;
  engine_->submit(batch, sync, [&done](Result<void> result) { done = std::move(result); });
  loop_.run_until([&done] { return done.has_value(); });
  return *done;
}

Result<void> Store::put(PartitionId partition, std::string_view key, std::string_view value,
                        bool sync) {
  WriteBatch batch;
  batch.put(partition, key, value);
  return submit(batch, sync);
}

Result<void> Store::drop(PartitionId partition) {
  std::optional<Result<void>> done;
  engine_->drop(partition, [&done](Result<void> result) { done = std::move(result); });
  loop_.run_until([&done] { return done.has_value(); });
  return *done;
}

}  // namespace stator::storage::testing
