"""Clusters of real processes for tests that break them: their load with its checker (stator_torture), the
proxy between them (stator_proxy), and the library in front of their files and clocks (stator_faulty_os). A test of
them is a TortureTest, which says how to repeat it."""

import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "process"))

from nodes import (BINARY, FULL, PATIENCE_S, Cluster, Node, await_writes, claim_any,  # noqa: E402
                   die_with_parent, metric, pending_hints, stat_fields, wait_until)

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(BINARY).parent
SEED = int(os.environ.get("STATOR_SEED", time.time_ns() % 1_000_000))
# What a node waits for by default, where figures of speed are taken; `Cluster` is more patient.
PROMPT = ["--request-timeout", "2s", "--silence-max", "600ms", "--stop-timeout", "5s"]
# At full size, on a quiet machine, the same: what a node with the patience of `Cluster` would sit out is a finding
# there. In `./check` a machine may let a node stand for seconds, which is no failure of what these tests are about.
AS_SHIPPED = PROMPT if FULL else []
# Of what a cluster can do: load that leaves room for a node that is missing, and for repairs.
SHARE_OF_CAPACITY = 0.3


def repeat_command(case: str) -> str:
    """One line for a shell in the source folder: this case of this script again, with the same seed and size. The
    workload and what is drawn are the same then; when the processes do what is up to the machine."""
    settings = {"STATOR_SEED": SEED, "STATOR_BINARY": os.path.relpath(BINARY, ROOT)}
    if FULL:
        settings["STATOR_FULL"] = 1
    script = os.path.relpath(Path(sys.argv[0]).resolve(), ROOT)
    return " ".join([*(f"{name}={shlex.quote(str(value))}" for name, value in settings.items()),
                     shlex.join(["python3", script, case])])


class TortureTest(unittest.TestCase):
    """A test that says at its beginning, for one that hangs, and where it fails, which command repeats it (G34)."""

    def run(self, result=None):
        if result is None:
            result = self.defaultTestResult()
        again = repeat_command(self.id().removeprefix(f"{type(self).__module__}."))
        before = len(result.failures) + len(result.errors)
        print(f"to repeat: {again}", flush=True)
        ended = super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"\nreproduce: {again}", flush=True)  # behind unittest's own letter
        return ended


class Orders:
    """A connection to one of our tools: a line there, a line back."""

    def __init__(self, address, timeout_s: float = 10 * PATIENCE_S):
        if isinstance(address, int):
            self._socket = socket.create_connection(("127.0.0.1", address), timeout_s)
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout_s)
            self._socket.connect(str(address))
        self._input = self._socket.makefile("r")
        self._turn = threading.Lock()

    def ask(self, line: str) -> str:
        with self._turn:
            self._socket.sendall(line.encode() + b"\n")
            answer = self._input.readline()
        if not answer:
            raise ConnectionError(f"no answer to {line!r}")
        return answer.rstrip("\n")

    def do(self, line: str) -> None:
        answer = self.ask(line)
        assert answer == "ok", (line, answer)

    def close(self) -> None:
        self._input.close()
        self._socket.close()


class Tool:
    """One of our programs, which says `ready`, takes orders at a port and ends with their connection."""

    def __init__(self, name: str, port: int, *arguments: str):
        self.process = subprocess.Popen([str(TOOLS / name), *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        first = self.process.stdout.readline()
        assert first == "ready\n", (name, first, self.process.poll())
        self.orders = Orders(port)

    def stop(self) -> None:
        self.orders.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Proxy(Tool):
    """What the nodes of a cluster say to each other goes through it."""

    def __init__(self, routes: dict[str, tuple[int, int]]):
        port, = claim_any(1)
        super().__init__("stator_proxy", port, str(port),
                         *[f"{node}={listen}:{target}" for node, (listen, target) in routes.items()])

    def do(self, *words) -> None:
        self.orders.do(" ".join(str(word) for word in words))

    def counts(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """(connections, bytes, bytes that an order held up) by (from, to)"""
        found = {}
        for entry in self.orders.ask("count").split():
            path, figures = entry.split("=")
            found[tuple(path.split(">"))] = tuple(int(figure) for figure in figures.split("/"))
        return found


class FaultyNode(Node):
    """A node whose files and wall clock can be made to fail."""

    def launch(self) -> None:
        self._control = self.data.parent / f"{self.name}.control"
        self._control.unlink(missing_ok=True)
        environment = {**os.environ, "LD_PRELOAD": str(TOOLS / "stator_faulty_os.so"),
                       "STATOR_FAULTY_ROOT": str(self.data), "STATOR_FAULTY_CONTROL": str(self._control)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, start_new_session=True,
                                             preexec_fn=die_with_parent, env=environment)

    def fault(self, line: str) -> str:
        orders = Orders(self._control)
        try:
            return orders.ask(line)
        finally:
            orders.close()

    def lose_power(self, seed: int) -> None:
        try:
            self.fault(f"power {seed}")
        except OSError:
            pass
        self.wait()


class Nodes(Cluster):
    """A cluster, perhaps with a proxy between its nodes, or with a library in front of their files."""

    def __init__(self, size: int, *options: str, proxied: bool = False, faulty: bool = False,
                 shards: int = 1):
        super().__init__(size, *options, shards=shards)
        self.proxy: Proxy | None = None
        if faulty:
            for node in self.nodes:
                node.__class__ = FaultyNode
        if proxied:
            self._go_between()

    def _go_between(self) -> None:
        doors = claim_any(len(self.nodes))
        founders = ",".join(f"{node.name}=127.0.0.1:{door}" for node, door in zip(self.nodes, doors))
        for node, door in zip(self.nodes, doors):
            node.options[node.options.index("--found") + 1] = founders
            node.options += ["--peer-announce", f"127.0.0.1:{door}"]
        self.proxy = Proxy({node.name: (door, node.peer_port)
                            for node, door in zip(self.nodes, doors)})
        for node in self.nodes:
            self._tell_pids(node)

    def _tell_pids(self, node: Node) -> None:
        launch = node.launch

        def launch_and_tell() -> None:
            launch()
            self.proxy.do("pid", node.name, node.pid)

        node.launch = launch_and_tell

    def stop(self) -> None:
        super().stop()
        if self.proxy is not None:
            self.proxy.stop()


class Torture(Tool):
    """Clients of all nodes, which write down all that they send and hear until it is judged."""

    def __init__(self, nodes: list[Node], everybody: list[Node] | None = None, **settings):
        # Who may keep hints: also a node that has no clients here.
        self._everybody = everybody or nodes
        port, = claim_any(1)
        doors = ",".join(f"127.0.0.1:{node.redis_port}" for node in nodes)
        settings = {"seed": SEED, "n": min(3, len(nodes)), **settings}
        super().__init__("stator_torture", port, f"control={port}", f"nodes={doors}",
                         *[f"{name}={value}" for name, value in settings.items()])
        print(f"workload: {settings}", flush=True)

    def begin(self) -> None:
        self.orders.ask("begin")

    def strict(self) -> None:
        self.orders.ask("strict")

    def pause(self) -> dict:
        return json.loads(self.orders.ask("pause"))

    def window(self) -> dict:
        return json.loads(self.orders.ask("window"))

    def judge(self) -> dict:
        """Reads every key from all its owners, compares these, and judges all that was heard. All nodes run: what
        stand-ins keep may be the only copies of a write, so the owners get it first."""
        self.pause()
        wait_until(lambda: all_delivered(self._everybody), timeout_s=3 * PATIENCE_S, step_s=0.2)
        verdict = json.loads(self.orders.ask("judge"))
        print({name: value for name, value in verdict.items() if name != "problems"}, flush=True)
        return verdict

    def __enter__(self) -> "Torture":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def bench(nodes, *options: str, value_bytes: int = 200) -> list[str]:
    """The command of a load on these nodes, half of it writes, which prints JSON."""
    doors = ",".join(f"127.0.0.1:{node.redis_port}" for node in nodes)
    return [BINARY, "bench", "--redis", doors, "--value-bytes", str(value_bytes), "--mix", "get=1,set=1", "-o", "json",
            *options]


def capacity(nodes, keys: int, value_bytes: int = 200) -> float:
    """Operations per second of clients that send one after the other."""
    load = bench(nodes, "-c", "60", "--keys", str(keys), "--prefix", "capacity:", value_bytes=value_bytes)
    subprocess.run([*load, "--fill", "--duration", "1s"], check=True, capture_output=True)
    measured = subprocess.run([*load, "--duration", "10s" if FULL else "1s"], check=True, capture_output=True)
    return json.loads(measured.stdout)["all"]["rate"]


def all_delivered(nodes) -> bool:
    """None of these nodes keeps a hint for anybody (`stator hints` asks the same, in a process of its own)."""
    told = [node.json("/v1/hints") for node in nodes]
    return not any(hints["pending"] or hints["counting"] for hints in told)


class OwnClients:
    """Clients of one node that stay with it whatever it does: a few operations per second, as they were due."""

    RATE = 200

    def __init__(self, node: Node, seconds: float):
        self._process = subprocess.Popen(
            bench([node], "-c", "8", "-P", "16", "--keys", "500", "--prefix", "own:", "--rate", str(self.RATE),
                  "--duration", f"{round(seconds * 1000)}ms", "--timeout", "2s", "--allow-errors"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=die_with_parent)

    def figures(self) -> dict:
        """Waits for the end. No operation may have ended well: then there is no more to tell."""
        told, _ = self._process.communicate(timeout=PATIENCE_S)
        if not told.strip():
            return {"served": 0}
        seen = json.loads(told)["all"]
        latency = seen["latency_us"] or {}
        return {"served": seen["operations"], "failed": sum(seen["errors"].values()),
                **{f"{name}_ms": round(latency[name] / 1000, 1) for name in ("p50", "p99", "max") if name in latency}}

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class Series:
    """What clients saw, step by step, while something goes on."""

    def __init__(self, torture: Torture, step_s: float = 0.25):
        self._torture, self._step_s = torture, step_s

    def window(self, seconds: float) -> dict:
        """All of it as one."""
        self._torture.window()
        begin = time.monotonic()
        time.sleep(seconds)
        window = self._torture.window()
        return {**window, "rate": window["well"] / (time.monotonic() - begin)}

    def watch(self, seconds: float) -> list[dict]:
        self._torture.window()
        begin = last = time.monotonic()
        windows = []
        while last - begin < seconds:
            time.sleep(self._step_s)
            window = self._torture.window()
            now = time.monotonic()
            windows.append({**window, "at": now - begin, "rate": window["well"] / (now - last)})
            last = now
        return windows


def report(name: str, figures: dict) -> None:
    """A line for who reads the log of the test, and a file beside the build for who compares."""
    text = json.dumps({"name": name, "full": FULL, **figures})
    print(text, flush=True)
    folder = TOOLS / "torture"
    folder.mkdir(exist_ok=True)
    with (folder / "figures.jsonl").open("a") as file:
        file.write(text + "\n")
