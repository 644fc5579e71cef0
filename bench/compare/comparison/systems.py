"""The three systems that are compared: each is started, asked for its use of the machine, stopped."""

import time
from pathlib import Path

from comparison import stator_wiring
from comparison.errors import ComparisonError
from comparison.options import KEYS, VALUE_SIZE, Options
from comparison.processes import Process, claim_any
from comparison.resp import Client

NODES = 3
READY_S = 30.0
FILL_AT_ONCE = 250


class System:
    """`ports` are where clients may connect, one per node."""

    name: str
    ports: list[int]

    def __init__(self) -> None:
        self._processes: list[Process] = []

    def __enter__(self) -> "System":
        try:
            self._start()
            self._wait_for_writes()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        for process in self._processes:
            process.ask_to_stop()
        for process in self._processes:
            process.stop()

    def _wait_for_writes(self) -> None:
        for port in self.ports:
            deadline = time.monotonic() + READY_S
            while True:
                try:
                    with Client(port) as client:
                        client.call("SET", "ready?", "yes")
                        break
                except ComparisonError as error:
                    self.check_running()
                    if time.monotonic() > deadline:
                        raise ComparisonError(f"{self.name} takes no writes: {error}") from error
                    time.sleep(0.1)

    def check_running(self) -> None:
        for process in self._processes:
            process.check_running()

    def cpu_seconds(self) -> float:
        return sum(process.cpu_seconds() for process in self._processes)

    def allocations(self) -> int | None:
        """Heap allocations of all nodes since the start; None where nobody counts them."""
        return None

    def fill(self) -> None:
        """Writes every key of the benchmark once, through the first node: reads are only worth
        measuring if they find something, and a key's first write costs more than the next."""
        value = b"x" * VALUE_SIZE
        with Client(self.ports[0], timeout_s=60) as client:
            for first in range(0, KEYS, FILL_AT_ONCE):
                keys = range(first, min(first + FILL_AT_ONCE, KEYS))
                client.send(*(("SET", key_name(key), value) for key in keys))
                for _ in keys:
                    client.receive()

    def check_contents(self, samples: int = 200) -> None:
        """Every node must return every key, with a value of the right size."""
        for port in self.ports:
            with Client(port) as client:
                for key in range(0, KEYS, KEYS // samples):
                    value = client.call("GET", key_name(key))
                    if not isinstance(value, bytes) or len(value) != VALUE_SIZE:
                        found = "nothing" if value is None else f"{len(value)} bytes"
                        raise ComparisonError(
                            f"{self.name} on port {port} returned {found} for {key_name(key)}"
                            f" instead of {VALUE_SIZE} bytes")


def key_name(number: int) -> str:
    """As redis-benchmark -r makes them."""
    return f"key:{number:012d}"


class Redis(System):
    """One redis-server, neither replicated nor persistent."""

    name = "redis"

    def __init__(self, directory: Path):
        super().__init__()
        self._directory = directory
        self.ports = claim_any(1)

    def _start(self) -> None:
        self._processes.append(Process("redis-server", [
            "redis-server", "--port", str(self.ports[0]), "--bind", "127.0.0.1",
            "--save", "", "--appendonly", "no", "--dir", str(self._directory),
        ], self._directory))


class Limit(System):
    """Three nodes of bench/limit."""

    name = "limit"

    def __init__(self, options: Options, directory: Path):
        super().__init__()
        self._options = options
        self._directory = directory
        ports = claim_any(2 * NODES)
        self.ports = ports[:NODES]
        self._peer_ports = ports[NODES:]

    def _start(self) -> None:
        for number in range(NODES):
            home = self._directory / f"n{number + 1}"
            self._processes.append(Process(f"limit n{number + 1}", [
                str(self._options.limit), "--node", str(number + 1),
                "--peers", ",".join(str(port) for port in self._peer_ports),
                "--clients", str(self.ports[number]),
                "--get", self._options.limit_get,
                "--durability", self._options.limit_durability, "--log", str(home / "log"),
            ], home))
        for process in self._processes:
            process.wait_for_line("ready", READY_S)

    def stats(self, number: int) -> dict[str, int]:
        with Client(self.ports[number]) as client:
            text = client.call("STATS")
        assert isinstance(text, bytes)
        pairs = (line.split(":") for line in text.decode().split())
        return {name: int(value) for name, value in pairs}

    def allocations(self) -> int | None:
        return sum(self.stats(number)["allocations"] for number in range(NODES))


class Stator(System):
    """Three processes of one shard each."""

    name = "stator"

    def __init__(self, options: Options, directory: Path):
        super().__init__()
        self._options = options
        self._directory = directory
        ports = claim_any(3 * NODES)
        self._nodes = [stator_wiring.NodePorts(*ports[i::NODES]) for i in range(NODES)]
        self.ports = [node.redis for node in self._nodes]

    def _start(self) -> None:
        for number in range(NODES):
            home = self._directory / f"n{number + 1}"
            line = stator_wiring.command(self._options.stator, number, self._nodes,
                                         self._options.engine, self._options.fsync, home)
            self._processes.append(Process(f"stator n{number + 1}", line, home,
                                           stator_wiring.environment()))
        for process in self._processes:
            process.wait_for_line(stator_wiring.READY_LINE, READY_S)

    def allocations(self) -> int | None:
        counts = [stator_wiring.allocations(node.http) for node in self._nodes]
        return None if None in counts else sum(counts)
