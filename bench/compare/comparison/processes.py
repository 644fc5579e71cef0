"""Child processes that never outlive this one, and ports for them."""

import ctypes
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

from comparison.errors import ComparisonError

_STOP_WAIT_S = 10.0
_PR_SET_PDEATHSIG = 1
_CLOCK_TICKS_PER_S = 100  # USER_HZ, fixed in Linux's interface to programs
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Ports that are free now, below those which the kernel gives to outgoing connections (a dial
    to a port of its own range may meet itself)."""
    found: list[int] = []
    for port in random.sample(range(15_000, 32_000), 17_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise ComparisonError("no free ports between 15000 and 32000")


class Process:
    """One server, its output in a file. A session of its own keeps Ctrl-C from it, so that it is
    stopped in order."""

    def __init__(self, name: str, command: list[str], directory: Path,
                 environment: dict[str, str] | None = None):
        self.name = name
        directory.mkdir(parents=True, exist_ok=True)
        self._log = directory / "output"
        with self._log.open("wb") as log:
            try:
                self._child = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    start_new_session=True, preexec_fn=die_with_parent, env=environment,
                )
            except OSError as error:
                raise ComparisonError(f"cannot start {name}: {error}") from error

    def wait_for_line(self, line: str, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while line not in self.output().splitlines():
            self.check_running()
            if time.monotonic() > deadline:
                raise ComparisonError(f"{self.name} was not ready within {timeout_s:.0f} s"
                                      f"{self._last_words()}")
            time.sleep(0.02)

    def check_running(self) -> None:
        code = self._child.poll()
        if code is not None:
            raise ComparisonError(f"{self.name} ended with code {code}{self._last_words()}")

    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def _last_words(self) -> str:
        lines = [text for text in self.output().splitlines() if text.strip()]
        return ": " + " | ".join(lines[-3:]) if lines else ", saying nothing"

    def cpu_seconds(self) -> float:
        """User and system time of all its threads, to 0.01 s."""
        self.check_running()
        text = Path(f"/proc/{self._child.pid}/stat").read_text()
        fields = text[text.rindex(")") + 2:].split()  # the name before may hold anything
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS_PER_S

    def ask_to_stop(self) -> None:
        if self._child.poll() is None:
            self._child.terminate()

    def stop(self) -> None:
        self.ask_to_stop()
        try:
            self._child.wait(_STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
