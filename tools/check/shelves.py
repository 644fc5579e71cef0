"""The shelves of ./check, in the order in which they run.

A shelf is one row of SHELVES and one function that returns a Count. To add one, write the function
and the row. Tests that are registered in CMake need neither: each label of cmake/targets.cmake
is a shelf by itself (see `label_shelves`).
"""

import concurrent.futures
import re
import shutil
import time
from dataclasses import dataclass
from typing import Callable

from counting import CTEST, Count, count_entries, failure, judge_alone
from sanitizers import race_canaries, with_reports

QUICK, DEFAULT, FULL = "quick", "default", "full"
ALL = (QUICK, DEFAULT, FULL)
SLOW = (DEFAULT, FULL)
# Of the sanitizers ThreadSanitizer runs in every ./check: races are what no other shelf sees. A build with
# AddressSanitizer takes as long as the rest of ./check: `./check full asan asan-sim` runs it alone.
SANITIZED_MODES = (FULL,)

# Shelves of ctest, in order: (label, modes, limit in seconds). A label without a test fails the
# check, so that a shelf cannot get lost.
LABELS = [
    ("unit", ALL, 900),
    ("paper", ALL, 900),
    ("golden", ALL, 300),
    ("contract", ALL, 600),
    ("fuzz", ALL, 300),
    ("sim", SLOW, 900),
    ("process", SLOW, 1200),
    ("clients", SLOW, 900),
    ("bench-smoke", SLOW, 400),
]

SANITIZED_LABELS = ["unit", "contract"]  # under AddressSanitizer and UBSan
TIDY_FOLDERS = ["src/base", "src/core", "src/wire"]  # ./check full takes all of src


@dataclass
class Shelf:
    name: str
    what: str
    modes: tuple
    limit_s: int
    run: Callable  # (Run) -> Count
    exists: Callable = lambda run: True  # asked when the release build is configured


# --- reading the source ------------------------------------------------------------------------


def format_check(run):
    files = run.sources(".h", ".cc")
    ok, output = run.command(["clang-format-19", "--dry-run", "-Werror", *files])
    bad = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", output, re.M)))
    count = Count(passed=1 if ok else 0)
    if not ok:
        count.fail("run clang-format-19 -i on: " + " ".join(bad))
    return count


def lint(run):
    return run.script(["python3", "tools/lint/lint.py"])


def lint_self_test(run):
    count = run.script(["python3", "tools/lint/lint_test.py"])
    count.add(run.script(["python3", "tools/check/check_test.py"]))
    count.add(run.script(["python3", "tools/claimed_ports_test.py"]))
    return count


def headers(run):
    """Each header compiles alone. Most have shown it in the build: a .cc file includes its own header before
    anything else. The others are compiled here; redone only when a header changed since the last success."""
    all_headers = [f for f in run.sources(".h") if f.startswith("src/")]
    files = [f for f in all_headers if not is_first_in_own_source(run.root, f)]
    compile_alone = ["clang++-19", "-std=c++23", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                     "-Wno-pragma-once-outside-header", "-Isrc", "-x", "c++"]
    stamp = run.stamp("headers", all_headers)
    if stamp.exists():
        count = Count(passed=len(files))
    else:
        count = each(run, files, lambda f: [*compile_alone, f], "does not compile alone")
        if count.failed == 0:
            stamp.touch()
    count.passed += len(all_headers) - len(files)
    canary(run, count, "canary.h", "#pragma once\nstd::string missing_include();\n",
           lambda f: [*compile_alone, f])
    return count


def is_first_in_own_source(root, header):
    """Whether the .cc file of the same name, which the release build compiled, begins with this header."""
    source = root / (header.removesuffix(".h") + ".cc")
    if not source.exists():
        return False
    first = re.search(r"^#include\s+(\S+)", source.read_text(encoding="utf-8"), re.M)
    return first is not None and first[1] == f'"{header.removeprefix("src/")}"'


def tidy(run):
    """clang-tidy; a file is read again only when it, a header or the rules changed."""
    ok, _ = run.command(["cmake", "--preset", "tidy"])
    if not ok:
        return failure("cmake --preset tidy failed")
    folders = ["src"] if run.mode == FULL else TIDY_FOLDERS
    files = [f for f in run.sources(".cc")
             if any(f.startswith(folder + "/") for folder in folders) and not f.endswith("_test.cc")]
    rules = [".clang-tidy", *[f for f in run.sources(".h") if f.startswith("src/")]]
    stamps = {f: run.stamp("tidy", [f, *rules]) for f in files}
    due = [f for f in files if not stamps[f].exists()]
    command = ["clang-tidy-19", "-p", "build/tidy", "--quiet", "--warnings-as-errors=*"]
    count = each(run, due, lambda f: [*command, f], "clang-tidy",
                 on_success=lambda f: stamps[f].touch())
    count.passed += len(files) - len(due)
    canary(run, count, "canary.cc", "int BadName() { return 1; }\n",
           lambda f: ["clang-tidy-19", "--config-file=.clang-tidy", "--quiet", f, "--", "-std=c++23"])
    return count


# --- building ------------------------------------------------------------------------------------


def build_commands(run, preset, targets, options=()):
    return [["cmake", "--preset", preset, *options],
            ["cmake", "--build", "--preset", preset, "--parallel", str(run.jobs),
             *(["--target", *targets] if targets else []), "--", "-k", "0"]]


def build(run, preset, targets, options=()):
    run.await_builds_ahead()
    ok = all(run.command(command)[0] for command in build_commands(run, preset, targets, options))
    return Count(passed=1) if ok else failure(f"the build '{preset}' failed")


def release_build(run):
    targets = []
    if run.mode == QUICK:
        targets = [label.replace("-", "_") + "_tests" for label, modes, _ in LABELS if QUICK in modes]
        targets += ["stator"] if has_stator(run) else []
    count = build(run, "release", targets, ["-DSTATOR_TESTS=ON", "-DSTATOR_BENCH=ON"])
    run.read_tests("build/release")
    return count


def dev_preset(run):
    """The build that one debugs with, and that nothing else here makes: it compiles, and does the same."""
    count = build(run, "dev", ["stator", "unit_tests"])
    if count.failed == 0:
        run.read_tests("build/dev")
        count.add(run_ctest(run, "build/dev", "unit"))
    return count


# --- running tests -------------------------------------------------------------------------------


def run_ctest(run, build_dir, label):
    """All entries of a label, side by side where they allow it; one by one where figures of processes are judged."""
    apart = run.mode == FULL and label == AHEAD_BESIDE
    counts = ctest(run, build_dir, label, 1 if apart else run.jobs)
    again = []
    if label == AHEAD_BESIDE and not apart:
        again = [name for name, count in counts.items() if count.failed and name.startswith(JUDGED_ALONE)]
    if not again:
        return judge_alone(counts, {})
    run.await_builds_ahead()
    return judge_alone(counts, ctest(run, build_dir, label, 1, again))


def ctest(run, build_dir, label, jobs, only=()):
    """Each entry's count."""
    reports = run.root / build_dir / "gtest"
    reports.mkdir(parents=True, exist_ok=True)
    for test in only or run.tests_of(build_dir, label):
        (reports / f"{test}.json").unlink(missing_ok=True)
    junit = run.logs / f"{build_dir.replace('/', '-')}-{label}{'-alone' if only else ''}.xml"
    junit.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", build_dir, "--output-on-failure", "-j", str(jobs),
               "-L", f"^{label}$", "--output-junit", str(junit), "--test-output-size-passed", "1000000",
               "--test-output-size-failed", "4000000", "--no-tests=error"]
    if only:
        command += ["-R", f"^({'|'.join(only)})$"]
    if run.mode != FULL:
        command += ["-LE", "^slow$"]
    ok, _ = run.command(command)
    counts = count_entries(junit, reports)
    if not ok and not any(count.failed for count in counts.values()):
        counts[CTEST] = failure("ctest failed")
    return counts


def label_shelf(label, modes, limit_s):
    return Shelf(label, f"tests labelled {label}", modes, limit_s,
                 lambda run: run_ctest(run, "build/release", label))


def asan(run):
    aggregates = [label.replace("-", "_") + "_tests" for label in SANITIZED_LABELS]
    count = build(run, "asan", aggregates + (["stator"] if has_stator(run) else []))
    run.read_tests("build/asan")

    def tests():
        found = Count()
        for label in SANITIZED_LABELS:
            if run.has_tests("build/asan", label):
                found.add(run_ctest(run, "build/asan", label))
        return found

    count.add(with_reports(run, "asan", tests))
    return count


# What these shelves build, by name: preset and targets. It is begun beside AHEAD_BESIDE, the tests of processes, which
# wait for half of their time: for nodes to start, to notice, to come back.
BUILDS_AHEAD = {"tsan": ("tsan", ["tsan_tests", "stator"]), "fuzz-run": ("fuzz", ["fuzzers"])}
AHEAD_BESIDE = "process"
# They ask how commands and doors of real processes behave, and wait for that; a compiler beside them takes what they wait
# for. Those that look for lost writes (torture_*) have failed when they fail.
JUDGED_ALONE = ("process_", "hostile_")


def tsan(run):
    count = build(run, *BUILDS_AHEAD["tsan"])
    run.read_tests("build/tsan")
    count.add(race_canaries(run))
    count.add(with_reports(run, "tsan", lambda: run_ctest(run, "build/tsan", "tsan")))
    return count


def fuzz(run):
    """Every target under libFuzzer, from its corpus, with a fresh seed."""
    targets = fuzz_targets(run)
    count = build(run, *BUILDS_AHEAD["fuzz-run"])
    seconds = 60 if run.mode == FULL else 5

    def command(target):
        scratch = run.logs / "fuzz" / target
        scratch.mkdir(parents=True, exist_ok=True)
        return [f"build/fuzz/fuzz/{target}", f"-max_total_time={seconds}", f"-seed={run.seed}",
                "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                f"-artifact_prefix={scratch}/finding-", str(scratch), f"test/fuzz/corpus/{target}"]

    def fresh(target):
        shutil.rmtree(run.logs / "fuzz" / target, ignore_errors=True)
        return command(target)

    count.add(each(run, targets, fresh, "found something"))
    return count


SIM_OPERATIONS_PER_S, SIM_DENSE_PER_S, SIM_DENSE_KEYS = 20, 500, 100
SIM_EVENTS_PER_S = 100_000
SIM_TOLD_MAX = 12  # lines about seeds that failed
SIM_PROBES, SIM_PROBES_SHARE = 150, 0.9  # of the full size: rare states that the code names, and those met
SIM_PROBED = ("all", "disks")  # by runs with these faults together
# Of the full size: what is wanted (G1, G4), and what it may not be below where 20 minutes of two cores do not give
# that. ./check asks for a twentieth.
SIM_WANTED = {"seeds": 600, "hours": 200, "acknowledged writes": 5_000_000}
SIM_LEAST = {"seeds": 300, "hours": 100, "acknowledged writes": 2_000_000}
SIM_MINUTES = 20
SIM_PART = 0.05
SIM_SEED = re.compile(r"^seed (\d+) shards \S+ \S+ \d+ s \d+ of \d+ ops \((\d+)/s\) on (\d+) keys", re.M)


def sim_shortfalls(output, seeds, fast):
    """What the output of `stator sim` says of each figure that it must reach. Those are of simulated time,
    the same on every machine, but for the last one, which is asked for where `fast`."""
    last = re.search(r"^seeds=(\d+) .*?\boperations_per_s=([\d.]+) .*?\bevents_per_s=(\d+) .*\btrace=[0-9a-f]+$",
                     output, re.M)
    runs = [(int(rate), int(keys)) for _, rate, keys in SIM_SEED.findall(output)]
    if not last or int(last[1]) != seeds or len(runs) != seeds:
        return [f"stator sim did not tell of {seeds} seeds"]
    dense = sum(rate >= SIM_DENSE_PER_S and keys <= SIM_DENSE_KEYS for rate, keys in runs)
    found = []
    if float(last[2]) < SIM_OPERATIONS_PER_S:
        found.append(f"{last[2]} operations per simulated second, fewer than {SIM_OPERATIONS_PER_S}")
    if 2 * dense < seeds:
        found.append(f"{dense} of {seeds} seeds had {SIM_DENSE_PER_S} operations per second on at most "
                     f"{SIM_DENSE_KEYS} keys, fewer than half")
    if fast and int(last[3]) < SIM_EVENTS_PER_S:
        found.append(f"{last[3]} events per second and core, fewer than {SIM_EVENTS_PER_S}")
    return found


def rare_states(run, faults, output):
    """Which rare states runs of full size should have met and have not (G8). Some need disks that fail, others the many
    long runs in which none does: so the second of SIM_PROBED judges what both have met. One that runs alone says what
    it has met, and judges no share of it."""
    said = re.search(r"^probes=(\d+) reached=(\d+)$", output, re.M)
    met = set(re.findall(r"^reached \d+ (.*)$", output, re.M))
    known = met | set(re.findall(r"^never (.*)$", output, re.M))
    if not said or (int(said[1]), int(said[2])) != (len(known), len(met)):
        return ["it did not tell of probes"]
    run.probes[faults] = known, met
    known, met = (set().union(*sets) for sets in zip(*run.probes.values()))
    missing = [other for other in SIM_PROBED if other not in run.probes]
    told = f"{len(met)} of {len(known)} rare states met with --faults {' and '.join(run.probes)}"
    if missing:
        told += f"; no share is judged without a run of --faults {' and '.join(missing)}"
    say(run, told)
    found = []
    if len(known) < SIM_PROBES:
        found.append(f"{len(known)} probes of rare states, fewer than {SIM_PROBES}")
    if not missing and len(met) < SIM_PROBES_SHARE * len(known):
        found.append(f"{len(met)} of {len(known)} rare states were met, fewer than {SIM_PROBES_SHARE}; "
                     f"never: {', '.join(sorted(known - met))}")
    return found


def sim_bounds(output, share, minutes):
    """How much was simulated in so many minutes of two cores: (what is less than the least, one sentence that says
    which bound held). `share` of the full size is asked for."""
    last = re.search(r"^seeds=(\d+) .*?\bsimulated_s=(\d+) .*?\backnowledged=(\d+) .*?\btwice=(\d+) ", output, re.M)
    if not last:
        return ["stator sim did not tell how much it simulated"], ""
    figures = {"seeds": int(last[1]), "hours": int(last[2]) / 3600, "acknowledged writes": int(last[3])}
    found, said, times_more = [], [], 1.0
    for name, figure in figures.items():
        wanted, least = SIM_WANTED[name] * share, SIM_LEAST[name] * share
        times_more = max(times_more, wanted / figure if figure else float("inf"))
        shown = f"{figure:.1f}" if isinstance(figure, float) else f"{figure}"
        bound = f"wanted: {wanted:g}" if figure >= wanted else f"least: {least:g}"
        said.append(f"{shown} {name} ({bound})")
        if figure < least:
            found.append(f"{shown} {name}, fewer than {least:g}")
    if int(last[4]) < int(last[1]) // 10:
        found.append(f"{last[4]} of {last[1]} seeds were run twice, fewer than a tenth (I19)")
    held = f"{', '.join(said)}; {last[4]} seeds twice; {minutes:.1f} minutes of two cores"
    if times_more > 1:
        given = SIM_MINUTES * share
        fits = f"which fits into {given:g}" if minutes * times_more <= given else f"{given:g} do not give that"
        held += f" (all that is wanted would take about {minutes * times_more:.1f}: {fits})"
    return found, held


def simulate(run, build_dir, seeds, minutes, faults="all", nodes="5", figures=True, fast=False, share=0,
             probes=False):
    """`stator sim` over fresh seeds; a seed is a case, and so is each figure, and that the first seed runs
    the same way twice (I19). A seed that fails is made small."""
    def sim(count, *more):
        return run.command([f"{build_dir}/stator", "sim", "--seed", str(run.seed), "--seeds", str(count),
                            "--nodes", nodes, "--minutes", str(minutes), "--faults", faults, "--probes",
                            "--traces", str(run.logs), *more], follow=True)

    began = time.monotonic()
    ok, output = sim(seeds, "--shrink", "--shrink-runs", "400" if run.mode == FULL else "100")
    two_cores_minutes = (time.monotonic() - began) / 60 * run.jobs / 2
    rare = rare_states(run, faults, output) if probes else []  # a run that failed has met some, too
    if not ok:
        count = failure(f"{build_dir}/stator sim --seed {run.seed} --seeds {seeds} --nodes {nodes} "
                        f"--minutes {minutes} --faults {faults}")
        count.problems += re.findall(r"^(?:BROKEN|SHRUNK|reproduce).*$", output, re.M)[:SIM_TOLD_MAX]
        return count
    count = Count(passed=seeds)
    found = rare + (sim_shortfalls(output, seeds, fast) if figures else [])
    if share > 0:
        less, held = sim_bounds(output, share, two_cores_minutes)
        found += less
        say(run, held)
    for shortfall in found:
        count.fail(f"stator sim: {shortfall}")
    _, again = sim(1)
    first = re.search(rf"^seed {run.seed} .*trace=[0-9a-f]+$", output, re.M)
    if first and first[0] in again.splitlines():
        count.passed += 1
    else:
        count.fail(f"stator sim --seed {run.seed}: a second run did not do the same (I19)")
    return count


def sim_release(run):
    # Three of ten seeds are sparse and last so long, the others two minutes.
    full = run.mode == FULL
    seeds, minutes = (300, 70) if full else (20, 55)
    return simulate(run, "build/release", seeds, minutes, fast=full, share=1 if full else SIM_PART, probes=full)


def sim_disks(run):
    """With the faults that strike only where they are asked for, in clusters of every size."""
    full = run.mode == FULL
    seeds, minutes = (60, 10) if full else (10, 0.5)
    return simulate(run, "build/release", seeds, minutes, faults="disks", nodes="3-9", figures=False, probes=full)


def sim_asan(run):
    return simulate(run, "build/asan", 30, 1)


def museum(run):
    """Bugs put back on purpose: a third of them, chosen by the commit, or all and each made small."""
    command = ["python3", "test/museum/museum.py", "build/release/stator_museum", "--seed", str(run.seed),
               "--jobs", str(run.jobs)]
    if run.mode == FULL:
        return run.script([*command, "--shrink"], follow=True)
    ok, commit = run.command(["git", "rev-parse", "HEAD"])
    # One that is hard to catch is named before the time of the shelf is over.
    return run.script([*command, "--limit", "400", "--third", commit.strip() if ok else "0"])


def compare(run):
    """Speed beside Redis, at its full size: a load is a case, and a missed bar has failed it."""
    loads = [["--engine", "memory"], ["--engine", "rocksdb"],
             ["--engine", "rocksdb", "--fsync", "--clients", "200"]]
    count = Count()
    for load in loads:
        ok, _ = run.command(["bench/compare/run", *load])
        if ok:
            count.passed += 1
        else:
            count.fail(f"bench/compare/run {' '.join(load)}")
    return count


# --- helpers -------------------------------------------------------------------------------------


def say(run, text):
    """For who watches, and in the shelf's log."""
    print(f"    {text}", flush=True)
    run.write(f"{text}\n")


def each(run, items, command, why, on_success=lambda item: None):
    """One command per item, `run.jobs` at a time; an item is a case."""
    count = Count()
    with concurrent.futures.ThreadPoolExecutor(run.jobs) as pool:
        for item, (ok, _) in zip(items, pool.map(lambda i: run.command(command(i)), items)):
            if ok:
                count.passed += 1
                on_success(item)
            else:
                count.fail(f"{item}: {why}")
    return count


def canary(run, count, name, text, command):
    """A file that must be refused: a checker that accepts everything would pass unseen."""
    file = run.logs / name
    file.write_text(text)
    ok, _ = run.command(command(str(file)))
    if ok:
        count.fail(f"{name} was accepted: the checker does not check")
    else:
        count.passed += 1


def has_stator(run):
    return (run.root / "src/cli/CMakeLists.txt").exists()


def has_sim(run):
    return any((run.root / "src/cli").glob("*sim*.cc"))


def fuzz_targets(run):
    file = run.root / "build/release/fuzz_targets.txt"
    return file.read_text().split() if file.exists() else []


def label_shelves():
    return [label_shelf(*row) for row in LABELS]


SHELVES = [
    Shelf("format", "clang-format 19", ALL, 60, format_check),
    Shelf("lint", "tools/lint: layers, banned calls, sizes, documents", ALL, 60, lint),
    Shelf("lint-self-test", "the rules catch what they forbid", ALL, 60, lint_self_test),
    Shelf("build", "release, GCC 12, warnings are errors", ALL, 2400, release_build),
    *label_shelves(),
    Shelf("headers", "each header compiles alone (clang 19)", SLOW, 600, headers),
    Shelf("tidy", "clang-tidy 19", SLOW, 900, tidy),
    Shelf("sim-seeds", "stator sim, fresh seeds", SLOW, 1800, sim_release, has_sim),
    Shelf("sim-disks", "stator sim, disks that fail, rot and are lost", SLOW, 900, sim_disks, has_sim),
    Shelf("museum", "bugs put back on purpose are caught", SLOW, 900, museum, has_sim),
    Shelf("compare", "speed beside redis-server and the bare quorum", (FULL,), 3600, compare, has_stator),
    Shelf("dev-preset", "the build to debug with, and its unit tests", (FULL,), 2400, dev_preset, has_stator),
    Shelf("asan", "build and tests under AddressSanitizer and UBSan", SANITIZED_MODES, 2400, asan,
          lambda run: run.has_tests("build/release", "unit")),
    Shelf("asan-sim", "30 simulation seeds under ASan and UBSan", SANITIZED_MODES, 900, sim_asan, has_sim),
    Shelf("tsan", "threads and processes under ThreadSanitizer", SLOW, 2400, tsan,
          lambda run: run.has_tests("build/release", "tsan")),
    Shelf("fuzz-run", "libFuzzer on every target", SLOW, 1800, fuzz, lambda run: bool(fuzz_targets(run))),
]
