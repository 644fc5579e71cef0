"""A Redis client for tests: one connection, one command at a time, errors as exceptions."""

import socket


class ReplyError(Exception):
    """The server answered with an error."""


class Client:
    def __init__(self, port: int, timeout_s: float = 60.0):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self._socket.makefile("rb")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._input.close()
        self._socket.close()

    def call(self, *words: str | bytes):
        self.send(*words)
        return self.receive()

    def send(self, *words: str | bytes) -> None:
        self.send_together(words)

    def send_together(self, *commands) -> None:
        """In one piece, so that who answers the first has the others, too."""
        text = b""
        for words in commands:
            parts = [word.encode() if isinstance(word, str) else word for word in words]
            text += b"*%d\r\n" % len(parts)
            for part in parts:
                text += b"$%d\r\n%s\r\n" % (len(part), part)
        self._socket.sendall(text)

    def receive(self):
        """ConnectionError when the server is gone."""
        line = self._input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed by the server")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise ReplyError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._take(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self.receive() for _ in range(int(rest))]
        raise ConnectionError(f"no Redis protocol: {line!r}")

    def _take(self, size: int) -> bytes:
        data = self._input.read(size + 2)
        if len(data) != size + 2:
            raise ConnectionError("closed by the server")
        return data[:-2]
