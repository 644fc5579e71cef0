"""What is under a folder. A sync in memory costs nothing and proves nothing."""

import subprocess
from pathlib import Path


def file_system(folder: Path) -> str:
    return subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True,
                          check=False).stdout.strip()


def in_memory(folder: Path) -> bool:
    return file_system(folder) in ("tmpfs", "ramfs")
