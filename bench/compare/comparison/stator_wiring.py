"""All that this benchmark knows about Stator's own interface, in one place: flags, the setting that
turns fsync off, and where heap allocations are read."""

import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from comparison.errors import ComparisonError

# The engine rocksdb is durable by default; this configuration file makes it leave out the fsync.
NO_FSYNC_CONFIGURATION = 'durability = "none"\n'

# Every node counts its heap allocations and shows them at /metrics.
ALLOCATIONS_METRIC = "stator_heap_allocations_total"

READY_LINE = "ready"


@dataclass(frozen=True)
class NodePorts:
    redis: int
    http: int
    peer: int


def command(program: Path, number: int, nodes: list[NodePorts], engine: str, fsync: bool,
            directory: Path) -> list[str]:
    """The command line of node `number` (from 0) of a new cluster."""
    own = nodes[number]
    founders = ",".join(f"n{i + 1}=127.0.0.1:{node.peer}" for i, node in enumerate(nodes))
    return [
        str(program), "serve", *_durability(engine, fsync, directory),
        "--name", f"n{number + 1}",
        "--data-dir", str(directory / "data"),
        "--engine", engine,
        "--shards", "1",
        "--redis-listen", f"127.0.0.1:{own.redis}",
        "--http-listen", f"127.0.0.1:{own.http}",
        "--peer-listen", f"127.0.0.1:{own.peer}",
        "--cluster-id", "compare",
        "--found", founders,
    ]


def environment() -> dict[str, str]:
    return dict(os.environ)


def _durability(engine: str, fsync: bool, directory: Path) -> list[str]:
    if engine == "memory" or fsync:
        return []
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "stator.toml"
    configuration.write_text(NO_FSYNC_CONFIGURATION)
    return ["--config", str(configuration)]


def metrics(http_port: int) -> dict[str, float]:
    """All that the node shows of itself, by name."""
    url = f"http://127.0.0.1:{http_port}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError) as error:
        raise ComparisonError(f"cannot read {url}: {error}") from error
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def allocations(http_port: int) -> int | None:
    """Heap allocations of the node since its start; None where it does not count them."""
    count = metrics(http_port).get(ALLOCATIONS_METRIC)
    return None if count is None else int(count)
