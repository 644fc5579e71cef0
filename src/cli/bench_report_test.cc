#include "cli/bench_report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/json.h"

namespace stator::cli {
namespace {

using bench::Failure;
using bench::OpKind;

struct Fixture {
  Fixture() {
    options.nodes = {{"127.0.0.1", 7379}};
    options.mix = *bench::parse_mix("get=3,set=1");
    result.elapsed = seconds(2);
    for (int i = 1; i <= 1000; ++i) {
      result.tally.succeeded(OpKind::kGet, microseconds(i), i % 10 == 0);
    }
    result.tally.failed(OpKind::kSet, Failure::kUnknown, "UNKNOWN 01ab \033[31m why");
    result.tally.failed(OpKind::kGet, Failure::kConnectionLost);
    result.tally.not_sent = 7;
  }
  std::string table() {
    std::ostringstream out;
    std::istringstream in;
    Console console{.out = out, .err = out, .in = in};
    print_bench_table(options, result, console);
    return out.str();
  }
  Json json() {
    std::ostringstream out;
    print_bench_json(options, result, out);
    return Json::parse(out.str());
  }

  bench::LoadOptions options;
  bench::LoadResult result;
};

TEST(BenchReportTest, TheTableHasARowForEachOperationOfTheMix) {
  Fixture fixture;
  const std::string table = fixture.table();
  EXPECT_NE(table.find("OPERATION  COUNT  PER S     P50     P90     P99   P99.9      MAX  "
                       "NOT FOUND  FAILED\n"
                       "get         1000    500  501 us  "),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("\nset            0      0       -  "), std::string::npos) << table;
  EXPECT_NE(table.find("\nall         1000"), std::string::npos);
  EXPECT_EQ(table.find("\ndel"), std::string::npos);
  EXPECT_NE(table.find("1.00 ms        100       1\n"), std::string::npos) << table;
}

TEST(BenchReportTest, FailuresAreNamedAndWhatAServerSaysCannotReachTheTerminal) {
  Fixture fixture;
  const std::string table = fixture.table();
  EXPECT_NE(table.find("unknown          1\nconnection_lost  1\nnot_sent         7\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("1 like: UNKNOWN 01ab \\x1b[31m why"), std::string::npos) << table;
  EXPECT_EQ(bench_failures(fixture.result), 9U);
}

TEST(BenchReportTest, TheDocumentHasTheFiguresOfEachKind) {
  Fixture fixture;
  const Json json = fixture.json();
  EXPECT_EQ(json["schema"].integer(), 1);
  EXPECT_EQ(json["elapsed_s"].number(), 2);
  EXPECT_EQ(json["load"]["loop"].text(), "closed");
  EXPECT_EQ(json["load"]["mix"]["set"].number(), 0.25);
  const Json get = json["kinds"]["get"];
  EXPECT_EQ(get["operations"].integer(), 1000);
  EXPECT_EQ(get["rate"].number(), 500);
  EXPECT_EQ(get["not_found"].integer(), 100);
  EXPECT_EQ(get["errors"]["connection_lost"].integer(), 1);
  EXPECT_NEAR(get["latency_us"]["p50"].number(), 500, 5);
  EXPECT_NEAR(get["latency_us"]["p999"].number(), 999, 10);
  EXPECT_EQ(get["latency_us"]["max"].number(), 1000);
  EXPECT_NEAR(get["latency_us"]["mean"].number(), 500.5, 0.01);
  EXPECT_EQ(json["all"]["errors"]["unknown"].integer(), 1);
  EXPECT_FALSE(json["kinds"]["del"]);
  EXPECT_EQ(json["not_sent"].integer(), 7);
  EXPECT_EQ(json["refusals"].items().size(), 1U);
  EXPECT_FALSE(json["lag_us"]);
  EXPECT_FALSE(json["check"]);
  EXPECT_FALSE(json["fill"]);
}

TEST(BenchReportTest, OptionalPartsAreThereWhenAskedFor) {
  Fixture fixture;
  fixture.options.rate = 250;
  fixture.options.check = true;
  fixture.options.fill = true;
  fixture.result.filled = 5;
  fixture.result.tally.verdicts = {1, 2, 3, 4};
  const Json json = fixture.json();
  EXPECT_EQ(json["load"]["loop"].text(), "open");
  EXPECT_EQ(json["load"]["rate"].number(), 250);
  EXPECT_TRUE(json["lag_us"]);
  EXPECT_EQ(json["check"]["lost"].integer(), 3);
  EXPECT_EQ(json["fill"]["operations"].integer(), 5);
  EXPECT_NE(fixture.table().find("reads judged: 1 fresh, 2 stale, 3 lost, 4 undecided"),
            std::string::npos);
}

TEST(BenchReportTest, HowSoonOverloadWasSaidIsReportedWhereItWas) {
  Fixture fixture;
  EXPECT_EQ(fixture.table().find("tryagain was answered"), std::string::npos);
  fixture.result.tally.failed(OpKind::kSet, Failure::kTryAgain, "TRYAGAIN busy", milliseconds(3));
  EXPECT_NE(fixture.table().find("tryagain was answered after: p50 3.00 ms, p99 3.00 ms, max 3.00 "
                                 "ms\n"),
            std::string::npos)
      << fixture.table();
  const Json json = fixture.json();
  EXPECT_EQ(json["all"]["tryagain_us"]["max"].number(), 3000);
  EXPECT_EQ(json["kinds"]["get"]["tryagain_us"]["max"].number(), 0);
}

TEST(BenchReportTest, BytesThatAreNoTextDoNotBreakTheDocument) {
  Fixture fixture;
  fixture.options.prefix = "\xFF\xFE";
  EXPECT_EQ(fixture.json()["schema"].integer(), 1);
}

TEST(BenchReportTest, TheProgressLineTellsThePhase) {
  bench::LoadOptions options;
  options.warmup = seconds(5);
  bench::Histogram second;
  for (int i = 0; i < 100; ++i) second.record(1'200'000);
  bench::Progress progress{.elapsed = seconds(3), .ended_well = 100, .latency = second};
  EXPECT_EQ(bench_progress_line(options, progress),
            "3 s  warming up  100/s  p50 1.20 ms  p99 1.20 ms  max 1.20 ms");
  progress.elapsed = seconds(6);
  progress.failed = 2;
  EXPECT_EQ(bench_progress_line(options, progress),
            "6 s  100/s  p50 1.20 ms  p99 1.20 ms  max 1.20 ms  failed 2");
  progress.filling = true;
  progress.filled = 77;
  EXPECT_TRUE(bench_progress_line(options, progress).starts_with("6 s  filling 77 of 100000  "));
}

}  // namespace
}  // namespace stator::cli
