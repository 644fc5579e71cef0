"""Full disks under load: on one node no write fails for long, also not through that node; on all of them writes
are refused with one clear line and reads served; nothing acknowledged is lost, no record is left that cannot be read,
and writes are taken again when there is room (D29, G20)."""

import time

from torture import AS_SHIPPED, FULL, Nodes, Torture, TortureTest, metric, report, wait_until
from full_disk_test import fill, main, marks, small_disk
from resp import Client, ReplyError

RATE = 1_000 if FULL else 500
# A client waits somewhat longer than a node tries.
PATIENCE_MS = 3_000 if FULL else 30_000
QUIET_S = 10 if FULL else 2
TOLD_S = 2


class DiskFull(TortureTest):
    SIZE = 64 << 20
    MARKS = marks("32MiB", "24MiB", "16MiB", "4MiB")

    def begin(self, small: int) -> None:
        self.cluster = Nodes(3, *self.MARKS, *AS_SHIPPED)
        self.addCleanup(self.cluster.stop)
        self.nodes = self.cluster.nodes
        self.disks = []
        for node in self.nodes[:small]:
            self.disks.append(small_disk(self, self.cluster.folder / f"disk-{node.name}", self.SIZE))
            node.data = self.disks[-1] / "data"
        # Unmounted only when its node is gone.
        self.addCleanup(lambda: [node.kill() for node in self.nodes])
        self.cluster.start()
        self.torture = Torture(self.nodes, rate=RATE, keys=500, sessions=30, kinds="named",
                               patience_ms=PATIENCE_MS)
        self.addCleanup(self.torture.stop)
        self.torture.begin()
        time.sleep(1)
        self.assertEqual(self.failed_from_now_on(1), 0, "before anything happened")

    def failed_from_now_on(self, seconds: float) -> int:
        """Of the operations that begin within so many seconds."""
        self.torture.window()
        time.sleep(seconds)
        self.torture.pause()
        failed = self.torture.window()["failed_since"]
        self.torture.begin()
        return failed

    @staticmethod
    def status(node):
        return node.json("/v1/status")

    def no_write(self, node) -> bool:
        return self.status(node)["node"]["no_write"]

    def free(self) -> None:
        for disk in self.disks:
            (disk / "filler").unlink()
        for node in self.nodes:
            wait_until(lambda node=node: not self.no_write(node))
        # Those that have no disk of their own here believe it, too.
        wait_until(lambda: not any(member["no_write"] for node in self.nodes
                                   for member in self.status(node)["members"]))

    def judge(self, name: str, figures: dict) -> None:
        self.assertEqual(self.failed_from_now_on(1), 0, "with room again")
        verdict = self.torture.judge()
        # Each key was read from all its owners by now, so that who holds a damaged record has met it.
        unreadable = [metric(node, "stator_records_unreadable_total") for node in self.nodes]
        report(name, {**figures, **verdict, "problems": len(verdict["problems"]), "unreadable": sum(unreadable)})
        self.assertEqual(verdict["problems"], [])
        self.assertEqual(unreadable, [0] * len(self.nodes), "records that cannot be read")
        self.assertGreater(verdict["acknowledged"], RATE / 2)

    def test_one_full_disk_fails_no_write_and_the_node_comes_back_by_itself(self):
        self.begin(small=1)
        full = self.nodes[0]
        self.torture.window()
        fill(self.disks[0])
        filled = time.monotonic()
        wait_until(lambda: self.no_write(full))
        for node in self.nodes[1:]:  # who passes it over from now on
            wait_until(lambda node=node: any(member["no_write"] and member["name"] == full.name
                                             for member in self.status(node)["members"]))
        told_s = time.monotonic() - filled
        time.sleep(max(0.0, TOLD_S - told_s))
        first = self.torture.window()
        # Also of those that come through the full node, which is asked as often as the others.
        failed = self.failed_from_now_on(QUIET_S)
        self.free()
        self.judge("disk_full_one", {"told_s": round(told_s, 2), "failed_before": first["errors"],
                                     "unanswered_before": first["unanswered"], "failed_after": failed})
        self.assertEqual(failed, 0)
        if FULL:
            self.assertLessEqual(told_s, TOLD_S)

    def test_all_disks_full_refuse_cleanly_serve_reads_and_take_writes_again(self):
        self.begin(small=3)
        for k, node in enumerate(self.nodes):
            with Client(node.redis_port) as client:
                self.assertEqual(client.call("SET", f"known-{k}", "v"), "OK")
        for disk in self.disks:
            fill(disk)
        for node in self.nodes:
            wait_until(lambda node=node: self.no_write(node))
        time.sleep(0.5)
        before = self.torture.window()
        for node in self.nodes:
            with Client(node.redis_port) as client:
                for k in range(len(self.nodes)):
                    self.assertEqual(client.call("GET", f"known-{k}"), b"v")
                    with self.assertRaisesRegex(ReplyError, "^DISKFULL"):
                        client.call("SET", f"known-{k}", "w")
        time.sleep(QUIET_S)
        full = self.torture.window()
        self.assertEqual(full["acknowledged"], before["acknowledged"], "a write")
        self.assertGreater(full["errors"], RATE / 10)
        self.assertGreater(full["well"], RATE / 10)  # reads
        self.assertEqual(full["unanswered"], 0)
        self.free()
        with Client(self.nodes[0].redis_port) as client:
            self.assertEqual(client.call("SET", "known-0", "w"), "OK")
        self.judge("disk_full_all", {"refused": full["errors"], "read_meanwhile": full["well"]})


if __name__ == "__main__":
    main()
