#include "cli/settings.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/configuration_page.h"
#include "cli/setting_values.h"

namespace stator::cli {
namespace {

/// A file that lives as long as the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(testing::TempDir() + "settings_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + ".toml") {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string error_of(const std::string& text) {
  const TemporaryFile file(text);
  const auto loaded = load_settings(file.path(), {});
  return loaded ? "" : loaded.error().detail.substr(file.path().size());
}

TEST(Settings, ListenOnLoopbackByDefault) {
  const Settings settings;
  EXPECT_EQ(env::to_string(settings.redis_listen), "127.0.0.1:7379");
  EXPECT_EQ(env::to_string(settings.http_listen), "127.0.0.1:7380");
  EXPECT_EQ(env::to_string(settings.node.peer_listen), "127.0.0.1:7381");
  EXPECT_FALSE(settings.insecure);
}

TEST(Settings, AreAtMostFortyAndEachIsExplained) {
  EXPECT_LE(settings_table().size(), 40U);
  std::set<std::string> keys;
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_STRNE(setting.what, "") << setting.key;
    EXPECT_STRNE(setting.reason, "") << setting.key;
    EXPECT_EQ(setting.flag().find('_'), std::string::npos);
    EXPECT_EQ(find_setting(setting.key), &setting);
  }
}

TEST(Settings, EveryDefaultReadsBackAsItself) {
  for (const Setting& setting : settings_table()) {
    Settings settings;
    const std::string text = show(settings, setting);
    const auto done = set(settings, setting, text);
    ASSERT_TRUE(done) << setting.key << ": " << done.error().detail;
    EXPECT_EQ(show(settings, setting), text) << setting.key;
  }
}

TEST(Settings, FlagWinsOverFileAndFileOverDefault) {
  const TemporaryFile file("zone = \"east\"\nweight = 2\nshards = 3\ninsecure = true\n");
  const auto loaded = load_settings(file.path(), {{"weight", "2.5"}, {"request_timeout", "300ms"}});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->settings.node.zone, "east");
  EXPECT_EQ(loaded->settings.node.weight, 2.5);
  EXPECT_EQ(loaded->settings.shards, 3U);
  EXPECT_TRUE(loaded->settings.insecure);
  EXPECT_EQ(loaded->settings.node.request_timeout, milliseconds(300));
  EXPECT_EQ(loaded->sources.at("zone"), Source::kFile);
  EXPECT_EQ(loaded->sources.at("weight"), Source::kFlag);
  EXPECT_FALSE(loaded->sources.contains("name"));
}

TEST(Settings, ErrorsOfAFileNameTheLineAndTheNearestKey) {
  EXPECT_EQ(error_of("name = \"a\"\nredis_listn = \"127.0.0.1:1\"\n"),
            ":2: there is no setting 'redis_listn', did you mean 'redis_listen'?");
  EXPECT_EQ(error_of("value_bytes_max = \"17MiB\"\n"),
            ":1: value_bytes_max: '17MiB' is out of range: 1KiB to 16MiB");
  // A storage key has one byte for it.
  EXPECT_EQ(error_of("bucket_bytes_max = 256\n"),
            ":1: bucket_bytes_max: '256' is out of range: 16 to 255");
  EXPECT_EQ(error_of("request_timeout = 2\n"),
            ":1: request_timeout: '2' is no time: write a number and ms, s, m or h (500ms)");
  EXPECT_EQ(error_of("[redis]\nlisten = 1\n").find(":1: there is no setting 'redis'"), 0U);
  EXPECT_EQ(error_of("weight = [1]\n"), ":1: weight: must be a plain value");
  EXPECT_EQ(error_of("durability = \"two\"\n"), ":1: durability: 'two' is none of: all, one, none");
  EXPECT_EQ(error_of("name = \n").find(":1: "), 0U);
  EXPECT_EQ(error_of("name = \"a\"\nname = \"b\"\n").find(":2: "), 0U);
}

TEST(Settings, ATextOfAFileStandsInQuotes) {
  EXPECT_EQ(error_of("name = 5\n"), ":1: name: must stand in quotes: \"5\"");
  EXPECT_EQ(error_of("name = \"5\"\n"), "");
}

TEST(Settings, EveryErrorOfAFileIsTold) {
  const TemporaryFile file("zone = 1\nweight = 2\nengin = \"rocksdb\"\nclients_max = 0\n");
  const auto loaded = load_settings(file.path(), {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().detail,
            file.path() + ":1: zone: must stand in quotes: \"1\"\n" + file.path() +
                ":3: there is no setting 'engin', did you mean 'engine'?\n" + file.path() +
                ":4: clients_max: '0' is out of range: 1 to 1000000");
}

TEST(Settings, ADirectoryIsNoFileOfSettings) {
  const auto loaded = load_settings(testing::TempDir(), {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().detail, "cannot read " + testing::TempDir() + ": Is a directory");
}

TEST(Settings, WhatDoesNotFitTogetherIsRefused) {
  const auto wrong = [](const Given& given) {
    const auto loaded = load_settings("", given);
    if (!loaded) return loaded.error().detail;
    const auto fit = check_together(loaded->settings);
    return fit ? std::string() : fit.error().detail;
  };
  EXPECT_EQ(wrong({}), "");
  EXPECT_EQ(wrong({{"request_timeout", "30s"}, {"request_timeout_max", "10s"}}),
            "--request-timeout 30s is longer than --request-timeout-max 10s");
  EXPECT_EQ(wrong({{"disk_low", "1MiB"}, {"disk_refuse", "2MiB"}, {"disk_read_only", "0"}}),
            "--disk-refuse 2MiB is more than --disk-low 1MiB: the warning must come first");
  EXPECT_EQ(wrong({{"disk_refuse", "1MiB"}, {"disk_read_only", "2MiB"}}),
            "--disk-read-only 2MiB is more than --disk-refuse 1MiB: clients must be refused "
            "before repairs are");
  EXPECT_EQ(wrong({{"disk_low", "0"}, {"disk_refuse", "0"}}), "");  // never
  for (const char* key : {"redis_listen", "http_listen", "peer_listen"}) {
    EXPECT_NE(wrong({{key, "0.0.0.0:7530"}}).find("0.0.0.0:7530 can be reached from other"),
              std::string::npos)
        << key;
    EXPECT_EQ(wrong({{key, "0.0.0.0:7530"}, {"insecure", "true"}}), "") << key;
  }
}

TEST(Settings, AFileThatIsNotThereIsAnError) {
  const auto loaded = load_settings("/nonexistent/stator.toml", {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kBadRequest);
  EXPECT_EQ(loaded.error().detail,
            "cannot read /nonexistent/stator.toml: No such file or directory");
}

TEST(Settings, ErrorsOfAFlagNameTheFlag) {
  const auto loaded = load_settings("", {{"redis_listen", "7379"}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().detail,
            "--redis-listen: '7379' is no address: the port is missing (write host:port or "
            "[ipv6]:port)");
}

TEST(Settings, TheTemplateIsAFileOfDefaults) {
  std::stringstream text;
  print_configuration_template(text);
  std::string active;  // every setting, no longer commented out
  for (std::string line; std::getline(text, line);) {
    if (line.find(" = ") != std::string::npos && line.starts_with("# ")) {
      active += line.substr(2) + "\n";
    }
  }
  const TemporaryFile file(active);
  const auto loaded = load_settings(file.path(), {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->sources.size(), settings_table().size());
}

TEST(Settings, ThePageOfTheManualIsCurrent) {
  std::ifstream file(STATOR_CONFIGURATION_PAGE);
  ASSERT_TRUE(file) << STATOR_CONFIGURATION_PAGE;
  std::stringstream written;
  written << file.rdbuf();
  std::stringstream made;
  print_configuration_page(made);
  EXPECT_EQ(written.str(), made.str())
      << "make it again: stator config show -o markdown > docs/configuration.md";
}

TEST(SettingValues, SizesAndTimesReadBack) {
  for (const char* text : {"0s", "1ns", "1500us", "10ms", "2s", "90s", "1m", "3h"}) {
    const auto value = parse_duration(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(show_duration(*value), text);
  }
  for (const char* text : {"0", "1", "1023", "1KiB", "1025", "64MiB", "3GiB"}) {
    const auto value = parse_bytes(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(show_bytes(*value), text);
  }
  EXPECT_EQ(parse_duration("1500 ms").value_or(Duration{}), milliseconds(1500));
}

TEST(SettingValues, NonsenseIsRefused) {
  for (const char* text : {"", "s", "-1s", "1", "1.5s", "1 day", "9999999999999h", "1s "}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  for (const char* text : {"", "-1", "1MB", "1.5MiB", "99999999999GiB", "MiB"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
  for (const char* text : {"", "-1", "1x", "0x10", " 1"}) EXPECT_FALSE(parse_count(text)) << text;
  for (const char* text : {"", "x", "nan", "inf", "1,5"}) EXPECT_FALSE(parse_number(text)) << text;
}

}  // namespace
}  // namespace stator::cli
