"""From samples to rows, verdicts and text."""

import json
import os
from dataclasses import asdict, dataclass
from statistics import median

from comparison.measure import Cell, Sample, Samples
from comparison.options import KEYS, VALUE_SIZE, Options

# Stator's rate over that of Redis, at least: (engine, test, pipeline), at 50 connections.
RATE_BARS = {
    ("memory", "set", 1): 0.7, ("memory", "get", 1): 0.7,
    ("memory", "set", 16): 0.3, ("memory", "get", 16): 0.3,
    ("rocksdb", "set", 1): 0.25, ("rocksdb", "set", 16): 0.05,
    ("rocksdb", "get", 1): 0.3, ("rocksdb", "get", 16): 0.08,
}
RATE_BAR_CLIENTS = 50
FSYNC_SET_BAR = 0.12  # without pipelining
FSYNC_BAR_CLIENTS = 200
CPU_AIM = 1.5  # Stator's CPU per request over the limit's, at most: an aim, not a bar; memory only
ALLOCATIONS_BAR = 0.1  # heap allocations per request, at most; memory only


def rate_bar(cell: Cell, options: Options) -> float | None:
    if options.fsync:
        applies = (cell.test == "set" and cell.pipeline == 1
                   and options.clients == FSYNC_BAR_CLIENTS)
        return FSYNC_SET_BAR if applies else None
    if options.clients != RATE_BAR_CLIENTS:
        return None
    return RATE_BARS.get((options.engine, cell.test, cell.pipeline))


@dataclass(frozen=True)
class Check:
    """One thing that is asked for. `value` is None where it could not be measured: a failure."""

    name: str
    value: float | None
    wanted: str
    passed: bool
    binding: bool  # an aim is printed, but fails nothing


@dataclass(frozen=True)
class Row:
    cell: Cell
    rates: dict[str, float]
    cpu_us: dict[str, float]
    p99_ms: dict[str, float]
    allocations: dict[str, float | None]
    rate_ratios: dict[str, float]  # over Redis: the median of the rounds' own ratios
    cpu_ratio_to_limit: float | None
    checks: list[Check]


def rows(samples: Samples, options: Options) -> list[Row]:
    return [_row(cell, by_system, options) for cell, by_system in samples.items()]


def passed(all_rows: list[Row]) -> bool:
    return all(check.passed or not check.binding for row in all_rows for check in row.checks)


def _row(cell: Cell, by_system: dict[str, list[Sample]], options: Options) -> Row:
    names = list(by_system)
    ratios = {name: _paired(by_system[name], by_system["redis"], lambda s: s.rate)
              for name in names if name != "redis"}
    cpu_ratio = None
    if "stator" in names:
        cpu_ratio = _paired(by_system["stator"], by_system["limit"], lambda s: s.cpu_us)
    allocations = {name: _median_or_none([s.allocations for s in taken])
                   for name, taken in by_system.items()}
    return Row(
        cell=cell,
        rates={name: median(s.rate for s in taken) for name, taken in by_system.items()},
        cpu_us={name: median(s.cpu_us for s in taken) for name, taken in by_system.items()},
        p99_ms={name: median(s.p99_ms for s in taken) for name, taken in by_system.items()},
        allocations=allocations,
        rate_ratios=ratios,
        cpu_ratio_to_limit=cpu_ratio,
        checks=_checks(cell, ratios, cpu_ratio, allocations, options) if "stator" in names else [],
    )


def _checks(cell: Cell, ratios: dict[str, float], cpu_ratio: float | None,
            allocations: dict[str, float | None], options: Options) -> list[Check]:
    checks = []
    bar = rate_bar(cell, options)
    if bar is not None:
        ratio = ratios["stator"]
        checks.append(Check("rate over redis", ratio, f">= {bar}", ratio >= bar, True))
    if options.engine == "memory":
        count = allocations["stator"]
        checks.append(Check("cpu over limit", cpu_ratio, f"<= {CPU_AIM}",
                            cpu_ratio is not None and cpu_ratio <= CPU_AIM, False))
        checks.append(Check("allocations", count, f"<= {ALLOCATIONS_BAR}",
                            count is not None and count <= ALLOCATIONS_BAR, True))
    return checks


def _paired(ours: list[Sample], theirs: list[Sample], value) -> float | None:
    pairs = [(value(a), value(b)) for a, b in zip(ours, theirs)]
    # Too short a run uses no measurable CPU: there is no ratio then.
    return median(a / b for a, b in pairs) if all(b > 0 for _, b in pairs) else None


def _median_or_none(values: list[float | None]) -> float | None:
    return None if None in values else median(values)


def as_json(all_rows: list[Row], options: Options, busy: float) -> str:
    return json.dumps({
        "load": {"keys": KEYS, "value_size": VALUE_SIZE, "requests": options.requests,
                 "clients": options.clients, "runs": options.runs, "engine": options.engine,
                 "fsync": options.fsync, "limit_get": options.limit_get,
                 "limit_durability": options.limit_durability, "cores": os.cpu_count(), "load_average_before": busy},
        "rows": [asdict(row) for row in all_rows],
        "passed": passed(all_rows),
    }, indent=2)


def as_table(all_rows: list[Row], options: Options, busy: float) -> str:
    head, body = _columns(all_rows)
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = ["  ".join(text.rjust(width) for text, width in zip(line, widths)).rstrip()
             for line in [head, *body]]
    return "\n".join([_title(options, busy), "", *lines, "", *_verdict(all_rows, options)])


def _title(options: Options, busy: float) -> str:
    durability = ", fsync" if options.fsync else ""
    return (f"engine {options.engine}{durability}; limit: {options.limit_durability},"
            f" {options.limit_get}; {options.requests:,} requests, {options.clients} connections,"
            f" {VALUE_SIZE}-byte values, {KEYS:,} keys, median of {options.runs} interleaved rounds"
            f" on {os.cpu_count()} cores; load average before the run {busy:.1f}")


def _columns(all_rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    names = list(all_rows[0].rates)
    head = ["pipeline", "through", "op", *(f"{name}/s" for name in names),
            *(f"{name}/redis" for name in names if name != "redis"),
            *(f"{name} us/op" for name in names)]
    if "stator" in names:
        head += ["stator/limit us", "stator allocs/op", "verdict"]
    else:
        head += ["limit/redis us", "limit allocs/op"]
    return head, [_line(row, names) for row in all_rows]


def _line(row: Row, names: list[str]) -> list[str]:
    line = [str(row.cell.pipeline), row.cell.door, row.cell.test,
            *(f"{row.rates[name]:,.0f}" for name in names),
            *(_number(row.rate_ratios[name]) for name in names if name != "redis"),
            *(f"{row.cpu_us[name]:.1f}" for name in names)]
    if "stator" in names:
        return line + [_number(row.cpu_ratio_to_limit), _number(row.allocations["stator"]),
                       _row_verdict(row)]
    redis_us = row.cpu_us["redis"]
    return line + [_number(row.cpu_us["limit"] / redis_us if redis_us > 0 else None),
                   _number(row.allocations["limit"])]


def _row_verdict(row: Row) -> str:
    if not row.checks:
        return "no bar"
    failed = [c for c in row.checks if not c.passed]
    words = [f"{'FAIL' if c.binding else 'aim missed'}: {c.name} {_number(c.value)} not {c.wanted}"
             for c in failed]
    return "; ".join(words) or "pass"


def _verdict(all_rows: list[Row], options: Options) -> list[str]:
    checks = [check for row in all_rows for check in row.checks if check.binding]
    if not checks:
        return ["no bar applies to this run"]
    failures = sum(not check.passed for check in checks)
    shown = "" if options.enforce else " (shown only: not enforced in this run)"
    return [f"{len(checks) - failures} bars passed, {failures} failed{shown}"]


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
