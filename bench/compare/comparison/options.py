"""The command line."""

import argparse
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from comparison.command import REPOSITORY, add_output_and_stator, check_directory, positive
from comparison.errors import UsageError

# The load of the bars: redis-benchmark -r 100000 -d 1024 -n 1000000.
KEYS = 100_000
VALUE_SIZE = 1024
REQUESTS = {"full": 1_000_000, "small": 50_000}
OPERATIONS = ("set", "get")


@dataclass(frozen=True)
class Options:
    size: str
    engine: str
    fsync: bool
    pipelines: tuple[int, ...]
    operations: tuple[str, ...]
    clients: int
    runs: int
    requests: int
    limit_only: bool
    limit_get: str
    enforce: bool
    output: str
    stator: Path
    limit: Path
    directory: Path | None

    @property
    def limit_durability(self) -> str:
        """What the bare quorum promises where Stator runs with this engine."""
        if self.fsync:
            return "sync"
        return "memory" if self.engine == "memory" else "page-cache"


def pipelines(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", text):
        raise ValueError
    return tuple(int(part) for part in text.split(","))


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="run",
        description="Measures Redis, the bare quorum and Stator in interleaved rounds of"
        " redis-benchmark, and compares them with the bars.",
    )
    p.add_argument("--size", choices=("full", "small"), default="full",
                   help="full: 1,000,000 requests per run; small: 50,000, to see that it works")
    p.add_argument("--engine", choices=("memory", "rocksdb"), default="memory")
    p.add_argument("--fsync", action="store_true", help="durable writes (not for memory)")
    p.add_argument("--pipeline", type=pipelines, default=(1, 16), metavar="P,P",
                   help="requests sent at once by a connection (default 1,16)")
    p.add_argument("--operation", choices=OPERATIONS, help="only this one (default both)")
    p.add_argument("--clients", type=positive, default=50,
                   help="connections in total (default 50; the bars are for 50, with fsync 200)")
    p.add_argument("--runs", type=positive, default=5, help="interleaved rounds (default 5)")
    p.add_argument("--requests", type=positive, help="per run, instead of those of --size")
    p.add_argument("--limit-only", action="store_true",
                   help="Redis and the bare quorum alone, with the durability of --engine")
    p.add_argument("--limit-get", default="fan1-digest",
                   choices=("fan1-digest", "fan1-full", "fan2-digest", "fan2-full"),
                   help="how the bare quorum reads (default fan1-digest)")
    p.add_argument("--bars", choices=("enforce", "show"),
                   help="enforce: exit 1 below a bar (default at full size); show: only print")
    add_output_and_stator(p)
    p.add_argument("--limit", type=Path, default=REPOSITORY / "build/release/bench/limit/limit",
                   help="the bare quorum (default build/release/bench/limit/limit)")
    p.add_argument("--dir", type=Path, dest="directory",
                   help="where the data directories are made (default: the system's for"
                   " temporary files); for --fsync it must be on a disk")
    return p


def parse(arguments: list[str]) -> Options:
    given = parser().parse_args(arguments)
    if given.fsync and given.engine == "memory" and not given.limit_only:
        raise UsageError("--fsync is not for the engine memory: add --engine rocksdb")
    for tool in ("redis-server", "redis-benchmark"):
        if shutil.which(tool) is None:
            raise UsageError(f"{tool} is not installed: apt-get install redis-server redis-tools")
    if not given.limit.is_file():
        raise UsageError(f"there is no {given.limit}: build the target `limit`, or say --limit")
    if not given.limit_only and not given.stator.is_file():
        raise UsageError(f"there is no {given.stator}: build it, or say --stator (or --limit-only)")
    check_directory(given.directory)
    return Options(
        size=given.size,
        engine=given.engine,
        fsync=given.fsync,
        pipelines=given.pipeline,
        operations=(given.operation,) if given.operation else OPERATIONS,
        clients=given.clients,
        runs=given.runs,
        requests=given.requests or REQUESTS[given.size],
        limit_only=given.limit_only,
        limit_get=given.limit_get,
        enforce=(given.bars or ("enforce" if given.size == "full" else "show")) == "enforce",
        output=given.output,
        stator=given.stator.resolve(),
        limit=given.limit.resolve(),
        directory=given.directory,
    )
