"""As much of a Redis client as the checks and STATS need: one command, one reply."""

import socket

from comparison.errors import ComparisonError


class Client:
    def __init__(self, port: int, timeout_s: float = 10.0):
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        except OSError as error:
            raise ComparisonError(f"cannot reach 127.0.0.1:{port}: {error}") from error
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def send(self, *commands: tuple[bytes | str, ...]) -> None:
        """All of them in one write, without waiting for replies."""
        self._socket.sendall(b"".join(_encode(command) for command in commands))

    def receive(self) -> object:
        """str for a status, bytes or None for a value, int, list; an error reply is raised."""
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise ComparisonError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise ComparisonError(f"error reply: {rest.decode()}")
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.receive() for _ in range(int(rest))]
        raise ComparisonError(f"not a reply: {line!r}")

    def call(self, *command: bytes | str) -> object:
        self.send(command)
        return self.receive()


def _encode(command: tuple[bytes | str, ...]) -> bytes:
    parts = [part.encode() if isinstance(part, str) else part for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
