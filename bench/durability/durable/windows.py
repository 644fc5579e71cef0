"""Paired windows: each round has one of each durability, one right after the other."""

import os
import sys
from dataclasses import dataclass

from comparison.errors import ComparisonError
from durable.clusters import Cluster, Counts
from durable.options import KINDS, LOADS, Options

# Of the writes of durability `one`, so many at least had a copy synced by the time at which that is counted. Nearly
# all have, where the disk keeps up.
SYNCED_BEHIND_MIN = 0.5


@dataclass(frozen=True)
class Window:
    rate: float  # SETs per second that ended well
    p50_ms: float
    p99_ms: float
    p999_ms: float
    failed: int  # not sent in time, too
    syncs: float  # of all nodes, per write
    durable: float  # copies synced behind the answer, per write


# load -> durability -> one window per round
Windows = dict[str, dict[str, list[Window]]]


def measure(clusters: dict[str, Cluster], options: Options) -> Windows:
    windows: Windows = {load: {kind: [] for kind in KINDS} for load in LOADS}
    for number in range(options.rounds):
        # Forwards and backwards, so that what one leaves to the disk falls on either neighbour as often.
        order = KINDS if number % 2 == 0 else KINDS[::-1]
        for load in LOADS:
            for kind in order:
                windows[load][kind].append(take(clusters[kind], kind, load, number))
            _progress(number, load, windows[load], options)
    return windows


def take(cluster: Cluster, kind: str, load: str, number: int) -> Window:
    # What `none` has written reaches the disk at any time, and should not do so in somebody else's window.
    os.sync()
    told, counts = cluster.write(load, seed=number + 1)
    window = window_of(told, counts)
    check(kind, window)
    return window


def window_of(told: dict, counts: Counts) -> Window:
    seen = told["all"]
    return Window(
        rate=seen["rate"],
        p50_ms=seen["latency_us"]["p50"] / 1000,
        p99_ms=seen["latency_us"]["p99"] / 1000,
        p999_ms=seen["latency_us"]["p999"] / 1000,
        failed=sum(seen["errors"].values()) + told["not_sent"],
        syncs=counts.syncs / max(counts.writes, 1),
        durable=counts.durable / max(counts.writes, 1),
    )


def check(kind: str, window: Window) -> None:
    """Else something else was measured than was asked for."""
    did = {"none": window.durable == 0, "one": window.durable >= SYNCED_BEHIND_MIN,
           "all": window.durable == 0 and window.syncs > 0}
    if not did[kind]:
        raise ComparisonError(f"nodes of durability {kind} did something else: {window.syncs:.3f} syncs per write, and"
                              f" {window.durable:.3f} copies synced behind the answer")


def _progress(number: int, load: str, taken: dict[str, list[Window]], options: Options) -> None:
    last = "  ".join(f"{kind} {rows[-1].rate:,.0f}/s, p99 {rows[-1].p99_ms:.2f} ms" for kind, rows in taken.items())
    print(f"round {number + 1} of {options.rounds}, {load} loop: {last}", file=sys.stderr, flush=True)
