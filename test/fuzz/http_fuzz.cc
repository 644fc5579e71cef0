// Hostile bytes from an HTTP client, over a store of real objects. The first byte chooses how they
// arrive and how the store answers; whatever it chooses, the client must read the same: where a
// stream is cut, and when the store answers, is nobody's business.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "front/http/testing/world.h"

namespace {

using namespace stator;
using namespace stator::http;
using stator::http::testing::World;

HttpFrontOptions small_limits() {
  HttpFrontOptions options;
  options.limits.value_bytes_max = 64;
  options.connection_limits.discarded_body_bytes_max = 256;
  options.connection_limits.first_header_bytes_max = 1024;
  options.connection_limits.header_bytes_max = 2048;
  options.host_names = {"h"};
  return options;
}

void release_all(World& world) {
  for (int i = 0; i < 10'000 && world.store.held() > 0; ++i) {
    world.store.release();
    world.executor.run_posted();
  }
}

std::string talk(std::string_view bytes, std::size_t piece, bool hold) {
  World world(small_limits());
  world.store.hold = hold;
  std::string answers;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    world.client->send(bytes.substr(0, piece));
    release_all(world);
    answers += world.client->receive();
  }
  // A head that is malformed may be refused at once or at its end: so each gets one.
  world.client->send("\r\n\r\n");
  release_all(world);
  answers += world.client->receive();
  // Whoever stops in the middle of a request must not hold on to anything for ever.
  world.executor.advance(seconds(400));
  STATOR_ASSERT(world.client->closed());
  world.client->hang_up();
  STATOR_ASSERT(world.front.connections() == 0);
  return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16'384) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1 + data[0] % 64;
  const bool hold = data[0] >= 128;
  const std::string whole = talk(bytes, SIZE_MAX, false);
  const std::string pieces = talk(bytes, piece, hold);
  // Counters tell how far the input has come; and what comes in one piece may be refused for its
  // size a little later than what comes in many.
  const bool comparable = size < 1024 && bytes.find("/metrics") == std::string_view::npos;
  STATOR_ASSERT(!comparable || whole == pieces);
  STATOR_ASSERT(whole.empty() || whole.starts_with("HTTP/1.1 "));
  return 0;
}
