"""The library in front of files and the clock, in front of a small program: what a loss of power may leave,
over many seeds, and what every other order does. Power tests are worth what this is worth."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from torture import TOOLS, Orders, die_with_parent

SEEDS = 24
# Runs what it is told, line by line, and says when it has.
PROGRAM = """
import os, sys, threading, time
for line in sys.stdin:
    try:
        exec(line.strip())
        print("ok", flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


class Child:
    def __init__(self, folder: Path):
        self.root = folder / "root"
        control = folder / "control"
        environment = {**os.environ, "LD_PRELOAD": str(TOOLS / "stator_faulty_os.so"),
                       "STATOR_FAULTY_ROOT": str(self.root), "STATOR_FAULTY_CONTROL": str(control)}
        self._process = subprocess.Popen([sys.executable, "-I", "-S", "-c", PROGRAM], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, env=environment,
                                         preexec_fn=die_with_parent)
        self.do(f"R = {str(self.root)!r}")  # it runs, so the library listens
        self.orders = Orders(control)

    def do(self, *lines: str) -> str:
        for line in lines:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline().strip()
        return answer

    def lose_power(self, seed: int) -> None:
        try:
            self.orders.ask(f"power {seed}")
        except OSError:
            pass
        self._process.wait()
        self.stop()

    def stop(self) -> None:
        self.orders.close()
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


NEW = "fd = os.open(R + '/{0}', os.O_RDWR | os.O_CREAT)"
SYNC_NAMES = "d = os.open(R, os.O_RDONLY); os.fsync(d); os.close(d)"


class FaultyOs(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="stator-test-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def outcomes(self, prepare: list[str], look) -> set:
        """What is there after a loss of power, over all seeds. A line that begins with ! is an order."""
        found = set()
        for seed in range(SEEDS):
            root = self.folder / "root"
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            child = Child(self.folder)
            for line in prepare:
                answer = child.orders.ask(line[1:]) if line.startswith("!") else child.do(line)
            self.assertEqual(answer, "ok")
            child.lose_power(seed)
            found.add(look(root))
        return found

    def test_what_was_synced_stays_and_what_was_appended_since_may_be_there_or_not(self):
        found = self.outcomes(
            [NEW.format("f"), "os.write(fd, b'a' * 5000)", "os.fsync(fd)", SYNC_NAMES,
             "os.write(fd, b'b' * 20000)"], lambda root: (root / "f").read_bytes())
        for content in found:
            self.assertEqual(content[:5000], b"a" * 5000)
            self.assertEqual(content[5000:].strip(b"b\0"), b"")
        self.assertIn(b"a" * 5000, found)
        self.assertGreater(max(map(len, found)), 10_000)
        self.assertTrue(any(0 in content for content in found), "no page was torn out")

    def test_a_page_that_was_overwritten_is_the_old_or_the_new_one(self):
        found = self.outcomes(
            [NEW.format("f"), "os.write(fd, b'a' * 8192)", "os.fdatasync(fd)", SYNC_NAMES,
             "os.pwrite(fd, b'b' * 8192, 0)"], lambda root: (root / "f").read_bytes())
        self.assertEqual(found, {a * 4096 + b * 4096 for a in (b"a", b"b") for b in (b"a", b"b")})

    def test_a_file_that_was_cut_may_be_whole_again(self):
        found = self.outcomes(
            [NEW.format("f"), "os.write(fd, b'a' * 8192)", "os.fsync(fd)", SYNC_NAMES,
             "os.ftruncate(fd, 100)"], lambda root: len((root / "f").read_bytes()))
        self.assertIn(8192, found)

    def test_a_name_is_durable_when_its_directory_was_synced(self):
        make = [NEW.format("f"), "os.write(fd, b'a')", "os.fsync(fd)"]
        names = lambda root: tuple(sorted(os.listdir(root)))  # noqa: E731
        self.assertEqual(self.outcomes(make, names), {(), ("f",)})
        self.assertEqual(self.outcomes([*make, SYNC_NAMES], names), {("f",)})

    def test_a_rename_is_done_or_not(self):
        def write(name: str, text: str) -> list[str]:
            return [NEW.format(name), f"os.write(fd, b'{text}')", "os.fsync(fd)", "os.close(fd)"]

        found = self.outcomes(
            [*write("f", "old"), *write("g", "new"), SYNC_NAMES, "os.rename(R + '/g', R + '/f')"],
            lambda root: tuple(sorted((name, (root / name).read_bytes()) for name in os.listdir(root))))
        self.assertEqual(found, {(("f", b"new"),), (("f", b"old"), ("g", b"new"))})

    def test_what_was_removed_may_come_back(self):
        found = self.outcomes(
            [NEW.format("f"), "os.write(fd, b'a')", "os.fsync(fd)", SYNC_NAMES, "os.unlink(R + '/f')"],
            lambda root: tuple((name, (root / name).read_bytes()) for name in os.listdir(root)))
        self.assertEqual(found, {(), (("f", b"a"),)})

    def after_a_failed_sync(self, since: list[str], then: list[str]) -> set:
        """A file of 5,000 bytes, all of them a; its contents after a loss of power."""
        return self.outcomes(
            [NEW.format("f"), "os.write(fd, b'a' * 5000)", "os.fsync(fd)", SYNC_NAMES, *since, "!eio 1",
             "os.fsync(fd)", *then], lambda root: (root / "f").read_bytes())

    def test_what_a_failed_sync_has_lost_no_later_one_makes_durable(self):
        """D31: as Linux does. Its pages are clean from then on, and show what the disk does not have."""
        found = self.after_a_failed_sync(
            ["os.pwrite(fd, b'b' * 4096, 0)", "os.write(fd, b'b' * 20000)"],
            ["os.fsync(fd)", "assert os.pread(fd, 1, 0) == os.pread(fd, 1, 24999) == b'b'", "os.fdatasync(fd)"])
        self.assertEqual(found, {b"a" * 5000})

    def test_what_is_written_behind_what_was_lost_stands_behind_a_hole(self):
        found = self.after_a_failed_sync(
            ["os.write(fd, b'b' * (3 * 4096 - 5000))"], ["os.write(fd, b'c' * 10)", "os.fsync(fd)"])
        self.assertEqual(found, {b"a" * 5000 + bytes(3 * 4096 - 5000) + b"c" * 10})

    def test_a_page_that_is_written_again_is_durable_with_the_next_sync(self):
        found = self.after_a_failed_sync(
            ["os.pwrite(fd, b'b' * 5000, 0)"], ["os.pwrite(fd, b'c', 0)", "os.fsync(fd)"])
        self.assertEqual(found, {b"c" + b"b" * 4095 + b"a" * 904})

    def test_a_file_that_was_cut_is_whole_again_if_the_sync_failed(self):
        found = self.after_a_failed_sync(["os.ftruncate(fd, 100)"], ["os.fsync(fd)"])
        self.assertEqual(found, {b"a" * 5000})

    def child(self) -> Child:
        (self.folder / "root").mkdir()
        child = Child(self.folder)
        self.addCleanup(child.stop)
        child.do(NEW.format("f"))
        return child

    def test_syncs_fail_as_often_as_ordered(self):
        child = self.child()
        self.assertEqual(child.orders.ask("eio 2"), "ok")
        self.assertEqual([child.do("os.fsync(fd)") for _ in range(3)], ["5", "5", "ok"])
        self.assertEqual(child.orders.ask("syncs"), "3")

    def test_a_full_disk_takes_nothing(self):
        child = self.child()
        self.assertEqual(child.orders.ask("full 1"), "ok")
        self.assertEqual(child.do("os.write(fd, b'a')"), "28")
        self.assertEqual(child.orders.ask("full 0"), "ok")
        self.assertEqual(child.do("os.write(fd, b'a')"), "ok")

    def test_a_slow_disk_takes_its_time(self):
        child = self.child()
        self.assertEqual(child.orders.ask("rate 100000"), "ok")
        child.do("os.write(fd, bytes(50000))")
        begin = time.monotonic()
        self.assertEqual(child.do("os.fsync(fd)"), "ok")
        self.assertGreater(time.monotonic() - begin, 0.5)
        self.assertGreater(int(child.orders.ask("waited")), 500)
        self.assertEqual(child.orders.ask("rate 0"), "ok")
        self.assertEqual(child.do("os.write(fd, bytes(50000))", "os.fsync(fd)"), "ok")
        self.assertLess(int(child.orders.ask("waited")), 1000)

    def test_a_disk_that_is_well_again_ends_a_sync_that_waits(self):
        child = self.child()
        self.assertEqual(child.orders.ask("rate 1000"), "ok")
        child.do("os.write(fd, bytes(1000000))", "t = threading.Thread(target=os.fsync, args=(fd,))")
        self.assertEqual(child.do("t.start()"), "ok")
        self.assertEqual(child.do("t.join(0.3); assert t.is_alive()"), "ok")
        self.assertGreater(int(child.orders.ask("waited")), 100)
        self.assertEqual(child.orders.ask("rate 0"), "ok")
        self.assertEqual(child.do("t.join(60); assert not t.is_alive()"), "ok")

    def test_the_wall_clock_jumps_and_the_monotonic_one_does_not(self):
        child = self.child()
        child.do("t, m = time.time(), time.monotonic()")
        self.assertEqual(child.orders.ask("clock -86400"), "ok")
        self.assertEqual(child.do("assert -86400 <= time.time() - t < -86000"), "ok")
        self.assertEqual(child.do("assert 0 <= time.monotonic() - m < 400"), "ok")

    def test_what_is_no_order_is_said_to_be_none(self):
        child = self.child()
        for line in ("", "power", "eio x", "slow 3"):
            self.assertTrue(child.orders.ask(line).startswith("no such order"), line)


if __name__ == "__main__":
    unittest.main()
