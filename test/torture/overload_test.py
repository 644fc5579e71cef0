"""Three times as many operations as fit, by the clock, whether they are answered or not (D33, P8; G21): what fits
is served, the rest is refused by an answer, or cannot leave while its pipeline is full (`not_sent`: a node reads no
more of a pipeline than it can serve or refuse); memory stays bounded, nothing that was acknowledged is lost, and
it is over when the load is over. The nodes have one core, their clients the other.

The crowd pipelines, or it could not have more under way than the nodes let wait. Behind it are a few clients
that send one thing at a time: how soon these are refused is how soon a node says so, since an answer within
a pipeline waits for those before it."""

import json
import os
import subprocess
import time
import unittest
from pathlib import Path

from torture import BINARY, FULL, PATIENCE_S, PROMPT, Nodes, TortureTest, die_with_parent, report

WARM_S, PEAK_S, OVER_S = (20, 10, 60) if FULL else (1, 2, 5)
TIMES = 3
TIMEOUT = "5s" if FULL else "20s"  # after the end, for what was due and could not leave yet, too
ALIVE = 0.3
# G21
GOODPUT, REFUSED_MS, BACK, BACK_S = 0.8, 50, 0.95, 10
RSS_MAX_MIB = 512


def core(number: int) -> int:
    """The `number`th that this process may use; the last where there are fewer."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[min(number, len(cores) - 1)]


def largest_mib(pid: int) -> int:
    """What was resident at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


class Load:
    """A run of `stator bench` on the clients' core."""

    def __init__(self, nodes, clients: int, pipeline: int, seconds: int, *options: str):
        doors = ",".join(f"127.0.0.1:{node.redis_port}" for node in nodes)
        self._process = subprocess.Popen(
            [BINARY, "bench", "--redis", doors, "-c", str(clients), "-P", str(pipeline), "--keys", "20000",
             "--value-bytes", "200", "--mix", "get=1,set=1", "--check", "--allow-errors", "--duration",
             f"{seconds}s", "--timeout", TIMEOUT, "-o", "json", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=self._prepare)

    @staticmethod
    def _prepare() -> None:
        die_with_parent()
        os.sched_setaffinity(0, {core(1)})

    def result(self) -> dict:
        out, errors = self._process.communicate()
        assert out, errors
        return json.loads(out)


class Overload(TortureTest):
    def setUp(self):
        self.cluster = Nodes(3, *(PROMPT if FULL else []))
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        for node in self.cluster.nodes:
            for task in Path(f"/proc/{node.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {core(0)})

    def load(self, *arguments) -> Load:
        return Load(self.cluster.nodes, *arguments)

    def peak(self, seconds: int) -> dict:
        return self.load(200, 16, seconds).result()["all"]

    def paces_until(self, least: float) -> tuple[float | None, list[int]]:
        """Seconds until so much is served again and nothing is refused, None if it never is; and what was
        served, second by second."""
        began_at = time.monotonic()
        paces = []
        while time.monotonic() - began_at < PATIENCE_S:
            now = self.peak(1)
            paces.append(round(now["rate"]))
            if now["rate"] >= least and sum(now["errors"].values()) == 0:
                return round(time.monotonic() - began_at, 1), paces
        return None, paces

    def test_three_times_what_fits(self):
        self.load(50, 4, 1, "--fill").result()
        self.peak(WARM_S)  # an engine that has nothing to compact yet is faster than it stays
        before = self.peak(PEAK_S)["rate"]
        crowd = self.load(600, 64, OVER_S, "--rate", str(int(TIMES * before)))
        single = self.load(50, 1, OVER_S, "--rate", "200", "--prefix", "single:", "--warmup", "1s")
        crowd, single = crowd.result(), single.result()
        back_s, paces = self.paces_until((BACK if FULL else ALIVE) * before)
        after = self.peak(PEAK_S)["rate"]
        served, errors = crowd["all"]["rate"], crowd["all"]["errors"]
        figures = {"peak": round(before), "peak_after": round(after), "goodput": round(served),
                   "share": round(served / before, 3), "share_of_after": round(served / after, 3),
                   "p99_ms": crowd["all"]["latency_us"]["p99"] / 1000, "errors": errors,
                   "not_sent": crowd["not_sent"], "refused_in_pipeline_ms": refusal_ms(crowd),
                   "refused_single": single["all"]["errors"]["tryagain"], "refused_ms": refusal_ms(single),
                   "checked": crowd["check"], "back_s": back_s, "paces": paces,
                   "rss_mib": max(largest_mib(node.pid) for node in self.cluster.nodes)}
        report("overload", figures)
        self.assertTrue(all(node.running() for node in self.cluster.nodes))
        for run in (crowd, single):
            self.assertGreater(run["check"]["fresh"], 0, figures)
            self.assertEqual(run["check"]["lost"] + run["check"]["stale"], 0, figures)
        # Else this was no overload.
        self.assertGreater(errors["tryagain"], 0, figures)
        # Who is refused is told so.
        self.assertEqual(errors["no_answer"] + errors["connection_lost"], 0, figures)
        self.assertLess(figures["rss_mib"], RSS_MAX_MIB, figures)
        self.assertIsNotNone(back_s, figures)
        self.assertGreater(served, ALIVE * min(before, after), figures)
        if FULL:
            self.assertGreaterEqual(figures["share"], GOODPUT, figures)
            self.assertGreater(figures["refused_single"], 0, figures)
            self.assertLessEqual(figures["refused_ms"]["p99"], REFUSED_MS, figures)
            self.assertLessEqual(back_s, BACK_S, figures)


def refusal_ms(run: dict) -> dict:
    return {name: run["all"]["tryagain_us"][name] / 1000 for name in ("p50", "p99", "max")}


if __name__ == "__main__":
    unittest.main()
