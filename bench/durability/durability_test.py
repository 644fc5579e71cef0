#!/usr/bin/env python3
"""The bench of durabilities itself: what it computes, what it refuses to call a measurement, and a small run of it from
end to end with the program ($STATOR_BINARY)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "compare")]

from comparison.errors import ComparisonError, UsageError  # noqa: E402
from durable import main, report, windows  # noqa: E402
from durable.clusters import Counts  # noqa: E402
from durable.disk import Disk  # noqa: E402
from durable.options import KINDS, LOADS, parse  # noqa: E402
from durable.windows import Window  # noqa: E402

STATOR = Path(os.environ["STATOR_BINARY"]).resolve()
BASE = ["--stator", str(STATOR)]
WINDOW = Window(rate=100, p50_ms=1, p99_ms=2, p999_ms=3, failed=0, syncs=0, durable=0)
TOLD = {"all": {"rate": 900.5, "latency_us": {"p50": 500, "p99": 1500, "p999": 2500},
                "errors": {"unknown": 1, "tryagain": 2}}, "not_sent": 4}


class Reports(unittest.TestCase):
    def test_a_ratio_is_the_median_of_pairs_not_the_ratio_of_medians(self) -> None:
        ours = [replace(WINDOW, p99_ms=value) for value in (50, 9, 8)]
        theirs = [replace(WINDOW, p99_ms=value) for value in (100, 10, 40)]
        self.assertEqual(report.ratio(ours, theirs, "p99_ms"), report.Ratio(middle=0.5, least=0.2, most=0.9))

    def test_nothing_is_divided_by_nothing(self) -> None:
        self.assertIsNone(report.ratio([WINDOW], [replace(WINDOW, rate=0)], "rate"))

    def test_the_table_says_which_is_over_which(self) -> None:
        by_kind = {"none": [WINDOW], "one": [replace(WINDOW, p99_ms=3)], "all": [replace(WINDOW, p99_ms=6, rate=50)]}
        text = report.as_table({load: by_kind for load in LOADS}, Disk("ext2/ext3", 1, 2), parse(BASE), busy=0)
        self.assertEqual(text.count("one over none: per s 1.00 (1.00 to 1.00), p50 1.00 (1.00 to 1.00), p99 1.50"),
                         len(LOADS))
        self.assertEqual(text.count("all over none: per s 0.50"), len(LOADS))
        self.assertEqual(text.count("one over all: per s 2.00 (2.00 to 2.00), p50 1.00 (1.00 to 1.00), p99 0.50"),
                         len(LOADS))

    def test_a_window_counts_per_write_and_what_was_not_sent_as_failed(self) -> None:
        self.assertEqual(windows.window_of(TOLD, Counts(writes=1000, syncs=250, durable=990)),
                         Window(rate=900.5, p50_ms=0.5, p99_ms=1.5, p999_ms=2.5, failed=7, syncs=0.25, durable=0.99))

    def test_a_durability_that_did_something_else_is_no_measurement(self) -> None:
        one, every = replace(WINDOW, syncs=0.3, durable=0.99), replace(WINDOW, syncs=0.3)
        for kind, good, bad in (("none", WINDOW, one), ("one", one, every), ("all", every, one),
                                ("all", every, WINDOW)):
            windows.check(kind, good)
            with self.assertRaisesRegex(ComparisonError, f"durability {kind} did something else"):
                windows.check(kind, bad)


class CommandLine(unittest.TestCase):
    def test_what_cannot_be_measured_is_refused(self) -> None:
        for arguments, said in ((["--stator", "/nowhere"], "/nowhere"), ([*BASE, "--dir", "/nowhere"], "/nowhere")):
            with self.assertRaisesRegex(UsageError, said):
                parse(arguments)

    def test_a_wrong_flag_is_code_2(self) -> None:
        for arguments in (["--rate", "0"], ["--size", "large"], ["--fast"], ["--stator", "/nowhere"]):
            done = subprocess.run([HERE / "run", *arguments], capture_output=True, check=False)
            self.assertEqual(done.returncode, 2, arguments)

    def test_a_disk_in_memory_is_not_measured(self) -> None:
        with mock.patch.object(main, "in_memory", return_value=True):
            with self.assertRaisesRegex(UsageError, "is in memory"):
                main.run(parse(BASE))


class WholeRuns(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="durability-test-")
        self.addCleanup(directory.cleanup)
        self.home = Path(directory.name)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen([HERE / "run", *BASE, "--size", "small", "--rate", "200", "--dir", self.home,
                                 *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def assert_all_gone(self) -> None:
        self.assertEqual(list(self.home.iterdir()), [])
        for process in Path("/proc").glob("[0-9]*"):
            try:
                self.assertNotIn(str(self.home), (process / "cmdline").read_text())
            except OSError:
                continue

    def test_the_program_does_what_each_durability_asks_for(self) -> None:
        run = self.start("-o", "json")
        out, err = run.communicate(timeout=240)
        self.assertEqual(run.returncode, 0, err)
        told = json.loads(out)
        self.assertEqual({load: list(by_kind) for load, by_kind in told["windows"].items()},
                         {load: list(KINDS) for load in LOADS})
        for by_kind in told["windows"].values():
            for kind, (window,) in by_kind.items():
                self.assertGreater(window["rate"], 0, kind)
                self.assertLessEqual(window["p50_ms"], window["p99_ms"], kind)
        for load in LOADS:
            self.assertEqual(set(told["ratios"][load]), {"one/none", "all/none", "one/all"})
        self.assert_all_gone()

    def test_sigterm_leaves_nothing_behind(self) -> None:
        run = self.start("--rounds", "100")
        deadline = time.monotonic() + 120
        while not list(self.home.glob("*/all/n3/output")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        time.sleep(1)
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 1)
        self.assertIn("stopped", err)
        self.assert_all_gone()


if __name__ == "__main__":
    unittest.main()
