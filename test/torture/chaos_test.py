"""How often a client that repeats what was not answered is let down, while one thing after another goes wrong: a
node is killed, stopped in order, stands still, or is cut off, or two are cut off together, as a zone would be (paper
6.6, V30; G30). At most 50 of ten million operations may fail, and nothing that was acknowledged may be lost. At full
size each of these has struck at least once.

The load is open loop, so an operation that has to wait for others is late from when it was due. A round ends with
the judgement of all that its clients heard, and the next one begins with an empty cluster. No key is hotter than the
others: one that is overwritten hundreds of times while a client waits for its answer forgets write ids (at most 256
guards), and whoever repeats a put then is told WIDEXPIRED and has to read first, which these clients do not."""

import random
import signal
import statistics
import time
import unittest

from illnesses import Cut, Illness, Stopped
from torture import FULL, PROMPT, SEED, Nodes, Torture, TortureTest, report

ROUNDS, OPERATIONS, RATE = (10, 1_000_000, 6_000) if FULL else (1, 30_000, 2_000)
SICK_S, WELL_S = (0.5, 3.0), (0.2, 1.0)
FAILED_SHARE_MAX = 50 / 10_000_000  # 99.9995 %
# A client hangs up after the first, goes elsewhere, and gives up after the second.
PATIENCE_MS, PERSISTENCE_MS = 500, 10_000


class Killed(Illness):
    def begin(self) -> None:
        self.sick.kill()

    def end(self) -> None:
        self.sick.start()


class StoppedInOrder(Killed):
    def begin(self) -> None:
        self.sick.signal(signal.SIGTERM)
        self.sick.wait()


class ZoneCut(Illness):
    """The sick node and its neighbour see each other and nobody else."""

    def __init__(self, cluster: Nodes, sick):
        super().__init__(cluster, sick)
        at = cluster.nodes.index(sick)
        zone = {sick.name, cluster.nodes[at - 1].name}
        rest = {node.name for node in cluster.nodes} - zone
        self._paths = [pair for one in zone for other in rest for pair in ((one, other), (other, one))]

    def begin(self) -> None:
        self._order("cut")

    def end(self) -> None:
        self._order("mend")

    def _order(self, order: str) -> None:
        for source, target in self._paths:
            self.proxy.do(order, source, target)


KINDS = (Killed, StoppedInOrder, Stopped, Cut, ZoneCut)


class Chaos(TortureTest):
    def test_clients_that_repeat_are_hardly_ever_let_down(self):
        rounds = [self.round(SEED + number) for number in range(ROUNDS)]
        kinds = [kind.__name__ for kind in KINDS]
        total = {name: sum(each[name] for each in rounds)
                 for name in ("done", "failed", "retried", "acknowledged", "strikes", *kinds)}
        figures = {**total, "p99_ms": statistics.median(each["p99_ms"] for each in rounds),
                   "p99_9_ms": statistics.median(each["p99_9_ms"] for each in rounds),
                   "max_ms": max(each["max_ms"] for each in rounds), "rounds": rounds}
        report("chaos", figures)
        self.assertGreaterEqual(total["done"], ROUNDS * OPERATIONS, figures)
        self.assertGreaterEqual(total["strikes"], ROUNDS, figures)
        self.assertGreater(total["retried"], 0, figures)  # else nothing went wrong
        if FULL:  # of the few strikes of a small run some kind may be missing
            self.assertEqual([name for name in kinds if total[name] == 0], [], figures)
        self.assertLessEqual(total["failed"], FAILED_SHARE_MAX * total["done"], figures)

    def round(self, seed: int) -> dict:
        chance = random.Random(seed)
        strikes = {kind.__name__: 0 for kind in KINDS}
        with Nodes(5, *PROMPT, proxied=True) as cluster:
            with Torture(cluster.nodes, seed=seed, rate=RATE, keys=5_000, sessions=100, hot=0, kinds="named",
                         patience_ms=PATIENCE_MS, persistence_ms=PERSISTENCE_MS) as torture:
                torture.begin()
                time.sleep(1)
                end = time.monotonic() + OPERATIONS / RATE
                while time.monotonic() < end:
                    kind = chance.choice(KINDS)
                    illness = kind(cluster, chance.choice(cluster.nodes))
                    illness.begin()
                    time.sleep(chance.uniform(*SICK_S))
                    illness.end()
                    strikes[kind.__name__] += 1
                    cluster.await_all_healthy()
                    time.sleep(chance.uniform(*WELL_S))
                # A machine that stalls has had fewer by now.
                while torture.pause()["done"] < OPERATIONS:
                    torture.begin()
                    time.sleep(1)
                seen = torture.window()
                verdict = torture.judge()
        self.assertEqual(verdict["problems"], [])
        return {"done": verdict["done"], "failed": verdict["failed"],
                "acknowledged": verdict["acknowledged"], "retried": verdict["retried"],
                "strikes": sum(strikes.values()), **strikes,
                **{name: seen[name] for name in ("p50_ms", "p99_ms", "p99_9_ms", "max_ms")}}


if __name__ == "__main__":
    unittest.main()
