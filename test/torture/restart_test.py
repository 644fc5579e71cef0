"""Every node is stopped in order and started again, one after the other, under load: a client that repeats
what had no answer sees no operation fail (G15). At full size each has drained, is back and healthy to all within 10 s.

G15 wants that of nodes that hold 1 GB. This loads some megabytes, so that what a start reads is hardly in it; nor are
the hints that reach a node once it is back (drain_test.py)."""

import signal
import time
import unittest

from torture import AS_SHIPPED, FULL, Nodes, Torture, TortureTest, report

ROUNDS = 2
RATE = 3_000 if FULL else 1_500
BACK_S = 10


class RollingRestart(TortureTest):
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
                if FULL:
                    self.assertLessEqual(slowest, BACK_S)


if __name__ == "__main__":
    unittest.main()
