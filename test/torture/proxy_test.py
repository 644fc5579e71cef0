"""The proxy between nodes: whose bytes go where, and what each order does to them."""

import os
import socket
import threading
import time
import unittest

from torture import Proxy, claim_any, wait_until


class Echo:
    """A program that answers what it hears, and keeps it."""

    def __init__(self, port: int):
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", port))
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(65536):
                self.heard += data
                connection.sendall(data)
        except OSError:
            pass

    def stop(self) -> None:
        for end in (self._listener, *self._connections):
            end.close()


class Between(unittest.TestCase):
    def setUp(self):
        door, other_door, target, other = claim_any(4)
        self.echo = Echo(target)
        self.addCleanup(self.echo.stop)
        self.proxy = Proxy({"b": (door, target), "a": (other_door, other)})
        self.addCleanup(self.proxy.stop)
        self.proxy.do("pid", "a", os.getpid())
        self.door, self.other = door, other

    def dial(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.door), 10)
        self.addCleanup(connection.close)
        return connection

    def hear(self, connection: socket.socket, size: int) -> bytes:
        heard = b""
        while len(heard) < size:
            part = connection.recv(size - len(heard))
            if not part:
                break
            heard += part
        return heard

    def silent(self, connection: socket.socket, seconds: float = 0.3) -> None:
        connection.settimeout(seconds)
        with self.assertRaises(TimeoutError):
            connection.recv(1)
        connection.settimeout(10)

    def test_bytes_arrive_as_they_were_and_are_counted_to_who_sent_them(self):
        connection = self.dial()
        data = os.urandom(3_000_000)
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        self.assertEqual(self.hear(connection, len(data)), data)
        sender.join()
        counts = self.proxy.counts()
        self.assertEqual(counts[("a", "b")], (1, len(data), 0))
        self.assertEqual(counts[("b", "a")][1], len(data))

    def test_a_connection_that_came_before_its_process_was_named_is_found_afterwards(self):
        self.proxy.do("pid", "a", 1)
        connection = self.dial()
        connection.sendall(b"x")
        self.assertEqual(self.hear(connection, 1), b"x")
        self.proxy.do("pid", "a", os.getpid())
        self.proxy.do("cut", "a", "b")
        connection.sendall(b"y")
        self.silent(connection)

    def test_a_cut_holds_one_direction_and_the_mend_brings_all_of_it(self):
        connection = self.dial()
        connection.sendall(b"1")
        self.assertEqual(self.hear(connection, 1), b"1")
        self.proxy.do("cut", "a", "b")
        connection.sendall(b"2")
        self.silent(connection)
        self.assertEqual(self.echo.heard, b"1")
        self.assertEqual(self.proxy.counts()[("a", "b")], (1, 1, 1))
        self.proxy.do("mend", "a", "b")
        self.assertEqual(self.hear(connection, 1), b"2")
        self.proxy.do("cut", "b", "a")
        connection.sendall(b"3")
        self.silent(connection)
        wait_until(lambda: self.echo.heard == b"123")
        self.proxy.do("mend", "*", "*")
        self.assertEqual(self.hear(connection, 1), b"3")

    def test_a_new_connection_through_a_cut_stands_and_is_silent(self):
        self.proxy.do("cut", "a", "*")
        connection = self.dial()
        connection.sendall(b"1")
        self.silent(connection)
        self.proxy.do("mend", "a", "*")
        self.assertEqual(self.hear(connection, 1), b"1")

    def test_a_delay_makes_late_and_a_rate_makes_thin(self):
        connection = self.dial()
        self.proxy.do("delay", "a", "b", 200)
        begin = time.monotonic()
        connection.sendall(b"1")
        self.hear(connection, 1)
        self.assertGreaterEqual(time.monotonic() - begin, 0.2)
        self.proxy.do("delay", "a", "b", 0)
        self.proxy.do("rate", "a", "b", 100_000)
        begin = time.monotonic()
        connection.sendall(bytes(50_000))
        self.hear(connection, 50_000)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.assertGreater(self.proxy.counts()[("a", "b")][2], 40_000)

    def test_a_reset_ends_what_there_is_and_lets_dial_again(self):
        connection = self.dial()
        connection.sendall(b"1")
        self.hear(connection, 1)
        self.proxy.do("reset", "a", "b")
        try:
            self.assertEqual(connection.recv(1), b"")
        except ConnectionResetError:
            pass
        connection = self.dial()
        connection.sendall(b"2")
        self.assertEqual(self.hear(connection, 1), b"2")

    def test_an_address_leads_elsewhere_for_who_dials_from_then_on(self):
        elsewhere = Echo(self.other)
        self.addCleanup(elsewhere.stop)
        connection = self.dial()
        connection.sendall(b"1")
        self.hear(connection, 1)
        self.proxy.do("target", "b", self.other)
        later = self.dial()
        later.sendall(b"2")
        self.assertEqual(self.hear(later, 1), b"2")
        connection.sendall(b"3")
        self.assertEqual(self.hear(connection, 1), b"3")
        self.assertEqual((self.echo.heard, elsewhere.heard), (b"13", b"2"))

    def test_what_is_no_order_is_said_to_be_none(self):
        for line in ("", "cut a", "delay a b", "delay a b x", "rate a b -1", "pid a x", "mend a b c", "target b",
                     "target b x", "target b 0", "target b 65536", "target c 1"):
            self.assertNotEqual(self.proxy.orders.ask(line), "ok", line)


if __name__ == "__main__":
    unittest.main()
