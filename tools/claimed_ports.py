"""Ports for the servers of tests and of benchmarks, several of which run beside each other: none is given twice, not
even while the server that it was given to is down for a moment."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below those which the kernel gives to outgoing connections: a dial to a port of its own range may meet itself.
LEAST = 12_000
MOST = 31_999

_untried = random.sample(range(LEAST, MOST + 1), MOST + 1 - LEAST)
_given: set[int] = set()  # by this process
# Byte n of it is locked by the process that has port n, until that ends.
_claims = os.open(Path(tempfile.gettempdir()) / f"stator-ports-{os.getuid()}",
                  os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


class NoneLeft(Exception):
    """As many as were asked for are not free."""


def claim(port: int) -> bool:
    """Whether that one is free now and was given to nobody, who has not ended; then it is the caller's."""
    if port in _given:
        return False
    try:
        fcntl.lockf(_claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    _given.add(port)
    return True


def claim_any(count: int) -> list[int]:
    """So many at once."""
    found: list[int] = []
    while len(found) < count:
        if not _untried:
            raise NoneLeft(f"no free ports between {LEAST} and {MOST}")
        port = _untried.pop()
        if claim(port):
            found.append(port)
    return found
