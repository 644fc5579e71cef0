// The bytes between peers, pinned: test/golden/wire/NAME.hex holds a frame of each message with
// every field set. A change of any byte breaks clusters that run two versions, so these files
// change only together with the version of the format. To write the files of new messages, run this
// test with STATOR_GOLDEN_WRITE=1; it never overwrites one.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hex.h"
#include "wire/samples.h"

namespace stator::wire {
namespace {

namespace fs = std::filesystem;

using golden::from_hex;
using golden::to_hex;
using samples::frame_of;

const fs::path kFolder = STATOR_GOLDEN_WIRE;

fs::path path_of(MessageType type) {
  return kFolder / (std::string(message_info(type)->name) + ".hex");
}

TEST(GoldenWire, EveryMessageHasItsBytes) {
  samples::for_each([](const auto& message) {
    const fs::path path = path_of(message.kType);
    const std::string bytes = frame_of(message);
    if (std::getenv("STATOR_GOLDEN_WRITE") != nullptr && !fs::exists(path)) {
      std::ofstream(path) << "# " << message_info(message.kType)->name
                          << ": a frame with every field set (docs/format/frames.md)\n"
                          << to_hex(bytes);
    }
    ASSERT_TRUE(fs::exists(path)) << path;
    EXPECT_EQ(to_hex(bytes), to_hex(from_hex(path))) << "encoding has changed";
  });
}

TEST(GoldenWire, EveryFileIsReadAndWrittenBackTheSame) {
  samples::for_each([](const auto& message) {
    const std::string bytes = from_hex(path_of(message.kType));
    const auto frame = decode_frame(bytes);
    ASSERT_TRUE(frame) << path_of(message.kType);
    EXPECT_EQ(frame->header.type, message.kType);
    auto decoded = std::remove_cvref_t<decltype(message)>{};
    ASSERT_TRUE(decode_body(frame->body, decoded));
    EXPECT_EQ(decoded, message);
    std::string again;
    ASSERT_TRUE(encode_frame(frame->header, decoded, again));
    EXPECT_EQ(to_hex(again), to_hex(bytes));
  });
}

TEST(GoldenWire, TheExampleInTheDocumentIsARealFrame) {
  const std::string bytes = golden::example_of(STATOR_FRAMES_PAGE, "## Example");
  EXPECT_EQ(to_hex(bytes), to_hex(frame_of(samples::sample(std::type_identity<HistoryFetch>{}))));
}

TEST(GoldenWire, NoFileIsLeftWithoutItsMessage) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(kFolder)) files += entry.is_regular_file();
  EXPECT_EQ(files, kMessages.size());
}

}  // namespace
}  // namespace stator::wire
