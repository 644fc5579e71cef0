"""Full disks: on one node no write fails for long, on all of them writes are refused with one clear line and
reads served; nothing acknowledged is lost, and writes are taken again when there is room (D29, G20)."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from bad_input_test import Fixture
from nodes import Cluster, wait_until
from resp import Client, ReplyError

IN_OWN_MOUNTS = "STATOR_TEST_OWN_MOUNTS"


def small_disk(test: unittest.TestCase, path: Path, size: int) -> Path:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)], check=True)
    test.addCleanup(subprocess.run, ["umount", "-l", str(path)], check=True)
    return path


def fill(disk: Path) -> None:
    try:
        with (disk / "filler").open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
    except OSError:
        pass


def marks(low: str, refuse: str, read_only: str, reserve: str) -> list[str]:
    return ["--disk-low", low, "--disk-refuse", refuse, "--disk-read-only", read_only,
            "--disk-reserve", reserve, "--engine-memory", "8MiB"]


class FullDisk(Fixture):
    """On a small file system of its own: needs mounts of its own, see the end of the file."""

    SIZE = 24 << 20
    NO_MARKS = marks("0", "0", "0", "0")

    def setUp(self):
        super().setUp()
        self.disk = small_disk(self, self.folder / "disk", self.SIZE)
        self.addCleanup(self.node.kill)
        self.node.data = self.disk / "data"
        self.node.options = self.founding() + self.NO_MARKS

    def no_write(self) -> bool:
        return self.node.json("/v1/status")["node"]["no_write"]

    def test_a_start_on_a_full_disk_says_so(self):
        fill(self.disk)
        self.refused_serve(*self.founding(), *self.NO_MARKS, says="o space left on device", code=1)
        (self.disk / "filler").unlink()
        self.node.options = self.founding() + self.NO_MARKS
        self.run_once()

    def test_a_start_on_a_full_disk_takes_what_was_reserved(self):
        self.node.options = self.founding() + marks("6MiB", "4MiB", "2MiB", "3MiB")
        self.node.start()
        with Client(self.node.redis_port) as client:
            self.assertEqual(client.call("SET", "k", "v"), "OK")
        reserve = self.node.data / "reserve"
        wait_until(lambda: reserve.exists() and reserve.stat().st_size == 3 << 20)
        self.node.signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(), 0)
        fill(self.disk)
        self.node.start()
        self.assertFalse(reserve.exists())
        with Client(self.node.redis_port) as client:
            self.assertEqual(client.call("GET", "k"), "v".encode())
            with self.assertRaisesRegex(ReplyError, "^DISKFULL"):
                client.call("SET", "k", "w")
            (self.disk / "filler").unlink()
            wait_until(lambda: not self.no_write())
            self.assertEqual(client.call("SET", "k", "w"), "OK")

    def test_writes_are_refused_reads_served_and_nothing_acknowledged_is_lost(self):
        self.node.start()
        acknowledged, refusal = [], None
        value = os.urandom(60_000)
        with Client(self.node.redis_port) as client:
            for k in range(600):
                try:
                    client.call("SET", f"k{k}", value)
                    acknowledged.append(k)
                except ReplyError as error:
                    refusal = str(error)
                    break
            self.assertIsNotNone(refusal, "the disk did not become full")
            self.assertGreater(len(acknowledged), 20)
            self.assertRegex(refusal.lower(), "disk|space|store")
            for k in acknowledged[::7]:
                self.assertEqual(client.call("GET", f"k{k}"), value)
            self.assertTrue(self.node.running())
            wait_until(self.no_write)
            self.assertIn("docs/ops/disk-full.md", wait_until(
                lambda: "disk-full" in self.node.log.read_text() and self.node.log.read_text()))
        self.node.signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(), 0)
        # With room again it serves all that it acknowledged, and writes.
        subprocess.run(["mount", "-o", f"remount,size={4 * self.SIZE}", str(self.disk)], check=True)
        self.node.start()
        with Client(self.node.redis_port) as client:
            for k in acknowledged:
                self.assertEqual(client.call("GET", f"k{k}"), value)
            self.assertEqual(client.call("SET", "again", "v"), "OK")


class Load:
    """One writer per node, each with keys of its own, until it is told to stop."""

    def __init__(self, nodes):
        self.answers = []  # (when, key, value or None where it was refused, the refusal)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(node,)) for node in nodes]
        for thread in self._threads:
            thread.start()

    def _write(self, node) -> None:
        with Client(node.redis_port) as client:
            for k in itertools.count():
                if self._stop.is_set():
                    return
                key, value = f"{node.name}:{k % 500}", f"{k}:".encode() + b"x" * 500
                began = time.monotonic()
                try:
                    client.call("SET", key, value)
                    self.answers.append((began, key, value, None))
                except ReplyError as error:
                    self.answers.append((began, key, value, str(error)))
                time.sleep(0.002)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def refused(self, begin: float, end: float) -> list[str]:
        return [refusal for when, _, _, refusal in self.answers if begin <= when < end and refusal]

    def check_reads(self, test: unittest.TestCase, port: int) -> int:
        """Each key holds what was acknowledged last, or what was tried after that with an unknown
        outcome."""
        allowed: dict[str, set[bytes | None]] = {}
        for _, key, value, refusal in self.answers:
            if refusal is None:
                allowed[key] = {value}
            elif refusal.startswith("UNKNOWN"):
                allowed.setdefault(key, {None}).add(value)
        with Client(port) as client:
            for key, values in allowed.items():
                test.assertIn(client.call("GET", key), values, key)
        return len(allowed)


class FullDiskInACluster(unittest.TestCase):  # D29, G20
    SIZE = 64 << 20
    MARKS = marks("32MiB", "24MiB", "16MiB", "4MiB")

    def begin(self, small: int) -> None:
        self.cluster = Cluster(3, *self.MARKS)
        self.addCleanup(self.cluster.stop)
        self.nodes = self.cluster.nodes
        self.disks = []
        for node in self.nodes[:small]:
            self.disks.append(small_disk(self, self.cluster.folder / f"disk-{node.name}", self.SIZE))
            node.data = self.disks[-1] / "data"
        # Unmounted only when its node is gone.
        self.addCleanup(lambda: [node.kill() for node in self.nodes])
        self.cluster.start()
        self.load = Load(self.nodes)
        self.addCleanup(self.load.stop)

    @staticmethod
    def status(node):
        return node.json("/v1/status")

    def no_write(self, node) -> bool:
        return self.status(node)["node"]["no_write"]

    def free(self) -> None:
        for disk in self.disks:
            (disk / "filler").unlink()

    def test_one_full_disk_fails_no_write_and_the_node_comes_back_by_itself(self):
        self.begin(small=1)
        full = self.nodes[0]
        time.sleep(1)
        self.assertEqual(self.load.refused(0, time.monotonic()), [])
        fill(self.disks[0])
        filled = time.monotonic()
        wait_until(lambda: self.no_write(full))
        for node in self.nodes[1:]:  # who passes it over from now on
            wait_until(lambda node=node: any(member["no_write"] and member["name"] == full.name
                                             for member in self.status(node)["members"]))
        told = time.monotonic()
        # Also those that came through the full node, which is asked as often as the others.
        time.sleep(max(0.0, filled + 5 - time.monotonic()))
        self.assertEqual(self.load.refused(max(filled + 2, told), time.monotonic()), [])
        first = self.load.refused(filled, filled + 2)
        self.free()
        wait_until(lambda: not self.no_write(full))
        time.sleep(1)
        self.load.stop()
        self.assertEqual(self.load.refused(told, time.monotonic()), [])
        keys = self.load.check_reads(self, full.redis_port)
        print(f"one full disk: known to all after {told - filled:.2f} s, {len(first)} writes of "
              f"{len(self.load.answers)} not acknowledged before, none after; {keys} keys right")

    def test_all_disks_full_refuse_cleanly_serve_reads_and_take_writes_again(self):
        self.begin(small=3)
        time.sleep(1)
        for disk in self.disks:
            fill(disk)
        for node in self.nodes:
            wait_until(lambda node=node: self.no_write(node))
        full = time.monotonic() + 0.5
        time.sleep(1.5)
        refusals = self.load.refused(full, time.monotonic())
        self.assertEqual([answer for answer in self.load.answers if answer[0] >= full and not answer[3]], [])
        self.assertGreater(len(refusals), 100)
        self.assertEqual({refusal.split()[0] for refusal in refusals}, {"DISKFULL"})
        for node in self.nodes:
            self.assertGreater(self.load.check_reads(self, node.redis_port), 100)
        self.free()
        for node in self.nodes:
            wait_until(lambda node=node: not self.no_write(node))
        back = time.monotonic() + 0.5
        time.sleep(1.5)
        self.load.stop()
        self.assertEqual(self.load.refused(back, time.monotonic()), [])
        for node in self.nodes:
            keys = self.load.check_reads(self, node.redis_port)
        print(f"all disks full: {len(refusals)} writes refused, all with DISKFULL; {keys} keys right")


def enter_own_mounts() -> None:
    """Runs this file once more where it may mount: as root, or as the root of a user namespace."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvpe("unshare", ["unshare", *user, "--mount", sys.executable, *sys.argv],
               {**os.environ, IN_OWN_MOUNTS: "1"})


if __name__ == "__main__":
    if IN_OWN_MOUNTS not in os.environ:
        enter_own_mounts()
    unittest.main()
