#include "base/base64.h"

#include <gtest/gtest.h>

#include <random>

namespace stator {
namespace {

std::string encoded(std::string_view bytes, Base64 kind) {
  std::string out;
  append_base64(out, bytes, kind);
  return out;
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(encoded(plain, Base64::kStandard), text);
    std::string back;
    EXPECT_TRUE(decode_base64(text, Base64::kStandard, back));
    EXPECT_EQ(back, plain);
  }
}

TEST(Base64, UsesTheAlphabetThatIsAskedFor) {
  EXPECT_EQ(encoded("\xFB\xFF\xFE", Base64::kStandard), "+//+");
  EXPECT_EQ(encoded("\xFB\xFF\xFE", Base64::kUrl), "-__-");
  std::string back;
  EXPECT_FALSE(decode_base64("-__-", Base64::kStandard, back));
  EXPECT_FALSE(decode_base64("+//+", Base64::kUrl, back));
  EXPECT_EQ(encoded("f", Base64::kUrl), "Zg");
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  std::string out = "kept";
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v=", "====",
                           "Zm 9v", "Zm9v\n", "=", "=Zg="}) {
    EXPECT_FALSE(decode_base64(text, Base64::kStandard, out)) << text;
  }
  for (const char* text : {"Z", "Zg==", "Zh", "Zm9", "Zm9vY", "Zm9v="}) {
    EXPECT_FALSE(decode_base64(text, Base64::kUrl, out)) << text;
  }
  EXPECT_EQ(out, "kept");
}

TEST(Base64, ReturnsAllBytesOfAnyString) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 70, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    for (const Base64 kind : {Base64::kStandard, Base64::kUrl}) {
      std::string back = "before";
      ASSERT_TRUE(decode_base64(encoded(bytes, kind), kind, back));
      ASSERT_EQ(back, "before" + bytes);
    }
  }
}

}  // namespace
}  // namespace stator
