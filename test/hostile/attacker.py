"""Thousands of hostile connections to one node, held by a process of its own: run as
`attacker.py REDIS_PORT HTTP_PORT PEER_PORT COUNT`, obeys the words `attach`, `count` and `detach` on
standard input, and answers each with one line of JSON.

One in PEERS_OF knocks where peers do, half of the others at each door of clients. By kind, of 20:
  5 silent      connected, and nothing more
  3 half-open   half a command
  5 slow        one byte per second
  3 boasting    announce 2^63 - 1 bytes or elements; who is cut for that comes back as the next kind
  3 announcing  announce as much as is allowed, and send 1 KiB of it
  1 unreading   ask for 1 MiB of answers and read none; peers are answered nothing, so half-open there

A peers' door ends whoever brings no frame: they come back at once as what they were.
"""

import collections
import json
import os
import resource
import select
import socket
import struct
import sys
import time

MAX = (1 << 63) - 1
VALUE_MAX = 1 << 20
FRAME_MAX = 66 << 20
PEERS_OF = 20  # fewer than a shard takes connections of peers (1024): those of the cluster come in, too
BIG_KEY_BYTES = 32 << 10  # what is stored under `big` in bucket `default`
TICKS_PER_S = 20
COMEBACKS_PER_TICK = 50
KINDS = ["silent"] * 5 + ["half"] * 3 + ["slow"] * 5 + ["boast"] * 3 + ["announce"] * 3 + ["unreading"]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # leaves no TIME_WAIT behind

_set = b"*3\r\n$3\r\nSET\r\n$7\r\nhostile\r\n"
_put = b"PUT /v1/kv/default/hostile HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_frame = struct.pack("<I", 1000)  # the size before a frame, then what is none
_answers = VALUE_MAX // BIG_KEY_BYTES
WORDS = {
    ("redis", "silent"): [b""],
    ("redis", "half"): [b"*3\r\n$3\r\nSET\r\n$7\r\nhos", b"SET hosti", b"*"],
    ("redis", "slow"): [_set + b"$100000\r\n" + b"x" * 1000],
    ("redis", "boast"): [_set + b"$%d\r\n" % MAX, b"*%d\r\n$3\r\nSET\r\n" % MAX,
                         b"*2\r\n$%d\r\nGET\r\n" % MAX],
    ("redis", "announce"): [_set + b"$%d\r\n" % VALUE_MAX + b"x" * 1024],
    ("redis", "unreading"): [b"GET big\r\n" * _answers],
    ("http", "silent"): [b""],
    ("http", "half"): [_put + b"Content-Le", b"GET /v1/kv/default/big HT", b"P"],
    ("http", "slow"): [_put + b"X-Slow: " + b"x" * 1000],
    ("http", "boast"): [_put + b"Content-Length: %d\r\n\r\nxxxx" % MAX,
                        _put + b"Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nxxxx"],
    ("http", "announce"): [_put + b"Content-Length: %d\r\n\r\n" % VALUE_MAX + b"x" * 1024],
    ("peers", "silent"): [b""],
    ("peers", "half"): [_frame + b"x" * 999, _frame + b"x", b"\x08"],
    ("peers", "slow"): [_frame + b"x" * 1000],
    ("peers", "boast"): [b"\xff\xff\xff\xff" + b"x" * 4, struct.pack("<I", FRAME_MAX + 1)],
    ("peers", "announce"): [struct.pack("<I", FRAME_MAX) + b"x" * 1024],
    ("peers", "unreading"): [_frame + b"x" * 500],
    ("http", "unreading"): [b"GET /v1/kv/default/big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * _answers],
}


class Attacker:
    def __init__(self, ports: dict[str, int], count: int):
        self.ports = ports
        self.count = count
        self.epoll = select.epoll()
        self.standing: dict[int, tuple[socket.socket, str, str]] = {}
        self.slow: list[collections.deque] = [collections.deque() for _ in range(TICKS_PER_S)]
        self.comebacks: collections.deque = collections.deque()
        self.facts = collections.Counter()

    def open(self, door: str, kind: str, number: int) -> None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        if kind == "unreading":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(120)
        sock.connect(("127.0.0.1", self.ports[door]))
        sock.setblocking(False)
        self.facts["opened"] += 1
        words = WORDS[door, kind]
        text = words[number % len(words)]
        self.standing[sock.fileno()] = (sock, door, kind)
        # Answers are never read: only the end of a connection is of interest.
        self.epoll.register(sock, select.EPOLLRDHUP)
        if kind == "slow":
            self.slow[number // len(KINDS) % TICKS_PER_S].append((sock, iter(text)))
        elif text:
            try:
                sock.send(text)
            except OSError:
                pass  # cut already; the event tells

    def attach(self) -> dict:
        began = time.monotonic()
        for number in range(self.count):
            if number < self.count // PEERS_OF:
                self.open("peers", KINDS[number % len(KINDS)], number)
            else:
                self.open("redis" if number % 2 else "http", KINDS[number // 2 % len(KINDS)], number // 2)
            if number % 200 == 0:
                self.notice(0)
        while self.notice(0) or self.comebacks:
            self.tick()
        return {"seconds": round(time.monotonic() - began, 2), **self.report()}

    def detach(self) -> dict:
        for sock, _, _ in self.standing.values():
            sock.close()
        self.standing.clear()
        self.comebacks.clear()
        for turn in self.slow:
            turn.clear()
        return self.report()

    def report(self) -> dict:
        kinds = collections.Counter(f"{door} {kind}" for _, door, kind in self.standing.values())
        return {"standing": len(self.standing), **self.facts, "kinds": dict(sorted(kinds.items()))}

    def notice(self, timeout_s: float) -> int:
        """Connections that the node has ended."""
        events = self.epoll.poll(timeout_s, 1000)
        for fd, _ in events:
            sock, door, kind = self.standing.pop(fd)
            sock.close()
            self.facts[f"cut {door} {kind}"] += 1
            if kind == "boast":
                self.comebacks.append((door, "announce"))
            elif door == "peers":
                self.comebacks.append((door, kind))
        return len(events)

    def tick(self) -> None:
        for _ in range(min(COMEBACKS_PER_TICK, len(self.comebacks))):
            self.open(*self.comebacks.popleft(), self.facts["opened"])

    def send_slowly(self, turn: int) -> None:
        for sock, text in self.slow[turn]:
            if sock.fileno() < 0:
                continue
            try:
                sock.send(bytes([next(text)]))
                self.facts["slow bytes"] += 1
            except (OSError, StopIteration):
                pass

    def run(self) -> None:
        commands = {"attach": self.attach, "detach": self.detach, "count": self.report}
        turn, due = 0, time.monotonic()
        while True:
            self.notice(0)
            self.tick()
            self.send_slowly(turn)
            turn = (turn + 1) % TICKS_PER_S
            due = max(due + 1 / TICKS_PER_S, time.monotonic())
            if select.select([sys.stdin], [], [], max(0, due - time.monotonic()))[0]:
                word = sys.stdin.readline()
                if not word:
                    return
                print(json.dumps(commands[word.strip()]()), flush=True)


def main() -> None:
    redis_port, http_port, peer_port, count = (int(word) for word in sys.argv[1:])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.nice(5)  # its own work is not what is measured
    Attacker({"redis": redis_port, "http": http_port, "peers": peer_port}, count).run()


if __name__ == "__main__":
    main()
