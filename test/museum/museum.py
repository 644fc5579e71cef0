"""Shows mutants to the simulator until it catches each (G7): museum.py PROGRAM [--seed S] [--third HASH] [--shrink]
[--jobs J] [--limit SECONDS] [--caught FILE] [NAME...]. A mutant that 500 seeds, or as many as its time allows, do not
catch has failed, and so has one that breaks something else than it should; where all are shown, the median must be at
most 50 seeds. What no seed can show is shown to the tests that the mutant names. --third runs a third of them, another
one for the next commit. In front of all comes a canary, which the first seed must catch. --shrink makes each caught run
small and asks that four of five keep at most a fifth of their events (G34). Where all are shown, a list of what caught
each is written: to FILE, or to museum-caught.md beside the program. Ends with `N passed, M failed`.
museum.py --page prints docs/museum.md.
"""

import argparse
import concurrent.futures
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True
from mutants import CANARY, MUTANTS  # noqa: E402

SEEDS_MAX, SEEDS_MEDIAN_MAX = 500, 50
LIMIT_S = 1800
SHARE_MAX, SHARE_OF_RUNS = 0.2, 0.8


@dataclass
class Shown:
    seeds: int = 0
    seed: int = None  # the one that broke
    broken: set = field(default_factory=set)  # invariants, "assert"; tests that failed
    share: float = None  # of the events that are left by shrinking
    reproduce: str = ""  # the last such line
    output: str = ""


def run(command, mutant, limit_s):
    """How it ended, None: it had not within its time; and what it said."""
    environment = dict(os.environ, STATOR_MUTANT=mutant.name if mutant else "")
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit_s)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace") + "\nout of time\n"


def show(program, mutant, seed, shrink=False, seeds=SEEDS_MAX, limit_s=LIMIT_S):
    """Runs seeds until one breaks. `mutant` may be None: the program as it is."""
    with tempfile.TemporaryDirectory() as traces:
        command = [program, "sim", "--seed", str(seed), "--seeds", str(seeds), "--until-broken",
                   "--minutes", str(mutant.minutes if mutant else 0.25),
                   "--faults", mutant.faults if mutant else "all", "--traces", traces]
        if shrink:
            command += ["--shrink", "--shrink-runs", "150"]
        _, output = run(command, mutant, limit_s)
    shown = Shown(output=output)
    shown.seeds = len(re.findall(r"^seed \d+ ", output, re.M))
    shown.broken = {found or "P7" for found in re.findall(r"^BROKEN seed \d+: (?:([DIP]\d+|assert): )?", output, re.M)}
    first = re.search(r"^BROKEN seed (\d+): ", output, re.M)
    shown.seed = int(first[1]) if first else None
    if "assertion failed" in output:
        shown.broken.add("assert")
    if "assert" in shown.broken:
        shown.seeds += 1  # which had no time to say what it was
    share = re.search(r"^shrunk: .* share=([\d.]+)", output, re.M)
    shown.share = float(share[1]) if share else None
    lines = re.findall(r"^reproduce: (.*)$", output, re.M)
    shown.reproduce = lines[-1] if lines else ""
    return shown


def tests_of(program):
    """The tests that see what no run of the simulator does, around the same files as the museum's program."""
    return str(Path(program).with_name("stator_museum_tests"))


def show_to_tests(program, mutant, limit_s=LIMIT_S):
    code, output = run([tests_of(program), f"--gtest_filter={mutant.tests}"], mutant, limit_s)
    shown = Shown(output=output)
    if code:
        # One that ends the program is the last that has begun.
        begun = re.findall(r"^\[ RUN      \] (\S+)", shown.output, re.M)
        shown.broken = set(re.findall(r"^\[  FAILED  \] ([\w/]+\.[\w/]+)", shown.output, re.M)) or set(begun[-1:])
    return shown


def third(mutants, commit):
    """A third of the mutants, chosen by the hash of a commit."""
    return [mutant for index, mutant in enumerate(mutants) if (index + int(commit[:8], 16)) % 3 == 0]


def chosen(arguments):
    unknown = set(arguments.names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        sys.exit(f"there is no mutant {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in MUTANTS if not arguments.names or mutant.name in arguments.names]
    return third(mutants, arguments.third) if arguments.third else mutants


def caught_by(mutant, shown):
    """What of that which broke was to break."""
    if mutant.tests:
        return sorted(shown.broken)
    names = set(mutant.breaks.split())
    if "I1" in names:
        names.add("P1")  # who loses all copies of a write loses single ones first
    return sorted(shown.broken & names)


def describe(mutant, shown):
    if mutant.tests:
        what = f"caught by {' '.join(sorted(shown.broken))}" if shown.broken else f"passes {mutant.tests}"
    elif shown.broken:
        what = f"caught by seed {shown.seeds}: {' '.join(sorted(shown.broken))}"
    else:
        what = f"not caught in {shown.seeds} seeds"
    small = "" if shown.share is None else f", {shown.share:.4f} of its events left: {shown.reproduce}"
    return f"{mutant.name:26} {mutant.rule:4} {what}{small}"


PAGE = """# The bug museum

Bugs that stores of this family have had ([rules.md](rules.md), D), put back one at a time in a program of the build's
own. There are {count}. Each must be caught: by one of 500 seeds of the simulator, and by one of the first {median} in
the median (G7); or, where no run of the simulator can see it, by a test of the product. What may catch it is the last
column; `./check` prints what did. The list of what caught each, by which seed and after how many, is written whenever
all are shown, as in `./check full`: to `museum-caught.md` in the folder of the build, or, for one that is committed, to
the file of `--caught docs/museum-caught.md`. How to see one, and how to add one, stands in
[simulator.md](simulator.md#the-bug-museum).

`python3 test/museum/museum.py --page` prints this page, and a test compares the two.

| mutant | rule | the bug | caught by |
|---|---|---|---|
"""


def page():
    """docs/museum.md."""
    rows = []
    for mutant in MUTANTS:
        names = [f"`{mutant.tests}`"] if mutant.tests else mutant.breaks.split()
        by = ", ".join("an assertion" if name == "assert" else name for name in names)
        rows.append(f"| `{mutant.name}` | {mutant.rule} | {mutant.what} | {by} |\n")
    return PAGE.format(count=len(MUTANTS), median=SEEDS_MEDIAN_MAX) + "".join(rows)


CAUGHT = """# What caught each bug of the museum

What they are stands in [museum.md](museum.md). Of {count} that were shown {caught} were caught, {by_seeds} of them
by the simulator, whose first seed was {seed}: after {median} seeds in the median, {most} at most.

| mutant | rule | caught by | seed | after seeds | of its events left by shrinking |
|---|---|---|---|---|---|
"""


def caught_page(seed, pairs):
    """The list of what caught each, of (mutant, what was shown)."""
    rows, seeds = [], []
    for mutant, shown in pairs:
        names = caught_by(mutant, shown)
        if names and not mutant.tests:
            seeds.append(shown.seeds)
        by = ", ".join(f"`{name}`" for name in names) if mutant.tests else ", ".join(names)
        after = "" if mutant.tests else shown.seeds
        left = "" if shown.share is None else f"{shown.share:.3f}"
        rows.append(f"| `{mutant.name}` | {mutant.rule} | {by or '**not caught**'} | "
                    f"{'' if shown.seed is None else shown.seed} | {after} | {left} |\n")
    caught = sum(bool(caught_by(*pair)) for pair in pairs)
    return CAUGHT.format(count=len(pairs), caught=caught, by_seeds=len(seeds), seed=seed,
                         median=statistics.median(seeds) if seeds else "no",
                         most=max(seeds, default="none")) + "".join(rows)


def judge_median(seeds):
    """What is wrong with it, or nothing."""
    if statistics.median(seeds) <= SEEDS_MEDIAN_MAX:
        return ""
    return f"in the median {statistics.median(seeds)} seeds were needed, more than {SEEDS_MEDIAN_MAX}"


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--third")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=LIMIT_S)
    parser.add_argument("--caught", type=Path)
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_intermixed_args(words)
    if arguments.page:
        print(page(), end="")
        return 0
    if not arguments.program:
        parser.error("which program?")
    passed, problems, seeds, shares, pairs = 0, [], [], [], []
    mutants = chosen(arguments)
    every = len(mutants) == len(MUTANTS)
    if arguments.caught and not every:
        parser.error("--caught is a list of all mutants")

    def show_one(mutant):
        if mutant.tests:
            return show_to_tests(arguments.program, mutant, arguments.limit)
        return show(arguments.program, mutant, arguments.seed, arguments.shrink, limit_s=arguments.limit)

    canary = show_one(CANARY)
    print(describe(CANARY, canary), flush=True)
    if caught_by(CANARY, canary) and canary.seeds == 1:
        passed += 1
    else:
        problems.append(f"the canary lives: nothing that follows says anything\n{canary.output[-2000:]}")

    pool = concurrent.futures.ThreadPoolExecutor(arguments.jobs)
    for mutant, shown in zip(mutants, pool.map(show_one, mutants)):
        print(describe(mutant, shown), flush=True)
        pairs.append((mutant, shown))
        if not caught_by(mutant, shown):
            problems.append(f"{mutant.name} ({mutant.what}) broke none of {mutant.breaks or mutant.tests}\n"
                            f"{shown.output[-2000:]}")
            continue
        passed += 1
        if not mutant.tests:
            seeds.append(shown.seeds)
        if shown.share is not None:
            shares.append(shown.share)
    if seeds:
        print(f"median of seeds: {statistics.median(seeds)}, most: {max(seeds)}")
    if every:
        caught = arguments.caught or Path(arguments.program).with_name("museum-caught.md")
        caught.write_text(caught_page(arguments.seed, pairs), encoding="utf-8")
        print(f"what caught each: {caught}")
        if seeds:
            wrong = judge_median(seeds)
            problems += [wrong] if wrong else []
            passed += not wrong
    if shares:
        small = sum(share <= SHARE_MAX for share in shares)
        print(f"{small} of {len(shares)} runs keep at most {SHARE_MAX} of their events")
        if small < SHARE_OF_RUNS * len(shares):
            problems.append(f"fewer than {SHARE_OF_RUNS} of the failed runs became small")
        else:
            passed += 1
    for problem in problems:
        print(f"FAILED {problem}")
    print(f"{passed} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
