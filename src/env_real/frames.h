#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

// How frames travel on a connection between peers: each as its size (u32, little endian) and its
// bytes. The content, its checksum and its version are wire's business. A connection carries frames
// one way only.

namespace stator::env {

inline constexpr std::size_t kFrameHeaderBytes = sizeof(std::uint32_t);
/// More than this waiting on one link, and further frames are dropped: the peer is too slow.
inline constexpr std::size_t kLinkUnsentMax = 64 * 1024 * 1024;
/// Connections that peers may have to one shard at a time; others are closed at once.
inline constexpr std::size_t kInboundMax = 1024;
/// A peer speaks as soon as it has connected, and then all the time. Who has not sent a whole frame
/// for so long since it connected, or since its last one, is no peer of ours, or has lost the
/// connection: it must not take the place of one (P8). A first frame may be large and the line
/// thin: while so much of it comes in each kFirstFrameWait it is waited for. kNextFrameWait is the
/// time of a frame of kFrameMax over a thin line.
inline constexpr Duration kFirstFrameWait = seconds(3);
inline constexpr std::size_t kFirstFrameProgress = 64 * 1024;
inline constexpr Duration kNextFrameWait = seconds(120);
/// A peer that acknowledges nothing for so long has lost the connection.
inline constexpr Duration kLinkSilenceMax = seconds(5);
/// Pauses between attempts to connect, doubled from the first to the last, each drawn between half
/// and all of it so that restarted nodes are not dialled in step.
inline constexpr Duration kRedialMin = milliseconds(20);
inline constexpr Duration kRedialMax = seconds(1);

}  // namespace stator::env
