"""Shows mutants to the simulator until it catches each (G7): museum.py PROGRAM [--seed S] [--third HASH] [--shrink]
[--jobs J] [NAME...]. A mutant that 500 seeds do not catch has failed, and so has one that breaks something else than it
should. --third runs a third of them, another one for the next commit. --shrink makes each caught run small and
asks that four of five keep at most a fifth of their events (G34). Ends with `N passed, M failed`.
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

sys.dont_write_bytecode = True
from mutants import MUTANTS  # noqa: E402

SEEDS_MAX = 500
LIMIT_S = 900
SHARE_MAX, SHARE_OF_RUNS = 0.2, 0.8


@dataclass
class Shown:
    seeds: int = 0
    broken: set = field(default_factory=set)  # invariants, "assert"
    share: float = None  # of the events that are left by shrinking
    reproduce: str = ""  # the last such line
    output: str = ""


def show(program, mutant, seed, shrink=False, seeds=SEEDS_MAX, limit_s=LIMIT_S):
    """Runs seeds until one breaks. `mutant` may be None: the program as it is."""
    environment = dict(os.environ, STATOR_MUTANT=mutant.name if mutant else "")
    with tempfile.TemporaryDirectory() as traces:
        command = [program, "sim", "--seed", str(seed), "--seeds", str(seeds), "--until-broken",
                   "--minutes", str(mutant.minutes if mutant else 0.25),
                   "--faults", mutant.faults if mutant else "all", "--traces", traces]
        if shrink:
            command += ["--shrink", "--shrink-runs", "150"]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit_s)
            output = done.stdout + done.stderr
        except subprocess.TimeoutExpired as late:
            output = (late.stdout or b"").decode(errors="replace") + "\nout of time\n"
    shown = Shown(output=output)
    shown.seeds = len(re.findall(r"^seed \d+ ", output, re.M))
    shown.broken = {found or "P7" for found in re.findall(r"^BROKEN seed \d+: (?:([DIP]\d+): )?", output, re.M)}
    if "assertion failed" in output:
        shown.broken.add("assert")
        shown.seeds += 1
    share = re.search(r"^shrunk: .* share=([\d.]+)", output, re.M)
    shown.share = float(share[1]) if share else None
    lines = re.findall(r"^reproduce: (.*)$", output, re.M)
    shown.reproduce = lines[-1] if lines else ""
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


def expected(mutant):
    """Who loses all copies of a write (I1) loses single ones first (P1)."""
    names = set(mutant.breaks.split())
    return names | {"P1"} if "I1" in names else names


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--third")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_intermixed_args(words)
    passed, problems, seeds, shares = 0, [], [], []
    mutants = chosen(arguments)
    pool = concurrent.futures.ThreadPoolExecutor(arguments.jobs)
    all_shown = pool.map(lambda mutant: show(arguments.program, mutant, arguments.seed, arguments.shrink), mutants)
    for mutant, shown in zip(mutants, all_shown):
        caught = sorted(shown.broken & expected(mutant))
        what = f"caught by seed {shown.seeds}: {' '.join(sorted(shown.broken))}" if shown.broken else "not caught"
        small = "" if shown.share is None else f", {shown.share:.4f} of its events left: {shown.reproduce}"
        print(f"{mutant.name:26} {mutant.rule:4} {what} in {shown.seeds} seeds{small}", flush=True)
        if not caught:
            problems.append(f"{mutant.name} ({mutant.what}) broke none of {mutant.breaks}\n{shown.output[-2000:]}")
            continue
        passed += 1
        seeds.append(shown.seeds)
        if shown.share is not None:
            shares.append(shown.share)
    if seeds:
        print(f"median of seeds: {statistics.median(seeds)}, most: {max(seeds)}")
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
