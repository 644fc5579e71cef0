"""A node of five is away for a minute while the others take writes, and comes back: what it missed reaches it as
hints within two minutes, and clients hardly notice (D14, D15; G17). The load is a part of what the cluster can
do, and what clients wait for meanwhile is compared with what they waited for just before, in the same process and
the same minutes; of several such pairs the one in the middle counts."""

import statistics
import time
import unittest

from torture import (FULL, PROMPT, SHARE_OF_CAPACITY, Nodes, Series, Torture, capacity, pending_hints, report,
                     wait_until)

CYCLES, AWAY_S, HEALTHY_S = (5, 60, 15) if FULL else (1, 2, 1)
KEYS = 30_000 if FULL else 2_000
DRAINED_S, P99_TIMES = 120, 2


class Drain(unittest.TestCase):
    def setUp(self):
        self.cluster = Nodes(5, *PROMPT)
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.others, self.away = self.cluster.nodes[:4], self.cluster.nodes[4]

    def test_a_node_that_was_away_gets_what_it_missed(self):
        rate = round(SHARE_OF_CAPACITY * capacity(self.cluster.nodes, KEYS))
        torture = Torture(self.cluster.nodes, rate=rate, keys=KEYS, sessions=60, patience_ms=2_000)
        self.addCleanup(torture.stop)
        self.series = Series(torture)
        torture.begin()
        time.sleep(1)
        cycles = [self.cycle(torture) for _ in range(CYCLES)]
        times = statistics.median(cycle["p99_times"] for cycle in cycles)
        figures = {"rate": rate, "p99_times": round(times, 2),
                   "drained_s": max(cycle["drained_s"] for cycle in cycles), "cycles": cycles}
        report("drain", figures)
        verdict = torture.judge()
        self.assertEqual(verdict["problems"], [])
        for cycle in cycles:
            self.assertGreater(cycle["owed"], 0, figures)
            if FULL:
                self.assertLessEqual(cycle["drained_s"], DRAINED_S, figures)
        if FULL:
            self.assertLessEqual(times, P99_TIMES, figures)

    def cycle(self, torture: Torture) -> dict:
        healthy = self.series.window(HEALTHY_S)
        self.away.kill()
        time.sleep(AWAY_S)
        owed = pending_hints(self.others)
        torture.window()
        began = time.monotonic()
        self.away.start()
        wait_until(lambda: pending_hints(self.others) == 0, timeout_s=2 * DRAINED_S, step_s=0.2)
        drained_s = time.monotonic() - began
        draining = torture.window()
        self.cluster.await_all_healthy()
        return {"owed": owed, "drained_s": round(drained_s, 1), "p99_ms": healthy["p99_ms"],
                "p99_ms_draining": draining["p99_ms"],
                "p99_times": round(draining["p99_ms"] / healthy["p99_ms"], 2)}


if __name__ == "__main__":
    unittest.main()
