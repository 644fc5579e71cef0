"""A node of five is away for a minute while the others take writes, and comes back: what it missed reaches it as
hints within two minutes, and clients hardly notice (D14, D15; G22). The load is a part of what the cluster can
do, and what clients wait for meanwhile is compared with what they waited for just before, in the same process and
the same minutes; of several such pairs the one in the middle counts."""

import statistics
import time
import unittest

from torture import (FULL, PROMPT, SHARE_OF_CAPACITY, Nodes, Series, Torture, TortureTest, all_delivered, capacity,
                     pending_hints, report, wait_until)

CYCLES, AWAY_S, HEALTHY_S = (5, 60, 15) if FULL else (1, 2, 1)
DRAINED_S, P99_TIMES = 120, 2
# Whoever looks takes processor time from the nodes, and does not while they are healthy: seldom, then.
LOOK_S = 1 if FULL else 0.2


class Drain(TortureTest):
    def setUp(self):
        self.cluster = Nodes(5, *PROMPT)
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.others, self.away = self.cluster.nodes[:4], self.cluster.nodes[4]

    def test_a_node_that_was_away_gets_what_it_missed(self):
        self.drain("drain", cycles=CYCLES, keys=100_000 if FULL else 2_000, value_bytes=200)

    def test_large_values_reach_it_too(self):
        # Of every size below 64 KiB.
        self.drain("drain_large", cycles=min(CYCLES, 3), keys=5_000 if FULL else 500, value_bytes=32 << 10, large=1)

    def drain(self, name: str, cycles: int, keys: int, value_bytes: int, **more) -> None:
        rate = round(SHARE_OF_CAPACITY * capacity(self.cluster.nodes, keys, value_bytes))
        torture = Torture(self.cluster.nodes, rate=rate, keys=keys, sessions=60, patience_ms=2_000, **more)
        self.addCleanup(torture.stop)
        self.series = Series(torture)
        torture.begin()
        time.sleep(1)
        seen = [self.cycle(torture) for _ in range(cycles)]
        times = statistics.median(cycle["p99_times"] for cycle in seen)
        figures = {"rate": rate, "p99_times": round(times, 2),
                   "drained_s": max(cycle["drained_s"] for cycle in seen), "cycles": seen}
        report(name, figures)
        verdict = torture.judge()
        self.assertEqual(verdict["problems"], [])
        for cycle in seen:
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
        wait_until(lambda: all_delivered(self.others), timeout_s=2 * DRAINED_S, step_s=LOOK_S)
        drained_s = time.monotonic() - began
        draining = torture.window()
        self.cluster.await_all_healthy()
        return {"owed": owed, "drained_s": round(drained_s, 1),
                "p50_ms": healthy["p50_ms"], "p50_ms_draining": draining["p50_ms"],
                "p99_ms": healthy["p99_ms"], "p99_ms_draining": draining["p99_ms"],
                "p99_times": round(draining["p99_ms"] / healthy["p99_ms"], 2)}


if __name__ == "__main__":
    unittest.main()
