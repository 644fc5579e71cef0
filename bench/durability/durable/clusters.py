"""A cluster of each durability. It is a setting of a node, fixed from its start, so each has a cluster of its own."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from comparison import stator_wiring
from comparison.errors import ComparisonError
from comparison.processes import Process, die_with_parent
from comparison.systems import NODES, READY_S, System
from durable.options import Options

PORTS = 3 * NODES
WARMUP_S = 1
# Counts of an engine are half a second old, and a sync behind an answer has some time, too.
COUNTED_AFTER_S = 1.0
BENCH_SLACK_S = 120


@dataclass(frozen=True)
class Counts:
    """Of all nodes, since their start."""

    writes: float  # coordinated
    syncs: float
    durable: float  # copies that were synced behind an answer, as durability `one` asks for

    def since(self, before: "Counts") -> "Counts":
        return Counts(self.writes - before.writes, self.syncs - before.syncs, self.durable - before.durable)


class Cluster(System):
    """Three processes of one shard each, with logs on the disk."""

    def __init__(self, options: Options, durability: str, ports: list[int], directory: Path):
        super().__init__()
        self.name = f"durability {durability}"
        self._options = options
        self._durability = durability
        self._directory = directory
        self._nodes = [stator_wiring.NodePorts(*ports[i::NODES]) for i in range(NODES)]
        self.ports = [node.redis for node in self._nodes]

    def _start(self) -> None:
        for number in range(NODES):
            home = self._directory / f"n{number + 1}"
            line = stator_wiring.command(self._options.stator, number, self._nodes, "rocksdb", True, home)
            self._processes.append(Process(f"{self.name}, n{number + 1}", [*line, "--durability", self._durability],
                                           home, stator_wiring.environment()))
        for process in self._processes:
            process.wait_for_line(stator_wiring.READY_LINE, READY_S)

    def counts(self) -> Counts:
        shown = [stator_wiring.metrics(node.http) for node in self._nodes]

        def total(name: str) -> float:
            return sum(metrics[name] for metrics in shown)

        return Counts(total("stator_writes_total"), total("stator_storage_syncs_total"),
                      total("stator_durable_copies_total"))

    def write_all_keys(self) -> None:
        """A key's first write costs more than the next."""
        self._bench("--fill", "--duration", "1s")

    def write(self, load: str, seed: int) -> tuple[dict, Counts]:
        """A window of SETs: what `stator bench` tells of it, and what was counted meanwhile, warm-up included."""
        pace = ["--rate", str(self._options.rate)] if load == "open" else []
        before = self.counts()
        told = self._bench("--duration", f"{self._options.seconds}s", "--warmup", f"{WARMUP_S}s", "--seed", str(seed),
                           *pace)
        return told, self.counts().since(before)

    def _bench(self, *more: str) -> dict:
        doors = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        command = [str(self._options.stator), "bench", "--redis", doors, "--mix", "set", "-c",
                   str(self._options.clients), "--keys", str(self._options.keys), "--value-bytes",
                   str(self._options.value_bytes), "--allow-errors", "-o", "json", *more]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                                  timeout=self._options.seconds + BENCH_SLACK_S, preexec_fn=die_with_parent)
        except subprocess.TimeoutExpired as error:
            raise ComparisonError(f"{self.name}: `stator bench` did not end") from error
        self.check_running()
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise ComparisonError(f"{self.name}: `stator bench` failed: {' | '.join(said[-3:]) or 'saying nothing'}")
        time.sleep(COUNTED_AFTER_S)
        return json.loads(done.stdout)
