"""Which files are ours: what git tracks and what is new, never what a build or npm made."""

import os
import subprocess
from pathlib import Path

NOT_OURS = {".git", "build", "node_modules", "__pycache__", ".cache"}


def files(root):
    """Relative names, sorted. Without git (an unpacked archive) everything outside NOT_OURS."""
    root = Path(root)
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=root, capture_output=True)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        names = []
        for folder, below, here in os.walk(root):
            below[:] = [name for name in below if name not in NOT_OURS]
            names += [str((Path(folder) / name).relative_to(root)) for name in here]
    return sorted({name for name in names
                   if name and (root / name).is_file() and not (root / name).is_symlink()})
