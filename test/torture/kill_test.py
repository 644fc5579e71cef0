"""kill -9 under load, again and again: nothing that was acknowledged is lost, and replicas agree (G13)."""

import os
import random
import signal
import time
import unittest

from torture import AS_SHIPPED, FULL, SEED, Nodes, Torture, TortureTest, report

CYCLES = 200 if FULL else 10
ACKNOWLEDGED = 1_000_000 if FULL else 20_000
RATE = 8_000 if FULL else 4_000


class Kill(TortureTest):
    def test_nothing_acknowledged_is_lost_and_replicas_agree(self):
        chance = random.Random(SEED)
        with Nodes(5, *AS_SHIPPED) as cluster:
            with Torture(cluster.nodes, rate=RATE, keys=5_000 if FULL else 1_000, sessions=100) as torture:
                begin = time.monotonic()
                torture.begin()
                cycles = 0
                while cycles < CYCLES or torture.window()["acknowledged"] < ACKNOWLEDGED:
                    # One in five times all of them at once: what they acknowledged is on their disks.
                    victims = cluster.nodes if cycles % 5 == 4 else [chance.choice(cluster.nodes)]
                    for node in victims:
                        node.signal(signal.SIGKILL)
                    for node in victims:
                        node.wait()
                    time.sleep(chance.random() * 0.5)
                    for node in victims:
                        node.launch()
                    for node in victims:
                        node.await_said()
                    time.sleep(chance.random() * 2)
                    cycles += 1
                    self.assertTrue(all(node.running() for node in cluster.nodes))
                cluster.await_all_healthy()
                seconds = time.monotonic() - begin
                verdict = torture.judge()
                report("kill", {"cycles": cycles, "seconds": round(seconds), **verdict,
                                "problems": len(verdict["problems"])})
                self.assertEqual(verdict["problems"], [])
                self.assertGreaterEqual(verdict["acknowledged"], ACKNOWLEDGED)
                self.assertGreater(verdict["quorum_reads_checked"], ACKNOWLEDGED / 100)


if __name__ == "__main__":
    unittest.main()
