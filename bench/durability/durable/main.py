"""Starts the clusters, measures, prints, cleans up whatever happens."""

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from comparison.disk import in_memory
from comparison.errors import ComparisonError, UsageError
from comparison.processes import free_ports
from durable import options, report, windows
from durable.clusters import PORTS, Cluster
from durable.disk import Disk, look_at
from durable.options import KINDS, Options


def main(arguments: list[str]) -> int:
    """0 done, 1 something failed, 2 wrong command line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        chosen = options.parse(arguments)
        busy = os.getloadavg()[0]
        disk, taken = run(chosen)
    except UsageError as error:
        print(f"run: {error}", file=sys.stderr)
        return 2
    except ComparisonError as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("run: stopped; all processes ended and their data removed", file=sys.stderr)
        return 1
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
        ports = free_ports(PORTS * len(KINDS))
        clusters = {kind: Cluster(chosen, kind, ports[i::len(KINDS)], directory / kind)
                    for i, kind in enumerate(KINDS)}
        for cluster in clusters.values():
            cleanup.enter_context(cluster)
            cluster.write_all_keys()
        return disk, windows.measure(clusters, chosen)
