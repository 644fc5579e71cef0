#!/usr/bin/env python3
"""Three processes of the bare quorum, asked through all of them: a limit that loses or mixes values
would be no limit. Usage: cluster_test.py PATH-OF-LIMIT [unittest arguments]"""

import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compare"))

from comparison.errors import ComparisonError  # noqa: E402
from comparison.options import parse  # noqa: E402
from comparison.resp import Client  # noqa: E402
from comparison.systems import Limit  # noqa: E402

LIMIT = Path(sys.argv.pop(1)).resolve()
READS = ("fan1-digest", "fan1-full", "fan2-digest", "fan2-full")


class Cluster(unittest.TestCase):
    def start(self, *arguments: str) -> Limit:
        directory = tempfile.TemporaryDirectory(prefix="limit-test-")
        self.addCleanup(directory.cleanup)
        options = parse(["--limit-only", "--limit", str(LIMIT), *arguments])
        cluster = Limit(options, Path(directory.name))
        cluster.__enter__()
        self.addCleanup(cluster.stop)
        return cluster

    def clients(self, cluster: Limit) -> list[Client]:
        clients = [Client(port) for port in cluster.ports]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def test_what_one_node_takes_every_node_returns(self) -> None:
        for reads in READS:
            with self.subTest(reads=reads):
                clients = self.clients(self.start("--limit-get", reads))
                for number in range(300):
                    key, value = f"k{number}", random.randbytes(random.choice((0, 1, 99, 5000)))
                    self.assertEqual(clients[number % 3].call("SET", key, value), "OK")
                    for reader in clients:
                        self.assertEqual(reader.call("GET", key), value)
                self.assertIsNone(clients[0].call("GET", "never written"))

    def test_the_last_of_many_writes_through_changing_nodes_is_read_everywhere(self) -> None:
        cluster = self.start()
        clients = self.clients(cluster)
        for number in range(3000):
            value = str(number).encode()
            self.assertEqual(random.choice(clients).call("SET", "one key", value), "OK")
            self.assertEqual(random.choice(clients).call("GET", "one key"), value)

    def test_replies_of_a_pipeline_come_in_its_order(self) -> None:
        for durability in ([], ["--engine", "rocksdb"], ["--engine", "rocksdb", "--fsync"]):
            with self.subTest(durability=durability):
                client, other, _ = self.clients(self.start(*durability))
                value = b"v" * 3000
                for batch in range(20):
                    keys = [f"p{batch}-{i}" for i in range(100)]
                    commands: list[tuple[bytes | str, ...]] = []
                    expected: list[object] = []
                    for key in keys:
                        commands += [("SET", key, key), ("GET", key), ("PING",), ("GET", "no"),
                                     ("SET", "big", value), ("NOPE",)]
                        expected += ["OK", key.encode(), "PONG", None, "OK", "error"]
                    client.send(*commands)
                    self.assertEqual([reply(client) for _ in commands], expected)
                    self.assertEqual(other.call("GET", keys[-1]), keys[-1].encode())

    def test_all_durabilities_acknowledge_and_write(self) -> None:
        for arguments, calls in (([], False), (["--engine", "rocksdb"], True),
                                 (["--engine", "rocksdb", "--fsync"], True)):
            with self.subTest(arguments=arguments):
                cluster = self.start(*arguments)
                clients = self.clients(cluster)
                for number in range(200):
                    self.assertEqual(clients[number % 3].call("SET", f"d{number}", b"x"), "OK")
                    self.assertEqual(clients[(number + 1) % 3].call("GET", f"d{number}"), b"x")
                for node in range(3):
                    self.assertEqual(cluster.stats(node)["log_calls"] > 0, calls)

    def test_many_clients_on_all_nodes_read_their_own_writes(self) -> None:
        cluster = self.start()
        errors: list[BaseException] = []

        def work(name: int) -> None:
            try:
                chooser = random.Random(name)
                with Client(cluster.ports[name % 3]) as writer, \
                        Client(cluster.ports[(name + 1) % 3]) as reader:
                    for step in range(400):
                        key, value = f"c{name}-{chooser.randrange(20)}", b"%d" % step * 50
                        assert writer.call("SET", key, value) == "OK"
                        assert reader.call("GET", key) == value, (name, step)
            except BaseException as error:  # noqa: BLE001  (reported by the test below)
                errors.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])

    def test_clients_that_leave_with_requests_in_flight_harm_nobody(self) -> None:
        cluster = self.start()
        for _ in range(100):
            leaver = Client(random.choice(cluster.ports))
            leaver.send(*[("SET", f"l{i}", b"x" * 2000) for i in range(50)],
                        *[("GET", f"l{i}") for i in range(50)])
            leaver.close()
        for client in self.clients(cluster):
            self.assertEqual(client.call("SET", "still", b"here"), "OK")
            self.assertEqual(client.call("GET", "still"), b"here")

    def test_what_is_no_command_is_refused_and_the_node_stays(self) -> None:
        cluster = self.start()
        client, *_ = self.clients(cluster)
        client._socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with self.assertRaisesRegex(ComparisonError, "Protocol error"):
            client.receive()
        with Client(cluster.ports[0]) as again:
            self.assertEqual(again.call("PING"), "PONG")

    def test_stats_count_requests_and_steady_state_allocates_nothing(self) -> None:
        cluster = self.start()
        client, *_ = self.clients(cluster)
        value = b"v" * 1024

        def turn_over() -> None:
            for key in range(50):
                client.call("SET", f"s{key}", value)
                client.call("GET", f"s{key}")

        turn_over()
        before, allocations = cluster.stats(0), cluster.allocations()
        for _ in range(20):
            turn_over()
        after = cluster.stats(0)
        self.assertEqual(after["sets"] - before["sets"], 1000)
        self.assertEqual(after["gets"] - before["gets"], 1000)
        self.assertGreaterEqual(after["syscalls"] - before["syscalls"], 2000)
        self.assertGreater(after["user_us"] + after["system_us"],
                           before["user_us"] + before["system_us"])
        assert allocations is not None
        # What is left is the text of STATS itself, on each node.
        self.assertLess(cluster.allocations() - allocations, 200)
        self.assertGreater(allocations, 100)

    def test_redis_cli_reads_through_another_node_what_it_wrote(self) -> None:
        self.assertIsNotNone(shutil.which("redis-cli"), "redis-tools is not installed")
        cluster = self.start()

        def cli(node: int, *words: str) -> str:
            return subprocess.run(["redis-cli", "-p", str(cluster.ports[node]), *words],
                                  capture_output=True, text=True, check=True).stdout

        self.assertEqual(cli(0, "SET", "from cli", "a value"), "OK\n")
        self.assertEqual(cli(1, "GET", "from cli"), "a value\n")
        self.assertEqual(cli(2, "GET", "from cli"), "a value\n")

    def test_a_node_whose_peer_has_gone_says_so_and_ends(self) -> None:
        cluster = self.start()
        processes = cluster._processes
        processes[2].ask_to_stop()
        processes[2].stop()
        processes[0]._child.wait(10)
        self.assertEqual(processes[0]._child.returncode, 1)
        self.assertIn("a peer has gone", processes[0].output())

    def test_a_wrong_command_line_is_refused_with_code_2(self) -> None:
        for words in ([], ["--node", "7"], ["--fast"]):
            done = subprocess.run([str(LIMIT), *words], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith("limit: "), done.stderr)

    def test_a_port_in_use_is_named(self) -> None:
        cluster = self.start()
        options = cluster._options
        with tempfile.TemporaryDirectory() as directory:
            second = Limit(options, Path(directory))
            second.ports[0] = cluster.ports[0]
            with self.assertRaisesRegex(ComparisonError, "Address already in use"):
                with second:
                    pass


def reply(client: Client) -> object:
    try:
        return client.receive()
    except ComparisonError as error:
        return "error" if "error reply" in str(error) else error


if __name__ == "__main__":
    unittest.main()
