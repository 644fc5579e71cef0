"""A running `stator dev`, for tests."""

import http.client
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from nodes import BINARY, PATIENCE_S, claim, claim_any, die_with_parent, wait_until


def free_base(nodes: int = 3) -> int:
    """A base port of which all that `dev` uses is free, and nobody else's."""
    return wait_until(lambda: next((start for start in claim_any(1) if all(
        claim(start + 10 * k + i) for k in range(1, nodes + 1) for i in range(3))), None), step_s=0)


class Dev:
    """Started by `command`, which takes its options; its output grows in a file."""

    def __init__(self, *arguments: str, base: int | None = None, command: tuple[str, ...] = (BINARY, "dev")):
        self._command = command
        self._file = tempfile.NamedTemporaryFile(mode="w+", suffix=".dev")
        self.base = base or free_base()
        try:
            self._start(*arguments)
        except AssertionError as ended:
            # Somebody else on this machine took one of the ports meanwhile.
            if base or "in use already" not in str(ended):
                raise
            self._file.truncate(0)
            self.base = free_base()
            self._start(*arguments)

    def _start(self, *arguments: str) -> None:
        self.process = subprocess.Popen([*self._command, "--base-port", str(self.base), *arguments],
                                        stdin=subprocess.DEVNULL, stdout=self._file,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        preexec_fn=die_with_parent)
        self.await_text("Ctrl-C stops")
        for number in range(1, len(self.rows()) + 1):
            self.await_ready(number)

    def await_ready(self, number: int) -> None:
        """The node has met the others."""
        def ready() -> bool:
            connection = http.client.HTTPConnection("127.0.0.1", self.port(number, 1), timeout=PATIENCE_S)
            try:
                connection.request("GET", "/readyz")
                return connection.getresponse().status == 200
            except OSError:
                return False
            finally:
                connection.close()

        wait_until(ready)

    def output(self) -> str:
        return Path(self._file.name).read_text()

    def await_text(self, text: str) -> str:
        def says() -> bool:
            if self.process.poll() is not None and text not in self.output():
                raise AssertionError(f"dev ended with {self.process.returncode}: {self.output()}")
            return text in self.output()
        wait_until(says)
        return self.output()

    def rows(self) -> list[list[str]]:
        """The table, without its titles."""
        return [line.split() for line in self.output().splitlines() if re.match(r"n\d+ +\d", line)]

    def port(self, node: int, which: int = 0) -> int:
        return self.base + 10 * node + which

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> "Dev":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.interrupt()
        self._file.close()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def shell(line: str) -> str:
    return subprocess.run(line, shell=True, check=True, capture_output=True, text=True,
                          timeout=PATIENCE_S).stdout
