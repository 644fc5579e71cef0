"""Nodes that are dead, slow or half cut off, and what the others make of it (D32; G17, G18, G19). Clients of a
sick node go elsewhere in their own time; here they are those of the nodes that are well, and what a few clients see
that stay with the sick one is told beside it, and not judged. Load is offered at a fixed rate, with STATOR_FULL a share
of what this cluster was measured to do just before, so what is missing was not served. Before, during and after are
windows of one run, and each percentile is of all operations of its window.

`./check` makes two of the illnesses, by its seed, for a short time, waits for what must happen and judges no
speed. With STATOR_FULL each one lasts longer, and is judged by the bars of G17 to G19."""

import random
import time
import unittest

from illnesses import Cut, Flapping, Illness, SlowDisk, Stopped, ThinLink
from torture import (FULL, PROMPT, SEED, SHARE_OF_CAPACITY, Nodes, OwnClients, Series, Torture, TortureTest, capacity,
                     report, wait_until)

RATE, KEYS = 2_500, 2_000
HEALTHY_S, SICK_S, AFTER_S = (15, 20, 10) if FULL else (2, 2, 1)
NOTICED_S, RECOVERED_S = 3, 5
# No standstill: so much of what was served before, at any speed.
ALIVE = 0.3
# G17, G18 and G19, of what was served and seen before.
SERVED_SICK, SERVED_AFTER, P99_TIMES, P99_MS, FAILED_SHARE = 0.6, 0.9, 5, 100, 0.01
DEAD_SERVED, DEAD_BACK_S = 0.8, 2


def failed_share(window: dict) -> float:
    failed = window["errors"] + window["unanswered"]
    return round(failed / max(1, failed + window["well"]), 4)


class Five(TortureTest):
    """One of five is sick or dead: the last."""

    def setUp(self):
        self.cluster = Nodes(5, *PROMPT, proxied=True, faulty=True)
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.well, self.sick = self.cluster.nodes[:4], self.cluster.nodes[4]

    def load(self, nodes) -> None:
        self.rate = RATE
        if FULL:
            self.rate = round(SHARE_OF_CAPACITY * capacity(self.cluster.nodes, KEYS))
        self.torture = Torture(nodes, self.cluster.nodes, n=3, rate=self.rate, keys=KEYS, sessions=60,
                               patience_ms=2_000)
        self.addCleanup(self.torture.stop)
        self.series = Series(self.torture)
        self.torture.begin()
        time.sleep(1)

    def await_pace(self, least: float) -> None:
        wait_until(lambda: self.series.window(0.5)["rate"] > least)


class GrayNode(Five):
    def test_a_process_that_is_stopped(self):
        self.suffer("stopped", Stopped(self.cluster, self.sick))

    def test_a_disk_of_one_megabyte_per_second(self):
        self.suffer("slow_disk", SlowDisk(self.cluster, self.sick, 1_000_000))

    def test_a_disk_that_is_nearly_dead(self):
        self.suffer("dying_disk", SlowDisk(self.cluster, self.sick, 100_000))

    def test_a_thin_link(self):
        self.suffer("thin_link", ThinLink(self.cluster, self.sick))

    def test_a_link_on_which_it_is_not_heard(self):
        self.suffer("not_heard", Cut(self.cluster, self.sick, to_it=False))

    def test_a_link_on_which_it_hears_nothing(self):
        self.suffer("hears_nothing", Cut(self.cluster, self.sick, from_it=False))

    def test_a_link_that_flaps(self):
        self.suffer("flapping", Flapping(self.cluster, self.sick))

    def suffer(self, name: str, illness: Illness) -> None:
        self.load(self.well)
        healthy = self.series.window(HEALTHY_S)
        alive = ALIVE * healthy["rate"]
        own = OwnClients(self.sick, NOTICED_S + SICK_S)
        self.addCleanup(own.stop)
        illness.begin()
        try:
            first = self.series.window(NOTICED_S)
            if not FULL:
                self.await_pace(alive)
            sick = self.series.window(SICK_S)
            evidence = illness.evidence()
        finally:
            illness.end()
        recovery = self.series.window(RECOVERED_S if FULL else 0.5)
        if not FULL:
            self.cluster.await_all_healthy()
            self.await_pace(alive)
        after = self.series.window(AFTER_S)
        figures = {"offered": self.rate, "rate": round(healthy["rate"]), "p99_ms": healthy["p99_ms"], **evidence,
                   "own_clients": own.figures()}
        for phase, window in (("first", first), ("sick", sick), ("recovery", recovery), ("after", after)):
            figures |= {f"served_{phase}": round(window["rate"] / healthy["rate"], 3),
                        f"p99_ms_{phase}": window["p99_ms"], f"failed_share_{phase}": failed_share(window)}
        report("gray_" + name, figures)
        verdict = self.torture.judge()
        self.assertEqual(verdict["problems"], [])
        self.assertGreater(verdict["acknowledged"], self.rate)
        if FULL:
            self.judge_pace(figures)

    def judge_pace(self, figures: dict) -> None:
        self.assertGreaterEqual(figures["served_sick"], SERVED_SICK, figures)
        self.assertGreaterEqual(figures["served_after"], SERVED_AFTER, figures)
        for phase in ("sick", "after"):
            # Else a percentile of those that ended well says little.
            self.assertLess(figures[f"failed_share_{phase}"], FAILED_SHARE, figures)
            self.assertLessEqual(figures[f"p99_ms_{phase}"], P99_MS, figures)
            self.assertLessEqual(figures[f"p99_ms_{phase}"], P99_TIMES * figures["p99_ms"], figures)


class DeadNode(Five):
    def test_it_fails_what_was_in_flight_and_no_more(self):
        self.load(self.cluster.nodes)
        healthy = self.series.watch(HEALTHY_S)
        usual = sum(window["rate"] for window in healthy) / len(healthy)
        failed_before = self.torture.window()["failed"]
        self.sick.kill()
        dead = self.series.watch(SICK_S)
        failed = self.torture.window()["failed"] - failed_before
        if not FULL:
            self.await_pace(ALIVE * usual)
        self.sick.start()
        self.cluster.await_all_healthy()
        verdict = self.torture.judge()
        back = next((window["at"] for window in dead if window["rate"] >= DEAD_SERVED * usual), None)
        in_flight = max(window["in_flight"] for window in healthy)
        figures = {"failed": failed, "in_flight": in_flight, "back_to_80_percent_s": back and round(back, 2),
                   "offered": self.rate, "rate": round(usual), "rate_dead": round(dead[-1]["rate"])}
        report("dead", figures)
        self.assertEqual(verdict["problems"], [])
        if FULL:
            self.assertLessEqual(failed, in_flight, figures)
            self.assertIsNotNone(back, figures)
            self.assertLessEqual(back, DEAD_BACK_S, figures)


def load_tests(loader, _tests, _pattern):
    """`./check` makes two illnesses of them; whoever names one on the command line gets that one."""
    names = loader.getTestCaseNames(GrayNode)
    if not FULL:
        names = random.Random(SEED).sample(names, 2)
    return unittest.TestSuite([*map(GrayNode, names), loader.loadTestsFromTestCase(DeadNode)])


if __name__ == "__main__":
    unittest.main()
