"""A full disk: writes are refused with one clear line, reads served, and nothing acknowledged is lost."""

import os
import signal
import subprocess
import sys
import unittest

from bad_input_test import Fixture
from nodes import wait_until
from resp import Client, ReplyError

IN_OWN_MOUNTS = "STATOR_TEST_OWN_MOUNTS"


class FullDisk(Fixture):
    """On a small file system of its own: needs mounts of its own, see the end of the file."""

    SIZE = 24 << 20

    def setUp(self):
        super().setUp()
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "none", str(disk)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        self.addCleanup(self.node.kill)
        self.disk, self.filler = disk, disk / "filler"
        self.node.data = disk / "data"

    def fill(self) -> None:
        try:
            with self.filler.open("ab", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)
        except OSError:
            pass

    def test_a_start_on_a_full_disk_says_so(self):
        self.fill()
        self.refused_serve(*self.founding(), says="o space left on device", code=1)
        self.filler.unlink()
        self.node.options = self.founding()
        self.run_once()

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
        wait_until(lambda: self.node.json("/v1/status")["node"]["no_write"])
        self.assertIn("docs/ops/disk-full.md", wait_until(
            lambda: "disk-full" in self.node.log.read_text() and self.node.log.read_text()))
        self.node.signal(signal.SIGTERM)
        self.node.wait()
        # With room again it serves all that it acknowledged, and writes.
        subprocess.run(["mount", "-o", f"remount,size={4 * self.SIZE}", str(self.disk)], check=True)
        self.node.start()
        with Client(self.node.redis_port) as client:
            for k in acknowledged:
                self.assertEqual(client.call("GET", f"k{k}"), value)
            self.assertEqual(client.call("SET", "again", "v"), "OK")


def enter_own_mounts() -> None:
    """Runs this file once more where it may mount: as root, or as the root of a user namespace."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvpe("unshare", ["unshare", *user, "--mount", sys.executable, *sys.argv],
               {**os.environ, IN_OWN_MOUNTS: "1"})


if __name__ == "__main__":
    if IN_OWN_MOUNTS not in os.environ:
        enter_own_mounts()
    unittest.main()
