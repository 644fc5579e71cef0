"""Real `stator serve` processes for tests: started on free ports in a temporary folder, and always
ended.

Machines are slow, shared and stalled at the worst moment. So no test here judges how long something
takes: it waits for what must happen, PATIENCE_S at most, and the nodes of `Cluster` are as patient.
Speed is judged by benchmarks, and by `./check full`; here a collapse is, at most."""

import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from claimed_ports import claim, claim_any  # noqa: E402

BINARY = os.environ["STATOR_BINARY"]
# A sanitizer makes everything slower and larger.
_program = Path(BINARY).read_bytes()
SANITIZED = b"__asan_init" in _program or b"__tsan_init" in _program
PATIENCE_S = 240.0 if SANITIZED else 60.0
FULL = bool(os.environ.get("STATOR_FULL"))  # of figures that mean something on a quiet machine only
# A node that the machine lets stand for a moment is neither dead nor late. One that is killed is noticed
# by its connections, whatever these say.
PATIENT = ["--request-timeout", "20s", "--silence-max", "20s", "--stop-timeout", "40s"]
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run(*arguments: str, timeout_s: float = PATIENCE_S, **more) -> subprocess.CompletedProcess:
    """The program, to its end. Called by its bare name, which is what it says to type next."""
    return subprocess.run(["stator", *arguments], executable=BINARY, capture_output=True, text=True, timeout=timeout_s,
                          stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **more)


def wait_until(what, timeout_s: float = PATIENCE_S, step_s: float = 0.02):
    """The first true value of `what()`."""
    end = time.monotonic() + timeout_s
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(step_s)


def metric(node, name: str) -> int:
    """Over all shards of a node, which has such a figure: else zero would be what is asked for and not told."""
    text = node.http("GET", "/metrics")[2].decode()
    figures = [int(line.split()[-1]) for line in text.splitlines() if re.match(name + r"\W", line)]
    assert figures, f"no metric {name}"
    return sum(figures)


def await_writes(nodes, writes: int) -> None:
    """So many, acknowledged, and all that follows an acknowledgement is over. Figures of other shards are half
    a second old: that they know of all writes tells that they are young enough."""
    def are_over() -> bool:
        return (sum(metric(node, "stator_writes_total") for node in nodes) >= writes and
                sum(metric(node, "stator_operations_open") for node in nodes) == 0)
    wait_until(are_over)


def stat_fields(of: Path) -> list[str]:
    """Of the file `stat` in a folder of /proc what follows the name, which may hold anything: its third field on."""
    return (of / "stat").read_text().rpartition(")")[2].split()


def cpu_s(pid: int) -> float:
    fields = stat_fields(Path(f"/proc/{pid}"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[tuple[str, ...]]:
    """Of each: its id, its state, and how long it has worked so far."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = stat_fields(folder)
        except OSError:
            continue  # it has ended
        if int(fields[1]) == pid:
            found.append((folder.name, fields[0], fields[11], fields[12]))
    return sorted(found)


def await_reports(pid: int) -> None:
    """A sanitizer asks a child of its process for names before it writes down what it has found. While that child
    works, a report is on its way, which would be lost with the process."""
    def at_rest() -> bool:
        children = children_of(pid)
        if children:
            time.sleep(0.2)
        return all(child[1] in "SZ" for child in children) and children_of(pid) == children

    wait_until(at_rest)


def kill(pid: int) -> None:
    """SIGKILL, as soon as what a sanitizer has found in it is written down."""
    if SANITIZED:
        await_reports(pid)
    os.kill(pid, signal.SIGKILL)


def pending_hints(nodes) -> int:
    """Hints that these nodes keep, for whomever."""
    return sum(node.hints()["pending"] for node in nodes)


class Node:
    """One node of a cluster that may be founded with it."""

    def __init__(self, name: str, folder: Path):
        self.name = name
        # Never given twice within this process, so the nodes of a cluster cannot meet on one.
        self.redis_port, self.http_port, self.peer_port = claim_any(3)
        self.data = folder / name
        self.log = folder / f"{name}.log"
        self.options: list[str] = []
        self._said_before = 0
        self._process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        return [BINARY, "serve", "--name", self.name, "--data-dir", str(self.data),
                "--redis-listen", f"127.0.0.1:{self.redis_port}",
                "--http-listen", f"127.0.0.1:{self.http_port}",
                "--peer-listen", f"127.0.0.1:{self.peer_port}", *self.options]

    def start(self, wait_for: str = "ready") -> None:
        self.launch()
        self.await_said(wait_for)

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, start_new_session=True,
                                             preexec_fn=die_with_parent)

    def await_said(self, wait_for: str = "ready") -> None:
        offset = self._said_before

        def says() -> bool:
            text = self.log.read_text()[offset:]
            if any(line.startswith(wait_for) for line in text.splitlines()):
                return True
            if self._process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self._process.returncode}: {text}")
            return False

        wait_until(says)
        self._said_before = len(self.log.read_text())

    def shards(self) -> int:
        return int(self.options[self.options.index("--shards") + 1])

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        if self.running():
            kill(self.pid)
            self._process.wait()

    def http(self, method: str, path: str, body: bytes | None = None, headers=None):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, path: str):
        status, _, body = self.http("GET", path)
        assert status == 200, (status, body)
        return json.loads(body)

    def hints(self) -> dict:
        shown = run("hints", "-o", "json", "--node", f"127.0.0.1:{self.http_port}")
        assert shown.returncode == 0, shown.stderr
        return json.loads(shown.stdout)

    def ready(self) -> bool:
        try:
            return self.http("GET", "/readyz")[0] == 200
        except OSError:
            return False


class Cluster:
    """Nodes n1, n2, ... in one folder, ended and removed at the end."""

    def __init__(self, size: int = 3, *options: str, shards: int = 1, cluster_id: str = "test"):
        self.folder = Path(tempfile.mkdtemp(prefix="stator-test-"))
        self.nodes = [Node(f"n{k + 1}", self.folder) for k in range(size)]
        founders = ",".join(f"{node.name}=127.0.0.1:{node.peer_port}" for node in self.nodes)
        for node in self.nodes:
            node.options = ["--shards", str(shards), "--cluster-id", cluster_id, "--found", founders,
                            "--replicas", str(min(3, size)), *PATIENT, *options]

    def __enter__(self) -> "Cluster":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """All at once: a node that starts alone waits a second for its peers."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.await_said()
        self.await_all_healthy()

    def await_all_healthy(self) -> None:
        """Each node has heard each other one since it started, and each of its shards knows: they take
        the connections in turn."""
        def healthy() -> bool:
            return all(member["healthy"] for node in self.nodes for _ in range(2 * node.shards())
                       for member in node.json("/v1/status")["members"])

        wait_until(healthy)

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
