"""Starts the clusters, measures, prints, cleans up whatever happens."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from comparison.command import exit_code_of
from comparison.disk import in_memory
from comparison.errors import UsageError
from comparison.processes import claim_any
from durable import options, report, windows
from durable.clusters import PORTS, Cluster
from durable.disk import Disk, look_at
from durable.options import KINDS, Options


def main(arguments: list[str]) -> int:
    """0 done, 1 something failed, 2 wrong command line."""
    return exit_code_of(lambda: tell(arguments))


def tell(arguments: list[str]) -> int:
    chosen = options.parse(arguments)
    busy = os.getloadavg()[0]
    disk, taken = run(chosen)
    write = report.as_json if chosen.output == "json" else report.as_table
    print(write(taken, disk, chosen, busy))
    return 0


def run(chosen: Options) -> tuple[Disk, windows.Windows]:
    with ExitStack() as cleanup:
        directory = Path(cleanup.enter_context(
            tempfile.TemporaryDirectory(prefix="stator-durability-", dir=chosen.directory)))
        if chosen.size == "full" and in_memory(directory):
            raise UsageError(f"{directory.parent} is in memory: --dir must be on the disk to measure")
        disk = look_at(directory)
        ports = claim_any(PORTS * len(KINDS))
        clusters = {kind: Cluster(chosen, kind, ports[i::len(KINDS)], directory / kind)
                    for i, kind in enumerate(KINDS)}
        for cluster in clusters.values():
            cleanup.enter_context(cluster)
            cluster.write_all_keys()
        return disk, windows.measure(clusters, chosen)
