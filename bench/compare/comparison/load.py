"""redis-benchmark, once or three times at the same time."""

import csv
import subprocess
from dataclasses import dataclass

from comparison.errors import ComparisonError
from comparison.options import KEYS, VALUE_SIZE
from comparison.processes import die_with_parent

RUN_TIMEOUT_S = 900


@dataclass(frozen=True)
class Outcome:
    requests_per_second: float
    p50_ms: float
    p99_ms: float


def shares(total: int, parts: int) -> list[int]:
    """7 in 3 parts: 3, 2, 2."""
    return [total // parts + (1 if i < total % parts else 0) for i in range(parts)]


def benchmark(ports: list[int], test: str, requests: int, clients: int, pipeline: int) -> Outcome:
    """One generator for each port (the same port may stand there more than once), each with its
    share of requests and connections. The rate is that of all requests over the time of the
    slowest generator."""
    each_requests = shares(requests, len(ports))
    each_clients = shares(clients, len(ports))
    children: list[subprocess.Popen[str]] = []
    try:
        for port, n, c in zip(ports, each_requests, each_clients):
            children.append(subprocess.Popen(
                ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-r", str(KEYS),
                 "-d", str(VALUE_SIZE), "-n", str(n), "-c", str(max(c, 1)), "-P", str(pipeline),
                 "-t", test, "--csv"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, start_new_session=True, preexec_fn=die_with_parent))
        rows = [_result(child, test) for child in children]
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()
    seconds = max(n / float(row["rps"]) for n, row in zip(each_requests, rows))
    return Outcome(
        requests_per_second=requests / seconds,
        p50_ms=max(float(row["p50_latency_ms"]) for row in rows),
        p99_ms=max(float(row["p99_latency_ms"]) for row in rows),
    )


def _result(child: "subprocess.Popen[str]", test: str) -> dict[str, str]:
    try:
        text, _ = child.communicate(timeout=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise ComparisonError(f"redis-benchmark ({test}) took over {RUN_TIMEOUT_S} s") from error
    lines = text.splitlines()
    headers = [i for i, line in enumerate(lines) if line.startswith('"test","rps"')]
    if child.returncode != 0 or not headers:
        last = " | ".join(lines[-2:]) or "nothing"
        raise ComparisonError(f"redis-benchmark ({test}) failed, saying: {last}")
    for row in csv.DictReader(lines[headers[0]:]):
        if row["test"].lower() == test and float(row["rps"]) > 0:
            return row
    raise ComparisonError(f"redis-benchmark did not report {test}")
