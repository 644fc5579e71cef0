// Hostile bytes from a peer. The first byte chooses what the rest is: 0, a stream of frames; n, the
// body of a message of type n, so that bodies are reached without guessing a checksum.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "wire/messages.h"
#include "wire/peek.h"

namespace {

using namespace stator;
using namespace stator::wire;

// What is accepted must have one form, and that form must survive a frame around it.
template <typename Message>
void feed_body(std::string_view body) {
  Message message;
  if (!decode_body(body, message)) return;
  std::string bytes;
  if (!encode_frame(FrameHeader{}, message, bytes)) return;
  const auto frame = decode_frame(bytes);
  STATOR_ASSERT(frame);
  STATOR_ASSERT(frame->header.type == Message::kType);
  Message again;
  STATOR_ASSERT(decode_body(frame->body, again));
  STATOR_ASSERT(again == message);
  std::string body_again;
  encode_body(again, body_again);
  STATOR_ASSERT(body_again == frame->body);
}

template <std::size_t... I>
void feed_body_of(MessageType type, std::string_view body, std::index_sequence<I...>) {
  (void)((type == std::tuple_element_t<I, Messages>::kType &&
          (feed_body<std::tuple_element_t<I, Messages>>(body), true)) ||
         ...);
}

void feed_body_of(MessageType type, std::string_view body) {
  feed_body_of(type, body, std::make_index_sequence<std::tuple_size_v<Messages>>{});
}

void feed_stream(std::string_view stream) {
  for (;;) {
    const auto size = frame_size(stream);
    if (!size || *size == 0 || *size > stream.size()) return;
    static_cast<void>(peek_record(stream.substr(0, *size)));
    static_cast<void>(peek_answered(stream.substr(0, *size)));
    const auto frame = decode_frame(stream.substr(0, *size));
    if (frame) feed_body_of(frame->header.type, frame->body);
    stream.remove_prefix(*size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0) {
    feed_stream(rest);
  } else {
    feed_body_of(static_cast<MessageType>(data[0]), rest);
  }
  return 0;
}
