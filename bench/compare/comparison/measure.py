"""Interleaved rounds: only figures of the same minute are compared."""

import sys
from dataclasses import dataclass

from comparison import load
from comparison.options import Options
from comparison.systems import NODES, System

DOORS = ("one", "all")  # clients on one node, or a third of them on each


@dataclass(frozen=True)
class Cell:
    pipeline: int
    door: str
    test: str


@dataclass(frozen=True)
class Sample:
    rate: float  # requests per second
    cpu_us: float  # of all the system's processes, per request
    allocations: float | None  # of all the system's processes, per request
    p50_ms: float
    p99_ms: float


# cell -> system -> one sample per round
Samples = dict[Cell, dict[str, list[Sample]]]


def measure(systems: list[System], options: Options) -> Samples:
    cells = [Cell(pipeline, door, test)
             for pipeline in options.pipelines for door in DOORS
             for test in options.operations]
    samples: Samples = {cell: {system.name: [] for system in systems} for cell in cells}
    for number in range(options.runs):
        # Each system is as often the first as the others: whoever follows a heavy one may suffer.
        turn = number % len(systems)
        for cell in cells:
            for system in systems[turn:] + systems[:turn]:
                samples[cell][system.name].append(take_sample(system, cell, options))
            _progress(number, cell, samples[cell], options)
    return samples


def take_sample(system: System, cell: Cell, options: Options) -> Sample:
    # Redis gets three generators too where the clusters get three: the same load on both sides.
    ports = system.ports[:1] if cell.door == "one" else (system.ports * NODES)[:NODES]
    cpu_before, allocations_before = system.cpu_seconds(), system.allocations()
    outcome = load.benchmark(ports, cell.test, options.requests, options.clients, cell.pipeline)
    cpu_after, allocations_after = system.cpu_seconds(), system.allocations()
    allocations = None
    if allocations_before is not None and allocations_after is not None:
        allocations = (allocations_after - allocations_before) / options.requests
    return Sample(
        rate=outcome.requests_per_second,
        cpu_us=(cpu_after - cpu_before) * 1e6 / options.requests,
        allocations=allocations,
        p50_ms=outcome.p50_ms,
        p99_ms=outcome.p99_ms,
    )


def _progress(number: int, cell: Cell, taken: dict[str, list[Sample]], options: Options) -> None:
    rates = "  ".join(f"{name} {rows[-1].rate:,.0f}/s" for name, rows in taken.items())
    print(f"round {number + 1} of {options.runs}, pipeline {cell.pipeline}, {cell.test} through"
          f" {cell.door}: {rates}", file=sys.stderr, flush=True)
