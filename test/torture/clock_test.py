"""The wall clock of one node jumps by a year, forwards and back, under load: no invariant knows of it, and
nothing expires by it (G26)."""

import time
import unittest

from torture import AS_SHIPPED, FULL, Nodes, Torture, TortureTest, report
from resp import Client

YEAR_S = 365 * 24 * 3600
DWELL_S = 20 if FULL else 3


class ClockJump(TortureTest):
    def test_a_year_forwards_and_back_changes_nothing(self):
        with Nodes(5, *AS_SHIPPED, faulty=True) as cluster:
            sick = cluster.nodes[2]
            with Torture(cluster.nodes, rate=1_500, keys=1_000, sessions=40) as torture:
                torture.begin()
                self.write_expiring(cluster.nodes[0], "before")
                for name, seconds in (("ahead", YEAR_S), ("true", 0), ("behind", -YEAR_S), ("again", 0)):
                    self.assertEqual(sick.fault(f"clock {seconds}"), "ok")
                    time.sleep(DWELL_S)
                    # Through the node whose clock is wrong, and through one whose is right.
                    self.write_expiring(sick, name)
                    self.write_expiring(cluster.nodes[0], name + "-true")
                    self.all_there(cluster)
                cluster.await_all_healthy()
                verdict = torture.judge()
                report("clock", {**verdict, "problems": len(verdict["problems"])})
                self.assertEqual(verdict["problems"], [])
                self.all_there(cluster)

    def setUp(self):
        self.expiring: list[str] = []

    def write_expiring(self, node, name: str) -> None:
        with Client(node.redis_port) as client:
            for k in range(20):
                self.assertEqual(client.call("SET", f"{name}-{k}", name, "EX", "3600"), "OK")
                self.expiring.append(f"{name}-{k}")

    def all_there(self, cluster) -> None:
        for node in cluster.nodes:
            with Client(node.redis_port) as client:
                for key in self.expiring:
                    value = client.call("GET", key)
                    self.assertIsNotNone(value, f"{key} through {node.name}")
                    left_s = client.call("TTL", key)
                    self.assertTrue(3_000 < left_s <= 3_600, (key, node.name, left_s))


if __name__ == "__main__":
    unittest.main()
