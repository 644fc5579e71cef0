"""Child processes that never outlive this one, and ports for them."""

import ctypes
import signal
import subprocess
import sys
import time
from pathlib import Path

from comparison.errors import ComparisonError

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import claimed_ports  # noqa: E402

_STOP_WAIT_S = 10.0
_PR_SET_PDEATHSIG = 1
_CLOCK_TICKS_PER_S = 100  # USER_HZ, fixed in Linux's interface to programs
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def claim_any(count: int) -> list[int]:
    try:
        return claimed_ports.claim_any(count)
    except claimed_ports.NoneLeft as error:
        raise ComparisonError(str(error)) from error


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
