"""The runner behind ./check: runs the shelves of shelves.py, prints a table, exits 1 on any failure."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]
import tree  # noqa: E402
from ahead import BuildsAhead  # noqa: E402
from counting import Count, count_said, failure  # noqa: E402
from shelves import AHEAD_BESIDE, ALL, BUILDS_AHEAD, DEFAULT, FULL, SHELVES, build_commands  # noqa: E402

TAIL_LINES = 80
MINUTES_PROMISED = 30  # of `./check` without a mode, on two cores


class Run:
    """What shelves share: where things are, how to run a command, what it may cost."""

    def __init__(self, root, mode):
        self.root = Path(root)
        self.mode = mode
        self.jobs = len(os.sched_getaffinity(0))
        self.seed = int(os.environ.get("STATOR_SEED") or random.SystemRandom().randrange(1, 1 << 31))
        self.logs = self.root / "build/check"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.deadline = None
        self.log = None
        self.lock = threading.Lock()
        self.tests = {}
        self.probes = {}  # what shelves of the simulator have met, see rare_states
        self.environment = dict(
            os.environ, STATOR_CHECK=mode, STATOR_SEED=str(self.seed), PYTHONDONTWRITEBYTECODE="1",
            ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
            UBSAN_OPTIONS="print_stacktrace=1",
            # What was left out is no report, and must not look like one.
            TSAN_OPTIONS="second_deadlock_stack=1:print_suppressions=0",
            ASAN_SYMBOLIZER_PATH="/usr/bin/llvm-symbolizer-19",
            TSAN_SYMBOLIZER_PATH="/usr/bin/llvm-symbolizer-19")
        suppressions = self.root / "tools/tsan.supp"
        if suppressions.exists():
            self.environment["TSAN_OPTIONS"] += f":suppressions={suppressions}"
        self.ahead = BuildsAhead(self.root, self.logs / "ahead.log", self.environment)

    def sources(self, *endings):
        """Files of ours with these endings, relative, sorted."""
        return [name for name in tree.files(self.root) if name.endswith(endings)]

    def command(self, words, follow=False):
        """Runs in the root folder, output to the shelf's log: all of it at the end, so that those of several commands
        do not mix; or, to `follow` one that takes long, line by line. Returns (succeeded, output)."""
        limit = max(self.deadline - time.monotonic(), 1) if self.deadline else None
        started = time.monotonic()
        try:
            process = subprocess.Popen(words, cwd=self.root, env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as problem:
            self.write(f"$ {' '.join(words)}\n{problem}\n")
            return False, str(problem)
        timer = threading.Timer(limit, kill_group, [process]) if limit else None
        if timer:
            timer.start()
        try:
            output = self.followed(process) if follow else process.communicate()[0].decode(errors="replace")
        except BaseException:
            kill_group(process)
            raise
        finally:
            if timer:
                timer.cancel()
        end = f"exit {process.returncode}, {time.monotonic() - started:.1f} s"
        if limit and time.monotonic() - started >= limit:
            end += ", killed at the time limit of the shelf"
        self.write(f"[{end}]\n" if follow else f"$ {shorten(' '.join(words))}\n{output}[{end}]\n")
        return process.returncode == 0, output

    def followed(self, process):
        self.write(f"$ {shorten(' '.join(process.args))}\n")
        lines = []
        for line in process.stdout:
            lines.append(line.decode(errors="replace"))
            self.write(lines[-1])
        process.wait()
        return "".join(lines)

    def await_builds_ahead(self):
        self.ahead.wait(max(self.deadline - time.monotonic(), 1) if self.deadline else None)

    def script(self, words, follow=False):
        """A command that says `N passed, M failed` at its end."""
        ok, output = self.command(words, follow)
        count = count_said(output) or Count()
        if count.failed and not count.problems:
            count.problems.append(" ".join(words))
        if not ok and count.failed == 0:
            count.fail(f"{' '.join(words)} failed")
        return count

    def write(self, text):
        with self.lock:
            self.log.write(text)
            self.log.flush()

    def stamp(self, kind, files):
        """A file that exists if `kind` succeeded on exactly these contents before."""
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file}\0".encode() + (self.root / file).read_bytes())
        folder = self.logs / "stamps"
        folder.mkdir(exist_ok=True)
        return folder / f"{kind}-{digest.hexdigest()[:32]}"

    def read_tests(self, build_dir):
        """Learns which tests a build folder has, with their labels."""
        asked = subprocess.run(["ctest", "--test-dir", build_dir, "--show-only=json-v1"],
                               cwd=self.root, capture_output=True, text=True)
        self.tests[build_dir] = {}
        if asked.returncode != 0:
            return
        for test in json.loads(asked.stdout)["tests"]:
            labels = next((p["value"] for p in test["properties"] if p["name"] == "LABELS"), [])
            self.tests[build_dir][test["name"]] = labels

    def tests_of(self, build_dir, label):
        return [name for name, labels in self.tests.get(build_dir, {}).items() if label in labels
                and (self.mode == "full" or "slow" not in labels)]

    def has_tests(self, build_dir, label):
        return bool(self.tests_of(build_dir, label))


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def shorten(text, most=400):
    return text if len(text) <= most else text[:most] + " ..."


def run_shelf(run, shelf):
    run.deadline = time.monotonic() + (shelf.limit_s * (20 if run.mode == "full" else 1))
    log_file = run.logs / f"{shelf.name}.log"
    with open(log_file, "w", encoding="utf-8") as run.log:
        try:
            count = shelf.run(run)
        except Exception as problem:  # a broken shelf is a failed shelf, not the end of the check
            count = failure(f"the shelf itself failed: {problem!r}")
    if count.passed + count.failed == 0:
        count.fail("nothing ran on this shelf")
    return count, log_file


def show_failure(count, log_file):
    for problem in count.problems:
        print(f"    FAILED {problem}")
    print(f"    ---- end of {log_file}")
    for line in log_file.read_text(encoding="utf-8").splitlines()[-TAIL_LINES:]:
        print(f"    | {line}")


def main(arguments):
    mode = arguments[0] if arguments else DEFAULT
    if mode == "list":
        for shelf in SHELVES:
            print(f"{shelf.name:16} {'/'.join(shelf.modes):20} {shelf.what}")
        return 0
    names = arguments[1:]
    unknown = set(names) - {shelf.name for shelf in SHELVES}
    if mode not in ALL or unknown:
        print(f"usage: ./check [{'|'.join(ALL)}] [SHELF...] or ./check list", file=sys.stderr)
        return 2
    if mode == FULL:
        os.environ["STATOR_FULL"] = "1"  # tests take their full sizes and judge their figures
    run = Run(Path(__file__).resolve().parents[2], mode)
    print(f"./check {mode}: {run.jobs} cores, STATOR_SEED={run.seed} (set it to repeat this run)")
    if names:
        run.read_tests("build/release")
    try:
        return run_shelves(run, mode, names)
    finally:
        run.ahead.stop()


def run_shelves(run, mode, names):
    def wanted(shelf):
        return shelf.name in names if names else mode in shelf.modes

    rows, total, began = [], Count(), time.monotonic()
    for shelf in SHELVES:
        if not wanted(shelf) or not shelf.exists(run):
            continue
        # At full size tests judge figures of speed: nothing may run beside them.
        if shelf.name == AHEAD_BESIDE and mode == DEFAULT:
            run.ahead.begin([build_commands(run, *BUILDS_AHEAD[later.name]) for later in SHELVES
                             if later.name in BUILDS_AHEAD and wanted(later)])
        print(f"==> {shelf.name}: {shelf.what}", flush=True)
        started = time.monotonic()
        count, log_file = run_shelf(run, shelf)
        took = time.monotonic() - started
        print(f"    {count.passed} passed, {count.failed} failed, {took:.1f} s", flush=True)
        if count.failed:
            show_failure(count, log_file)
        rows.append((shelf.name, count, took))
        total.add(count)
    print(f"\n{'shelf':16} {'passed':>7} {'failed':>7} {'seconds':>9}")
    for name, count, took in rows:
        print(f"{name:16} {count.passed:7} {count.failed:7} {took:9.1f}")
    minutes = (time.monotonic() - began) / 60
    print(f"{'all':16} {total.passed:7} {total.failed:7} {minutes * 60:9.1f}")
    if mode == DEFAULT and not names and minutes > MINUTES_PROMISED:
        print(f"this took {minutes:.0f} minutes, more than the {MINUTES_PROMISED} that the README promises")
    for problem in total.unsteady:
        print(f"UNSTEADY, passed alone: {problem}")
    for problem in total.problems:
        print(f"FAILED {problem}")
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not rows else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main(sys.argv[1:]))
