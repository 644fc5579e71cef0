"""The command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from comparison.command import add_output_and_stator, check_directory, positive
from comparison.errors import UsageError

KINDS = ("none", "one", "all")
LOADS = ("open", "closed")


@dataclass(frozen=True)
class Size:
    rounds: int
    seconds: int  # of a window
    keys: int


SIZES = {"full": Size(rounds=8, seconds=10, keys=20_000), "small": Size(rounds=1, seconds=1, keys=500)}


@dataclass(frozen=True)
class Options:
    size: str
    rounds: int
    seconds: int
    keys: int
    rate: int
    clients: int
    value_bytes: int
    output: str
    stator: Path
    directory: Path | None


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="run",
        description="Measures SETs with durability none, one and all in paired windows, on three clusters of three"
        " nodes on one disk: what the syncs behind the answers of `one` cost who appends to the same log.",
    )
    p.add_argument("--size", choices=SIZES, default="full",
                   help="full: 8 rounds of windows of 10 s, about 10 minutes; small: does it work?")
    p.add_argument("--rounds", type=positive, help="instead of those of --size")
    p.add_argument("--seconds", type=positive, help="of a window, instead of those of --size")
    p.add_argument("--rate", type=positive, default=1000,
                   help="SETs per second of the open loop (default 1000): fewer than `all` can do on this disk")
    p.add_argument("--clients", type=positive, default=50, help="connections in total (default 50)")
    p.add_argument("--value-bytes", type=positive, default=1024, help="size of values (default 1024)")
    add_output_and_stator(p)
    p.add_argument("--dir", type=Path, dest="directory",
                   help="where the data directories are made, on the disk to measure (default: the system's for"
                   " temporary files)")
    return p


def parse(arguments: list[str]) -> Options:
    given = parser().parse_args(arguments)
    if not given.stator.is_file():
        raise UsageError(f"there is no {given.stator}: build it, or say --stator")
    check_directory(given.directory)
    size = SIZES[given.size]
    return Options(
        size=given.size,
        rounds=given.rounds or size.rounds,
        seconds=given.seconds or size.seconds,
        keys=size.keys,
        rate=given.rate,
        clients=given.clients,
        value_bytes=given.value_bytes,
        output=given.output,
        stator=given.stator.resolve(),
        directory=given.directory,
    )
