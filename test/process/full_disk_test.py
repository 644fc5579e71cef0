"""A full disk under one node: writes are refused with one clear line and reads served; nothing acknowledged is
lost, and writes are taken again when there is room (D29). In a cluster: test/torture/disk_full_test.py."""

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from bad_input_test import Fixture
from nodes import wait_until
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
        self.refused_serve(*self.founding(), *self.NO_MARKS, says="o space left on device", code=1,
                           remedy="docs/ops/disk-full.md", following=f"df -h {self.disk}")
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


def enter_own_mounts() -> None:
    """Runs the program once more where it may mount: as root, or as the root of a user namespace."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvpe("unshare", ["unshare", *user, "--mount", sys.executable, *sys.argv],
               {**os.environ, IN_OWN_MOUNTS: "1"})


def main() -> None:
    if IN_OWN_MOUNTS not in os.environ:
        enter_own_mounts()
    unittest.main()


if __name__ == "__main__":
    main()
