"""A copy of a node's disk is started under its name beside the original (D3). What peers make of that is tested on
virtual time (test/sim/two_processes_test.cc); here it is what shows outside: /readyz, logs, what clients are told, and
that nothing is lost of a load. A copy that listens elsewhere is refused, and the original goes on; where both answer at
the node's address, both are refused.

Each takes the twenty seconds in which two are heard side by side, so both clusters have them at the same time."""

import itertools
import json
import shutil
import threading
import time
import unittest

from torture import PATIENCE_S, Node, Nodes, Proxy, Torture, metric, report, wait_until
from nodes import PATIENT
from resp import Client, ReplyError

RATE = 500
SIDE_BY_SIDE_S = 20
# Where a machine stalls for a second, pings come at another pace than they were sent, and the time begins anew.
REFUSED_WITHIN_S = 3 * PATIENCE_S
FENCED = "its peers refuse this node: another process runs under its name"


def copy_of(original: Node, *options: str) -> Node:
    """Its disk as it was at one moment, in a process of its own: not started yet. It is not told the founding, which is
    on that disk."""
    original.kill()
    copy = Node(original.name, original.data.parent / "copy")
    copy.data.parent.mkdir()
    shutil.copytree(original.data, copy.data)
    original.start()
    copy.options = ["--shards", "1", *PATIENT, *options]
    return copy


class MovingAddress:
    """The address of a node leads to one process and to the other, in turns, as behind a balancer."""

    EACH_S = 2  # time to be dialled, asked and heard there

    def __init__(self, proxy: Proxy, name: str, processes: list[Node]):
        self._proxy, self._name, self._processes = proxy, name, processes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._move)
        self._thread.start()

    def lead_to(self, process: Node) -> None:
        self._proxy.do("target", self._name, process.peer_port)
        self._proxy.do("reset", "*", self._name)

    def _move(self) -> None:
        for process in itertools.cycle(self._processes):
            self.lead_to(process)
            if self._over.wait(self.EACH_S):
                return

    def stay(self) -> None:
        self._over.set()
        self._thread.join()


def seen(by: Node, of: Node) -> dict:
    return next(member for member in by.json("/v1/status")["members"] if member["name"] == of.name)


def readiness(node: Node) -> tuple[int, str | None]:
    status, _, body = node.http("GET", "/readyz")
    return status, json.loads(body)["reason"]


def await_said(node: Node, text: str) -> None:
    wait_until(lambda: text in node.log.read_text())


class TwoProcesses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.apart, cls.together = Nodes(3), Nodes(3, proxied=True)
        for cluster in (cls.apart, cls.together):
            cls.addClassCleanup(cluster.stop)
            cluster.start()
        # As patient as its nodes: what it gives up has failed.
        cls.torture = Torture(cls.apart.nodes, rate=RATE, keys=1_000, sessions=30, hot=0, kinds="named",
                              patience_ms=30_000)
        cls.addClassCleanup(cls.torture.stop)
        cls.torture.begin()
        wait_until(lambda: cls.torture.window()["acknowledged"] > RATE / 2)
        original = cls.together.nodes[0]
        with Client(original.redis_port) as client:
            assert client.call("SET", "before", "v") == "OK"
        door = original.options[original.options.index("--peer-announce") + 1]
        # Its clients need not wait long for nobody.
        cls.stray = copy_of(cls.apart.nodes[0], "--request-timeout", "2s")
        cls.twin = copy_of(original, "--peer-announce", door)
        cls.acknowledged_before = cls.torture.window()["acknowledged"]
        cls.began = time.monotonic()
        for copy in (cls.stray, cls.twin):
            cls.addClassCleanup(copy.kill)
            copy.launch()
        cls.address = MovingAddress(cls.together.proxy, original.name, [original, cls.twin])
        cls.addClassCleanup(cls.address.stay)
        for copy in (cls.stray, cls.twin):
            copy.await_said()

    def test_a_copy_elsewhere_is_refused_and_the_original_goes_on(self):
        original, others = self.apart.nodes[0], self.apart.nodes[1:]
        for node in others:
            wait_until(lambda node=node: seen(node, original)["copy_refused"], REFUSED_WITHIN_S)
        self.assertGreaterEqual(time.monotonic() - self.began, SIDE_BY_SIDE_S)
        self.assertGreater(self.torture.window()["acknowledged"], self.acknowledged_before + RATE)
        self.apart.await_all_healthy()
        for node in others:
            await_said(node, "another process runs as n1 elsewhere than at its address, and is refused")
            # If the copy was heard last, it takes the next word of the original.
            wait_until(lambda node=node: not seen(node, original)["fenced"])
            self.assertEqual(metric(node, "stator_peers_fenced_total"), 1)
        self.assertEqual(readiness(original), (200, None))
        self.assertFalse(original.json("/v1/status")["node"]["fenced"])
        self.serves_nobody_elsewhere()
        self.load_goes_on_and_nothing_is_lost()

    def serves_nobody_elsewhere(self) -> None:
        """Its peers answer where it does not listen, so it cannot know more than that."""
        await_said(self.stray, "may hear from nobody")
        status, reason = readiness(self.stray)
        self.assertEqual(status, 503)
        self.assertRegex(reason, "fewer than 2 owners can be reached$")
        with Client(self.stray.redis_port) as client:
            with self.assertRaisesRegex(ReplyError, r"^(UNKNOWN \S+|NOQUORUM) needed=2 got=1"):
                client.call("SET", "stray", "v")
        for node in self.apart.nodes:
            with Client(node.redis_port) as client:
                self.assertIsNone(client.call("GET", "stray"))

    def load_goes_on_and_nothing_is_lost(self) -> None:
        self.torture.window()
        time.sleep(1)
        self.torture.pause()
        seen_since = self.torture.window()
        self.assertEqual(seen_since["failed_since"], 0)
        self.assertGreater(seen_since["well"], 0)
        self.assertTrue(self.stray.running())
        verdict = self.torture.judge()
        report("two_processes", {**verdict, "problems": len(verdict["problems"])})
        self.assertEqual(verdict["problems"], [])
        self.assertGreater(verdict["acknowledged"], RATE)

    def test_two_that_answer_at_one_address_are_both_refused_until_a_new_process_runs(self):
        original, others = self.together.nodes[0], self.together.nodes[1:]
        for node in others:
            wait_until(lambda node=node: metric(node, "stator_peers_fenced_total") == 2, REFUSED_WITHIN_S)
            wait_until(lambda node=node: seen(node, original)["fenced"])
            await_said(node, "two processes run as n1, and both are refused")
        self.address.stay()
        for process in (self.twin, original):
            self.address.lead_to(process)  # there it is told
            wait_until(lambda process=process: readiness(process) == (503, FENCED))
            await_said(process, "its peers refuse this node, since another process runs under its name")
            self.turns_clients_away(process)
        for node in others:
            self.assertEqual(readiness(node), (200, None))
            with Client(node.redis_port) as client:
                self.assertEqual(client.call("GET", "before"), b"v")
                self.assertEqual(client.call("SET", f"beside-{node.name}", "v"), "OK")
        self.twin.kill()
        original.kill()
        original.start()
        self.together.await_all_healthy()
        self.assertEqual(readiness(original), (200, None))
        for node in others:
            self.assertFalse(seen(node, original)["fenced"])
        with Client(original.redis_port) as client:
            for key in ("before", *(f"beside-{node.name}" for node in others)):
                self.assertEqual(client.call("GET", key), b"v")
            self.assertEqual(client.call("SET", "after", "v"), "OK")

    def turns_clients_away(self, process: Node) -> None:
        with Client(process.redis_port) as client:
            with self.assertRaisesRegex(ReplyError, "^NOTMEMBER .*another process runs under its name"):
                client.call("SET", "refused", "v")
        status, _, body = process.http("PUT", "/v1/kv/b/refused", b"v")
        told = json.loads(body)
        self.assertEqual((status, told["error"], told["outcome"]), (503, "not_member", "not_applied"))
        # Refused, or unanswered as long as the others dial the address anew.
        status, _, body = process.http("GET", "/v1/kv/default/before?timeout_ms=2000")
        self.assertIn(status, (503, 504), body)


if __name__ == "__main__":
    unittest.main()
