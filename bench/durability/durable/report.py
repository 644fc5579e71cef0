"""From windows to ratios and text."""

import json
import os
from dataclasses import asdict, dataclass
from statistics import median

from comparison.systems import NODES
from durable.disk import Disk
from durable.options import KINDS, Options
from durable.windows import Window, Windows

PAIRS = (("one", "none"), ("all", "none"), ("one", "all"))
COMPARED = {"rate": "per s", "p50_ms": "p50", "p99_ms": "p99"}
HEAD = ("durability", "per s", "p50 ms", "p99 ms", "p99.9 ms", "failed", "syncs/write", "synced behind")


@dataclass(frozen=True)
class Ratio:
    """Of the pairs of all rounds."""

    middle: float
    least: float
    most: float


def ratio(ours: list[Window], theirs: list[Window], figure: str) -> Ratio | None:
    """None where there is nothing to divide by."""
    pairs = [(getattr(a, figure), getattr(b, figure)) for a, b in zip(ours, theirs)]
    if not all(b > 0 for _, b in pairs):
        return None
    each = [a / b for a, b in pairs]
    return Ratio(median(each), min(each), max(each))


def as_json(windows: Windows, disk: Disk, options: Options, busy: float) -> str:
    return json.dumps({
        "load": {"rate": options.rate, "clients": options.clients, "value_bytes": options.value_bytes,
                 "keys": options.keys, "rounds": options.rounds, "seconds": options.seconds,
                 "cores": os.cpu_count(), "load_average_before": busy},
        "disk": asdict(disk),
        "windows": {load: {kind: [asdict(window) for window in taken] for kind, taken in by_kind.items()}
                    for load, by_kind in windows.items()},
        "ratios": {load: {f"{a}/{b}": {figure: _or_none(ratio(by_kind[a], by_kind[b], figure)) for figure in COMPARED}
                          for a, b in PAIRS} for load, by_kind in windows.items()},
    }, indent=2)


def _or_none(found: Ratio | None) -> dict | None:
    return None if found is None else asdict(found)


def as_table(windows: Windows, disk: Disk, options: Options, busy: float) -> str:
    lines = [*_title(disk, options, busy)]
    for load, by_kind in windows.items():
        lines += ["", f"open loop, {options.rate:,} per second" if load == "open" else "closed loop"]
        lines += _columns([HEAD, *(_row(kind, by_kind[kind]) for kind in KINDS)])
        lines += [_ratios(a, b, by_kind) for a, b in PAIRS]
    return "\n".join(lines)


def _title(disk: Disk, options: Options, busy: float) -> list[str]:
    return [f"SET of {options.value_bytes} bytes, {options.keys:,} keys, {options.clients} connections on {NODES}"
            f" nodes, engine rocksdb; {options.rounds} rounds of windows of {options.seconds} s on {os.cpu_count()} cores;"
            f" load average before the run {busy:.1f}",
            f"disk: {disk.file_system}; 4 KiB appended and synced alone: p50 {disk.sync_p50_ms:.2f} ms,"
            f" p99 {disk.sync_p99_ms:.2f} ms",
            "medians of the rounds; of ratios, which are of windows of one round, the least and the most, too"]


def _row(kind: str, taken: list[Window]) -> tuple[str, ...]:
    def middle(figure: str) -> float:
        return median(getattr(window, figure) for window in taken)

    return (kind, f"{middle('rate'):,.0f}", f"{middle('p50_ms'):.2f}", f"{middle('p99_ms'):.2f}",
            f"{middle('p999_ms'):.2f}", str(sum(window.failed for window in taken)), f"{middle('syncs'):.3f}",
            f"{middle('durable'):.3f}")


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(text.rjust(width) for text, width in zip(row, widths)) for row in rows]


def _ratios(ours: str, theirs: str, by_kind: dict[str, list[Window]]) -> str:
    parts = []
    for figure, name in COMPARED.items():
        found = ratio(by_kind[ours], by_kind[theirs], figure)
        parts.append(f"{name} none" if found is None else
                     f"{name} {found.middle:.2f} ({found.least:.2f} to {found.most:.2f})")
    return f"{ours} over {theirs}: " + ", ".join(parts)
