"""Every node is stopped in order and started again, one after the other, under load: a client that repeats
what had no answer sees no operation fail (G15)."""

import signal
import time
import unittest

from torture import AS_SHIPPED, FULL, Nodes, Torture, report

ROUNDS = 2
RATE = 3_000 if FULL else 1_500


class RollingRestart(unittest.TestCase):
    def test_no_operation_fails_for_a_client_that_repeats(self):
        with Nodes(5, *AS_SHIPPED) as cluster:
            with Torture(cluster.nodes, rate=RATE, keys=2_000, sessions=60, kinds="named",
                         persistence_ms=60_000) as torture:
                torture.begin()
                time.sleep(1)
                slowest = 0.0
                for _ in range(ROUNDS):
                    for node in cluster.nodes:
                        begin = time.monotonic()
                        node.signal(signal.SIGTERM)
                        self.assertEqual(node.wait(), 0, node.log.read_text())
                        node.start()
                        cluster.await_all_healthy()
                        slowest = max(slowest, time.monotonic() - begin)
                        time.sleep(1 if FULL else 0.3)
                verdict = torture.judge()
                report("rolling_restart", {"slowest_s": round(slowest, 2), **verdict,
                                           "problems": len(verdict["problems"])})
                self.assertEqual(verdict["problems"], [])
                self.assertEqual(verdict["failed"], 0)
                self.assertEqual(verdict["abandoned"], 0)
                self.assertGreater(verdict["acknowledged"], RATE)
                self.assertEqual(verdict["done"], verdict["begun"])


if __name__ == "__main__":
    unittest.main()
