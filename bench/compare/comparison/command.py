"""What the command lines of benches have in common: where things are, how they end."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Callable

from comparison.errors import ComparisonError, UsageError

REPOSITORY = Path(__file__).resolve().parents[3]


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def add_output_and_stator(p: argparse.ArgumentParser) -> None:
    p.add_argument("-o", dest="output", choices=("table", "json"), default="table")
    p.add_argument("--stator", type=Path, default=REPOSITORY / "build/release/stator",
                   help="the program to measure (default build/release/stator)")


def check_directory(directory: Path | None) -> None:
    if directory is not None and not directory.is_dir():
        raise UsageError(f"--dir {directory} is no directory")


def exit_code_of(work: Callable[[], int]) -> int:
    """That of `work`; 1 when something outside failed or somebody stopped it, 2 for a wrong command line, each with a
    line that says so. SIGTERM ends it as Ctrl-C does: what it cleans up is cleaned up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return work()
    except UsageError as error:
        print(f"run: {error}", file=sys.stderr)
        return 2
    except ComparisonError as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("run: stopped; all processes ended and their data removed", file=sys.stderr)
        return 1
