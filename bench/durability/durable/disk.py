"""The disk alone: without this a ratio of durable writes says nothing on another machine."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from comparison.disk import file_system

SYNCS = 200
APPENDED_BYTES = 4096


@dataclass(frozen=True)
class Disk:
    file_system: str
    sync_p50_ms: float
    sync_p99_ms: float


def look_at(folder: Path) -> Disk:
    """Appends and syncs, one after the other, while nobody else does."""
    file = folder / "probe"
    took = []
    with file.open("wb", buffering=0) as log:
        for _ in range(SYNCS):
            begin = time.perf_counter()
            log.write(bytes(APPENDED_BYTES))
            os.fdatasync(log.fileno())
            took.append((time.perf_counter() - begin) * 1000)
    file.unlink()
    took.sort()
    return Disk(file_system(folder), took[SYNCS // 2], took[SYNCS * 99 // 100])
