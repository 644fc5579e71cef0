#include "cli/bench_report.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "cli/setting_values.h"
#include "cli/text_table.h"

namespace stator::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

// Where percentiles are read, and how they are called.
struct Percentile {
  const char* name;
  double share;
};
constexpr std::array kPercentiles = {Percentile{"p50", 0.5}, Percentile{"p90", 0.9},
                                     Percentile{"p99", 0.99}, Percentile{"p999", 0.999}};

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

// Three digits that count: "85.2 us", "1.21 ms".
std::string human_ns(std::uint64_t ns) {
  constexpr std::array kUnits = {"ns", "us", "ms", "s"};
  double value = static_cast<double>(ns);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int digits = unit == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return fixed(value, digits) + " " + kUnits[unit];
}

double per_second(std::uint64_t count, Duration time) {
  return time.ns <= 0 ? 0 : static_cast<double>(count) * 1e9 / static_cast<double>(time.ns);
}

std::string mix_text(const bench::Mix& mix) {
  std::string text;
  for (std::size_t i = 0; i < bench::kOpKinds; ++i) {
    if (mix.shares[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(bench::kOpNames[i]) + " " +
            show_number(std::round(mix.shares[i] * 1e4) / 100) + "%";
  }
  return text;
}

void print_head(const bench::LoadOptions& options, const bench::LoadResult& result,
                std::ostream& out) {
  const std::string loop = options.rate > 0 ? "open loop at " + show_number(options.rate) + "/s"
                                            : std::string("closed loop");
  const std::string sizes =
      options.sizes.min == options.sizes.max
          ? human_bytes(options.sizes.max)
          : human_bytes(options.sizes.min) + " to " + human_bytes(options.sizes.max);
  std::vector<std::pair<std::string, std::string>> rows = {
      {"load", loop + ", " + std::to_string(options.clients) + " connections" +
                   (options.cluster ? " to every node" : "") + ", pipeline " +
                   std::to_string(options.depth)},
      {"keys", std::to_string(options.keys) +
                   (options.theta == 0 ? ", uniform" : ", zipf " + show_number(options.theta)) +
                   "; values of " + sizes},
      {"mix", mix_text(options.mix)}};
  if (options.fill) {
    rows.emplace_back(
        "filled",
        std::to_string(result.filled) + " keys in " +
            human_ns(static_cast<std::uint64_t>(result.fill_time.ns)) +
            (result.fill_failed == 0 ? "" : ", " + std::to_string(result.fill_failed) + " failed"));
  }
  rows.emplace_back("time",
                    human_ns(static_cast<std::uint64_t>(result.elapsed.ns)) +
                        (result.end == bench::LoadResult::End::kStopped ? ", stopped early" : ""));
  print_pairs(rows, out);
}

void add_row(TextTable& table, std::string name, const bench::KindTally& tally, Duration elapsed) {
  const bench::Histogram& latency = tally.latency;
  std::vector<std::string> cells = {std::move(name), std::to_string(latency.count()),
                                    fixed(per_second(latency.count(), elapsed), 0)};
  for (const Percentile& percentile : kPercentiles) {
    cells.push_back(latency.count() == 0 ? "-" : human_ns(latency.at(percentile.share)));
  }
  cells.push_back(latency.count() == 0 ? "-" : human_ns(latency.max()));
  cells.push_back(std::to_string(tally.not_found));
  cells.push_back(std::to_string(tally.failed()));
  table.add(std::move(cells));
}

void print_failures(const bench::LoadResult& result, std::ostream& out) {
  const bench::KindTally total = result.tally.total();
  std::vector<std::pair<std::string, std::string>> rows;
  for (std::size_t i = 0; i < bench::kFailures; ++i) {
    if (total.failures[i] == 0) continue;
    rows.emplace_back(bench::kFailureNames[i], std::to_string(total.failures[i]));
  }
  if (result.tally.not_sent > 0) {
    rows.emplace_back("not_sent", std::to_string(result.tally.not_sent));
  }
  if (!rows.empty()) {
    out << '\n';
    print_pairs(rows, out);
  }
  if (total.refusal.count() > 0) {
    out << "tryagain was answered after: p50 " << human_ns(total.refusal.at(0.5)) << ", p99 "
        << human_ns(total.refusal.at(0.99)) << ", max " << human_ns(total.refusal.max()) << '\n';
  }
  for (const bench::Refusal& refusal : result.tally.refusals) {
    out << "  " << refusal.count << " like: " << printable(refusal.example) << '\n';
  }
}

void print_check(const bench::Tally& tally, std::ostream& out) {
  const auto count = [&](bench::Verdict verdict) { return std::to_string(tally.verdict(verdict)); };
  out << "\nreads judged: " << count(bench::Verdict::kFresh) << " fresh, "
      << count(bench::Verdict::kStale) << " stale, " << count(bench::Verdict::kLost) << " lost, "
      << count(bench::Verdict::kUndecided) << " undecided\n";
}

OrderedJson latency_json(const bench::Histogram& histogram) {
  const auto us = [](double ns) { return std::round(ns) / 1000; };
  OrderedJson json;
  json["min"] = us(static_cast<double>(histogram.min()));
  json["mean"] = us(histogram.mean());
  for (const Percentile& percentile : kPercentiles) {
    json[percentile.name] = us(static_cast<double>(histogram.at(percentile.share)));
  }
  json["max"] = us(static_cast<double>(histogram.max()));
  return json;
}

OrderedJson kind_json(const bench::KindTally& tally, Duration elapsed) {
  OrderedJson json;
  json["operations"] = tally.latency.count();
  json["rate"] = std::round(per_second(tally.latency.count(), elapsed) * 10) / 10;
  json["not_found"] = tally.not_found;
  for (std::size_t i = 0; i < bench::kFailures; ++i) {
    json["errors"][std::string(bench::kFailureNames[i])] = tally.failures[i];
  }
  json["latency_us"] = latency_json(tally.latency);
  json["tryagain_us"] = latency_json(tally.refusal);
  return json;
}

OrderedJson load_json(const bench::LoadOptions& options) {
  OrderedJson json;
  json["nodes"] = OrderedJson::array();
  for (const env::Address& node : options.nodes) json["nodes"].push_back(env::to_string(node));
  json["loop"] = options.rate > 0 ? "open" : "closed";
  json["rate"] = options.rate > 0 ? OrderedJson(options.rate) : OrderedJson();
  json["cluster"] = options.cluster;
  json["connections"] = options.clients;
  json["pipeline"] = options.depth;
  json["keys"] = options.keys;
  json["zipf"] = options.theta;
  json["prefix"] = options.prefix;
  json["value_bytes"] = {{"min", options.sizes.min}, {"max", options.sizes.max}};
  for (std::size_t i = 0; i < bench::kOpKinds; ++i) {
    if (options.mix.shares[i] > 0) {
      json["mix"][std::string(bench::kOpNames[i])] = options.mix.shares[i];
    }
  }
  json["warmup_s"] = static_cast<double>(options.warmup.ns) / 1e9;
  json["timeout_s"] = static_cast<double>(options.timeout.ns) / 1e9;
  json["seed"] = options.seed;
  return json;
}

OrderedJson check_json(const bench::Tally& tally) {
  return {{"fresh", tally.verdict(bench::Verdict::kFresh)},
          {"stale", tally.verdict(bench::Verdict::kStale)},
          {"lost", tally.verdict(bench::Verdict::kLost)},
          {"undecided", tally.verdict(bench::Verdict::kUndecided)}};
}

}  // namespace

void print_bench_table(const bench::LoadOptions& options, const bench::LoadResult& result,
                       Console& console) {
  std::ostream& out = console.out;
  print_head(options, result, out);
  out << '\n';
  TextTable table({"OPERATION", ">COUNT", ">PER S", ">P50", ">P90", ">P99", ">P99.9", ">MAX",
                   ">NOT FOUND", ">FAILED"});
  std::size_t kinds = 0;
  for (std::size_t i = 0; i < bench::kOpKinds; ++i) {
    if (options.mix.shares[i] == 0) continue;
    add_row(table, std::string(bench::kOpNames[i]), result.tally.kinds[i], result.elapsed);
    ++kinds;
  }
  if (kinds > 1) add_row(table, "all", result.tally.total(), result.elapsed);
  table.print(out, console.color);
  print_failures(result, out);
  if (options.rate > 0) {
    out << "\noperations left this much later than meant (part of the latency): p50 "
        << human_ns(result.tally.lag.at(0.5)) << ", p99 " << human_ns(result.tally.lag.at(0.99))
        << ", max " << human_ns(result.tally.lag.max()) << '\n';
  }
  if (options.check) print_check(result.tally, out);
}

void print_bench_json(const bench::LoadOptions& options, const bench::LoadResult& result,
                      std::ostream& out) {
  OrderedJson json;
  json["schema"] = 1;
  json["load"] = load_json(options);
  json["stopped_early"] = result.end == bench::LoadResult::End::kStopped;
  json["elapsed_s"] = static_cast<double>(result.elapsed.ns) / 1e9;
  json["fill"] = OrderedJson();
  if (options.fill) {
    json["fill"] = {{"operations", result.filled},
                    {"failed", result.fill_failed},
                    {"seconds", static_cast<double>(result.fill_time.ns) / 1e9}};
  }
  json["all"] = kind_json(result.tally.total(), result.elapsed);
  json["kinds"] = OrderedJson::object();
  for (std::size_t i = 0; i < bench::kOpKinds; ++i) {
    if (options.mix.shares[i] == 0) continue;
    json["kinds"][std::string(bench::kOpNames[i])] =
        kind_json(result.tally.kinds[i], result.elapsed);
  }
  json["not_sent"] = result.tally.not_sent;
  json["refusals"] = OrderedJson::array();
  for (const bench::Refusal& refusal : result.tally.refusals) {
    json["refusals"].push_back(
        {{"prefix", refusal.prefix}, {"count", refusal.count}, {"example", refusal.example}});
  }
  json["lag_us"] = options.rate > 0 ? latency_json(result.tally.lag) : OrderedJson();
  json["check"] = options.check ? check_json(result.tally) : OrderedJson();
  out << json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
}

std::string bench_progress_line(const bench::LoadOptions& options,
                                const bench::Progress& progress) {
  std::string line = fixed(static_cast<double>(progress.elapsed.ns) / 1e9, 0) + " s  ";
  if (progress.filling) {
    line +=
        "filling " + std::to_string(progress.filled) + " of " + std::to_string(options.keys) + "  ";
  } else if (progress.elapsed < options.warmup) {
    line += "warming up  ";
  }
  line += std::to_string(progress.ended_well) + "/s";
  if (progress.ended_well > 0) {
    line += "  p50 " + human_ns(progress.latency.at(0.5)) + "  p99 " +
            human_ns(progress.latency.at(0.99)) + "  max " + human_ns(progress.latency.max());
  }
  if (progress.failed > 0) line += "  failed " + std::to_string(progress.failed);
  return line;
}

std::uint64_t bench_failures(const bench::LoadResult& result) {
  return result.tally.total().failed() + result.tally.not_sent + result.fill_failed;
}

}  // namespace stator::cli
