#!/usr/bin/env python3
"""The comparison itself: what it computes, and small runs of it from end to end, with a double for
the program that is measured, and once with the program ($STATOR_BINARY). Usage:
compare_test.py PATH-OF-LIMIT [unittest arguments]"""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from comparison import load, report, stator_wiring  # noqa: E402
from comparison.errors import UsageError  # noqa: E402
from comparison.measure import Cell, Sample  # noqa: E402
from comparison.options import parse  # noqa: E402
from comparison.processes import claim_any  # noqa: E402

LIMIT = Path(sys.argv.pop(1)).resolve()
STATOR = Path(os.environ["STATOR_BINARY"]).resolve()

# A Stator in its flags, its ready line and its metric, and the bare quorum underneath.
DOUBLE = """#!/usr/bin/env python3
import http.server, os, signal, subprocess, sys, threading
assert sys.argv[1] == "serve"
flags = dict(zip(sys.argv[2::2], sys.argv[3::2]))
flags.pop("--config", None)
port = lambda name: flags.pop(name).split(":")[1]
redis, http_port, own_peer = port("--redis-listen"), port("--http-listen"), port("--peer-listen")
found = [member.split("=127.0.0.1:") for member in flags.pop("--found").split(",")]
number = [name for name, _ in found].index(flags.pop("--name")) + 1
assert found[number - 1][1] == own_peer
assert flags.pop("--shards") == "1" and flags.pop("--engine") in ("memory", "rocksdb")
os.makedirs(flags.pop("--data-dir"))
flags.pop("--cluster-id")
assert not flags, flags
count = 0
class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global count
        count += @ALLOCATIONS@
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"# TYPE x counter\\nother 7\\nstator_heap_allocations_total %d\\n" % count)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", int(http_port)), Metrics)
threading.Thread(target=server.serve_forever, daemon=True).start()
limit = subprocess.Popen(["@LIMIT@", "--log", sys.argv[0], "--node", str(number), "--clients", redis,
                          "--peers", ",".join(peer for _, peer in found)])
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
while not stop.is_set() and limit.poll() is None:
    stop.wait(0.05)
limit.terminate()
limit.wait()
sys.exit(0 if stop.is_set() else 1)
"""


def sample(rate: float, cpu_us: float = 1.0, allocations: float | None = 0.0) -> Sample:
    return Sample(rate=rate, cpu_us=cpu_us, allocations=allocations, p50_ms=1.0, p99_ms=2.0)


class Reports(unittest.TestCase):
    cell = Cell(1, "one", "set")

    def rows(self, redis, limit, stator, *arguments: str) -> list[report.Row]:
        options = parse(["--stator", str(LIMIT), "--limit", str(LIMIT), *arguments])
        return report.rows({self.cell: {"redis": redis, "limit": limit, "stator": stator}}, options)

    def test_a_ratio_is_the_median_of_pairs_not_the_ratio_of_medians(self) -> None:
        (row,) = self.rows([sample(100), sample(10), sample(40)], [sample(1)] * 3,
                           [sample(50), sample(9), sample(8)])
        self.assertAlmostEqual(row.rate_ratios["stator"], 0.5)
        self.assertEqual(row.rates, {"redis": 40, "limit": 1, "stator": 9})

    def test_below_a_bar_fails_and_above_passes(self) -> None:
        for rate, expected in ((69, False), (70, True)):
            rows = self.rows([sample(100)], [sample(1)], [sample(rate)])
            self.assertEqual(report.passed(rows), expected)

    def test_the_aim_of_the_cpu_is_shown_and_fails_nothing(self) -> None:
        rows = self.rows([sample(100)], [sample(1, cpu_us=1)], [sample(90, cpu_us=2)])
        self.assertEqual(rows[0].cpu_ratio_to_limit, 2)
        self.assertTrue(report.passed(rows))
        options = parse(["--limit-only", "--limit", str(LIMIT)])
        self.assertIn("aim missed", report.as_table(rows, options, busy=0.0))

    def test_allocations_that_nobody_counted_or_too_many_fail(self) -> None:
        for allocations, expected in ((None, False), (0.11, False), (0.1, True)):
            rows = self.rows([sample(100)], [sample(1)], [sample(90, allocations=allocations)])
            self.assertEqual(report.passed(rows), expected)

    def test_the_bars_are_those_of_their_own_load(self) -> None:
        get16 = Cell(16, "all", "get")
        base = ["--stator", str(LIMIT), "--limit", str(LIMIT)]
        cases = [
            (self.cell, [], 0.7), (get16, [], 0.3), (self.cell, ["--clients", "200"], None),
            (self.cell, ["--engine", "rocksdb"], 0.25), (get16, ["--engine", "rocksdb"], 0.08),
            (self.cell, ["--engine", "rocksdb", "--fsync"], None),
            (self.cell, ["--engine", "rocksdb", "--fsync", "--clients", "200"], 0.12),
            (get16, ["--engine", "rocksdb", "--fsync", "--clients", "200"], None),
        ]
        for cell, arguments, bar in cases:
            self.assertEqual(report.rate_bar(cell, parse(base + arguments)), bar, arguments)


class Load(unittest.TestCase):
    def test_shares_lose_nothing(self) -> None:
        for total in (1, 2, 50, 1_000_000):
            self.assertEqual(sum(load.shares(total, 3)), total)


class CommandLine(unittest.TestCase):
    def test_what_cannot_be_measured_is_refused(self) -> None:
        base = ["--stator", str(LIMIT), "--limit", str(LIMIT)]
        for arguments, said in ((["--fsync"], "--engine rocksdb"),
                                (["--limit", "/nowhere"], "/nowhere"),
                                (["--stator", "/nowhere"], "/nowhere"),
                                (["--dir", "/nowhere"], "/nowhere")):
            with self.assertRaisesRegex(UsageError, said):
                parse(base + arguments)

    def test_a_wrong_flag_is_code_2(self) -> None:
        for arguments in (["--pipeline", "0"], ["--clients", "x"], ["--fast"], ["--fsync"],
                          ["--operation", "del"]):
            done = subprocess.run([HERE / "run", *arguments], capture_output=True, check=False)
            self.assertEqual(done.returncode, 2, arguments)


class WholeRuns(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="compare-test-")
        self.addCleanup(directory.cleanup)
        self.home = Path(directory.name)
        (self.home / "data").mkdir()

    def double(self, allocations: int = 0, text: str = DOUBLE) -> Path:
        program = self.home / "stator"
        program.write_text(text.replace("@LIMIT@", str(LIMIT))
                           .replace("@ALLOCATIONS@", str(allocations)))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    def start(self, program: Path, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [HERE / "run", "--size", "small", "--limit", LIMIT, "--stator", program,
             "--dir", self.home / "data", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def assert_all_gone(self) -> None:
        self.assertEqual(list((self.home / "data").iterdir()), [])
        for process in Path("/proc").glob("[0-9]*"):
            try:
                # Redis names itself anew, but works in its directory.
                traces = (process / "cmdline").read_text() + os.readlink(process / "cwd")
            except OSError:
                continue
            self.assertNotIn(str(self.home), traces)

    def test_json_holds_every_cell_and_all_three_systems(self) -> None:
        run = self.start(self.double(), "--runs", "1", "--requests", "3000", "-o", "json",
                         "--pipeline", "1,4")
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, err)
        result = json.loads(out)
        cells = [tuple(row["cell"].values()) for row in result["rows"]]
        self.assertEqual(len(set(cells)), 8)
        for row in result["rows"]:
            self.assertEqual(set(row["rates"]), {"redis", "limit", "stator"})
            self.assertTrue(all(rate > 100 for rate in row["rates"].values()), row)
            self.assertEqual(row["allocations"]["stator"], 0)
        self.assert_all_gone()

    def test_one_operation_alone_is_all_that_is_measured(self) -> None:
        run = self.start(self.double(), "--runs", "1", "--requests", "3000", "-o", "json",
                         "--pipeline", "1", "--operation", "set")
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, err)
        cells = [row["cell"] for row in json.loads(out)["rows"]]
        self.assertEqual([(cell["door"], cell["test"]) for cell in cells],
                         [("one", "set"), ("all", "set")])

    def test_the_program_understands_all_that_the_comparison_tells_it(self) -> None:
        # Flags, the line that it is ready and the metric are its own here.
        run = self.start(STATOR, "--runs", "1", "--requests", "2000", "--pipeline", "1",
                         "--bars", "show", "-o", "json")
        out, err = run.communicate(timeout=240)
        self.assertEqual(run.returncode, 0, err)
        rows = json.loads(out)["rows"]
        self.assertEqual(len(rows), 4)
        for row in rows:
            self.assertGreater(row["rates"]["stator"], 100, row)
            self.assertIsNotNone(row["allocations"]["stator"], row)
        self.assert_all_gone()

    def test_the_program_understands_the_file_that_leaves_out_the_fsync(self) -> None:
        nodes = [stator_wiring.NodePorts(*ports) for ports in zip(*[iter(claim_any(9))] * 3)]
        line = stator_wiring.command(STATOR, 0, nodes, "rocksdb", False, self.home / "n1")
        file = line[line.index("--config") + 1]
        shown = subprocess.run([STATOR, "config", "show", "--config", file, "-o", "json"],
                               capture_output=True, text=True, check=False)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        told = {setting["key"]: (setting["value"], setting["source"])
                for setting in json.loads(shown.stdout)["settings"]}
        self.assertEqual(told["durability"], ("none", "file"))

    def test_enforced_bars_decide_the_exit_code(self) -> None:
        # 3 nodes, 400 allocations between two looks, 3000 requests: 0.4 per request.
        run = self.start(self.double(allocations=400), "--runs", "1", "--requests", "3000",
                         "--pipeline", "1", "--bars", "enforce")
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 1, err)
        self.assertIn("FAIL: allocations 0.40 not <= 0.1", out)
        self.assert_all_gone()

    def test_a_program_that_ends_at_once_is_reported_with_its_last_words(self) -> None:
        program = self.double(text="#!/bin/sh\necho 'no such engine' >&2\nexit 2\n")
        run = self.start(program, "--runs", "1", "--requests", "100")
        _, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 1)
        self.assertIn("ended with code 2: no such engine", err)
        self.assert_all_gone()

    def test_ctrl_c_and_sigterm_leave_nothing_behind(self) -> None:
        for how in (signal.SIGINT, signal.SIGTERM):
            run = self.start(self.double(), "--requests", "1000000")
            deadline = time.monotonic() + 60
            while not list((self.home / "data").glob("*/stator/n3/output")):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            time.sleep(1)
            os.kill(run.pid, how)
            _, err = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 1)
            self.assertIn("stopped", err)
            self.assert_all_gone()


if __name__ == "__main__":
    unittest.main()
