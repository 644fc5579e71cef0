"""Clients that shut their sending side down when they have said all (`printf ... | nc`) get every
answer, and then the end of the connection. Those that vanish leave nothing behind."""

import socket
import struct
import sys
import unittest

from nodes import Cluster, PATIENCE_S, wait_until

BATCH = 200


def say_all(port: int, said: bytes) -> bytes:
    """Sends, ends the sending side, and reads until the server ends its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := client.recv(1 << 16):
            heard += piece
        return heard


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class HalfClosed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)
        cls.node = cls.cluster.nodes[0]

    def await_clients(self, count: int) -> None:
        """This one asks over HTTP, and counts."""
        line = f"stator_clients_connected {count}"
        wait_until(lambda: line in self.node.http("GET", "/metrics")[2].decode().splitlines())

    def test_inline_commands(self):
        self.assertEqual(say_all(self.node.redis_port, b"SET a 1\r\nGET a\r\n"),
                         b"+OK\r\n$1\r\n1\r\n")

    def test_a_pipelined_batch(self):
        said, expected = b"", b""
        for k in range(BATCH):
            value = b"v%d" % k
            said += b"SET batch:%d %s\r\nGET batch:%d\r\n" % (k, value, k)
            expected += b"+OK\r\n$%d\r\n%s\r\n" % (len(value), value)
        self.assertEqual(say_all(self.node.redis_port, said), expected)

    def test_answers_that_do_not_fit_a_socket(self):
        value = b"x" * (1 << 20)
        said = b"*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$%d\r\n%s\r\n" % (len(value), value)
        answer = b"$%d\r\n%s\r\n" % (len(value), value)
        heard = say_all(self.node.redis_port, said + b"GET large\r\n" * 20)
        self.assertTrue(heard == b"+OK\r\n" + answer * 20, (len(heard), heard[:40]))

    def test_a_command_that_never_becomes_whole_is_dropped(self):
        self.assertEqual(say_all(self.node.redis_port, b"SET whole 1\r\nSET whole"), b"+OK\r\n")
        self.assertEqual(say_all(self.node.redis_port, b"GET whole\r\n"), b"$1\r\n1\r\n")

    def test_nothing_under_way_ends_at_once(self):
        for port in (self.node.redis_port, self.node.http_port):
            self.assertEqual(say_all(port, b""), b"")

    def test_one_http_request(self):
        heard = say_all(self.node.http_port,
                        b"PUT /v1/kv/b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nv1")
        self.assertTrue(heard.startswith(b"HTTP/1.1 204 "), heard)
        self.assertIn(b"\r\nConnection: close\r\n", heard)

    def test_pipelined_http_requests(self):
        said = b""
        for k in range(BATCH):
            said += (b"PUT /v1/kv/b/%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
                     b"<%03d>GET /v1/kv/b/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % (k, k, k))
        heard = say_all(self.node.http_port, said)
        for status in (b"200 OK", b"204 No Content"):
            self.assertEqual(heard.count(b"HTTP/1.1 %s\r\n" % status), BATCH, heard[-500:])
        places = [heard.find(b"<%03d>" % k) for k in range(BATCH)]
        self.assertEqual(places, sorted(places))
        self.assertGreater(places[0], 0)

    def test_clients_that_vanish_are_forgotten(self):
        self.await_clients(1)
        command = b"SET gone %s\r\n" % (b"x" * 1000)
        clients = []
        for k in range(60):
            client = socket.create_connection(("127.0.0.1", self.node.redis_port))
            client.sendall(command * 50 + b"SET incomplete")
            if k % 3 == 0:
                client.shutdown(socket.SHUT_WR)
            clients.append(client)
        for k, client in enumerate(clients):
            if k % 2 == 0:
                reset(client)
            else:
                client.close()
        self.await_clients(1)


if __name__ == "__main__":
    sys.exit(unittest.main())
