#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stator::sim {

/// What one flush puts on the wire: one or more whole frames, or a run of stream bytes.
struct Packet {
  std::string bytes;
  std::vector<std::uint32_t> ends;  // of each frame in `bytes`; empty for stream bytes
};

/// Packets keep their memory from use to use, so that sending allocates nothing in steady state.
class PacketPool {
 public:
  PacketPool() = default;
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;
  ~PacketPool() {
    for (Packet* packet : all_) delete packet;
  }

  Packet* take() {
    if (free_.empty()) {
      all_.push_back(new Packet);
      return all_.back();
    }
    Packet* packet = free_.back();
    free_.pop_back();
    return packet;
  }
  void give_back(Packet* packet) {
    // A burst of large values must not be held for ever.
    if (packet->bytes.capacity() > kKeptBytesMax) packet->bytes = std::string();
    packet->bytes.clear();
    packet->ends.clear();
    free_.push_back(packet);
  }

 private:
  static constexpr std::size_t kKeptBytesMax = 64 * 1024;
  std::vector<Packet*> all_;
  std::vector<Packet*> free_;
};

/// Owns a packet of a pool while it is under way; whoever drops the event gives it back.
class PacketRef {
 public:
  PacketRef() = default;
  explicit PacketRef(PacketPool& pool) : pool_(&pool), packet_(pool.take()) {}
  PacketRef(PacketRef&& other) noexcept
      : pool_(other.pool_), packet_(std::exchange(other.packet_, nullptr)) {}
  PacketRef& operator=(PacketRef&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(packet_, other.packet_);
    return *this;
  }
  PacketRef(const PacketRef&) = delete;
  PacketRef& operator=(const PacketRef&) = delete;
  ~PacketRef() {
    if (packet_ != nullptr) pool_->give_back(packet_);
  }
  Packet* operator->() const { return packet_; }
  Packet& operator*() const { return *packet_; }

 private:
  PacketPool* pool_ = nullptr;
  Packet* packet_ = nullptr;
};

}  // namespace stator::sim
