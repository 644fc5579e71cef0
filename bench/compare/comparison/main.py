"""Starts the systems, measures, prints, cleans up whatever happens."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from comparison import measure, options, report
from comparison.command import exit_code_of
from comparison.disk import in_memory
from comparison.errors import UsageError
from comparison.options import Options
from comparison.systems import Limit, Redis, Stator, System


def main(arguments: list[str]) -> int:
    """0 done (and all bars held), 1 below a bar or something failed, 2 wrong command line."""
    return exit_code_of(lambda: tell(arguments))


def tell(arguments: list[str]) -> int:
    chosen = options.parse(arguments)
    busy = os.getloadavg()[0]
    rows = report.rows(run(chosen), chosen)
    write = report.as_json if chosen.output == "json" else report.as_table
    print(write(rows, chosen, busy))
    return 1 if chosen.enforce and not report.passed(rows) else 0


def run(chosen: Options) -> measure.Samples:
    with ExitStack() as cleanup:
        directory = Path(cleanup.enter_context(
            tempfile.TemporaryDirectory(prefix="stator-compare-", dir=chosen.directory)))
        if chosen.fsync and in_memory(directory):
            raise UsageError(f"{directory.parent} is in memory: --fsync needs --dir on a disk")
        systems: list[System] = [Redis(directory / "redis"), Limit(chosen, directory / "limit")]
        if not chosen.limit_only:
            systems.append(Stator(chosen, directory / "stator"))
        for system in systems:
            cleanup.enter_context(system)
            system.fill()
            system.check_contents()
        samples = measure.measure(systems, chosen)
        for system in systems:
            system.check_contents()
        return samples
