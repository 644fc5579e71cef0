"""What the tests of real clients share: a cluster for a class of tests, other programs, curl."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "process"))
from nodes import Cluster, PATIENCE_S, die_with_parent, wait_until  # noqa: E402,F401
from resp import Client, ReplyError  # noqa: E402,F401


def tool(*command: str | bytes, stdin: bytes = b"", timeout_s: float = PATIENCE_S,
         **more) -> subprocess.CompletedProcess:
    """Another program, to its end; bytes in and out. One that is missing fails the test."""
    return subprocess.run(command, input=stdin, capture_output=True, timeout=timeout_s,
                          preexec_fn=die_with_parent, **more)


class ThreeNodes(unittest.TestCase):
    """One cluster of three nodes of two shards, N=3, R=W=2, for all tests of the class."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3, "--engine", "memory", shards=2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)
        cls.nodes = cls.cluster.nodes

    def redis_port(self, node: int) -> str:
        return str(self.nodes[node].redis_port)

    def redis_cli(self, node: int, *words: str | bytes, stdin: bytes = b"") -> bytes:
        """What `redis-cli` prints when it is not on a terminal, without the last newline."""
        ended = tool("redis-cli", "-p", self.redis_port(node), *words, stdin=stdin)
        self.assertEqual((ended.returncode, ended.stderr), (0, b""), words)
        return ended.stdout.removesuffix(b"\n")

    def curl(self, node: int, method: str, path: str, body: bytes | None = None,
             **headers: str) -> "Answer":
        """`Stator_Context="..."` is sent as `Stator-Context: ...`."""
        return curl(f"http://127.0.0.1:{self.nodes[node].http_port}{path}", method, body,
                    {name.replace("_", "-"): value for name, value in headers.items()})

    def http_value(self, node: int, key: str) -> bytes | None:
        answer = self.curl(node, "GET", f"/v1/kv/default/{key}")
        self.assertIn(answer.status, (200, 404), answer)
        return answer.body if answer.status == 200 else None

    def environment(self) -> dict[str, str]:
        """For clients in other languages: the three addresses."""
        ports = ",".join(str(node.redis_port) for node in self.nodes)
        return {**os.environ, "STATOR_REDIS_PORTS": ports}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def context(self) -> str:
        return self.headers["stator-context"]

    def json(self):
        return json.loads(self.body)

    def values(self) -> list[bytes]:
        """The siblings of a 300."""
        return sorted(base64.b64decode(sibling["value"]) for sibling in self.json()["siblings"])


def curl(url: str, method: str = "GET", body: bytes | None = None, headers=None) -> Answer:
    """One request with curl, which fails only when there is no answer."""
    with tempfile.TemporaryDirectory(prefix="stator-test-") as folder:
        out, head = Path(folder) / "body", Path(folder) / "head"
        out.touch()
        command = ["curl", "-sS", "--path-as-is", "-X", method, "-o", str(out), "-D", str(head),
                   "-w", "%{http_code}"]
        if method == "HEAD":
            command.append("--head")
        for name, value in (headers or {}).items():
            command += ["-H", f"{name}: {value}"]
        if body is not None:
            command += ["--data-binary", "@-"]
            if not any(name.lower() == "content-type" for name in headers or {}):
                command += ["-H", "Content-Type:"]  # curl would call it a form
        ended = tool(*command, url, stdin=body or b"")
        if ended.returncode != 0:
            raise AssertionError(f"curl {method} {url}: {ended.stderr.decode()}")
        last = head.read_bytes().rstrip(b"\r\n").split(b"\r\n\r\n")[-1].decode()  # after a 100
        fields = (line.partition(":") for line in last.split("\r\n")[1:])
        return Answer(int(ended.stdout), {name.lower(): value.strip() for name, _, value in fields},
                      out.read_bytes())
