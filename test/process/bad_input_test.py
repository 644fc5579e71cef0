"""Wrong command lines, foreign directories, damaged files: each gets one clear line that says what to
do, exit code 2 (or 1), and damages nothing. A full disk: full_disk_test.py."""

import hashlib
import shutil
import signal
import socket
import tempfile
import unittest
from pathlib import Path

from nodes import Node, run
from resp import Client, ReplyError

# An identity of format 2 with its checksum (docs/format/data-directory.md).
LATER_IDENTITY = bytes.fromhex(
    "737461746f722064617461206469726563746f72790a020000006f662061206c6174657220766572"
    "73696f6e1b2d369d4af6ea67")
# A membership history of format 2 behind its checksum (docs/format/history.md).
LATER_HISTORY = bytes.fromhex("467334a787a0dd94026f662061206c617465722076657273696f6e")


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file's content. What a lock file says of its last holder is for people only."""
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.rglob("*")) if file.is_file() and file.name != "LOCK"}


class Fixture(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="stator-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.node = Node("a", self.folder)
        self.node.options = self.founding()
        self.addCleanup(self.node.kill)

    def founding(self, cluster: str = "shop", founders: str | None = None) -> list[str]:
        return ["--shards", "1", "--cluster-id", cluster, "--replicas", "1", "--found",
                founders or f"a=127.0.0.1:{self.node.peer_port}"]

    PUT_RIGHT = "the same again, with that put right"

    def refused(self, *arguments: str, says: str, remedy: str, code: int = 2, following: str = "") -> str:
        """One line that `says` what is wrong, and one with the command that follows; one of them has the remedy."""
        ended = run(*arguments)
        self.assertEqual(ended.returncode, code, ended.stderr)
        self.assertEqual(ended.stdout, "")
        lines = [line for line in ended.stderr.splitlines() if line.startswith(("stator: ", "next: "))]
        self.assertEqual(len(lines), 2, ended.stderr)
        next_ = (following,) if following else ("stator ", self.PUT_RIGHT)
        self.assertTrue(lines[0].startswith("stator: ") and lines[1].startswith("next: "), lines)
        self.assertTrue(lines[1].removeprefix("next: ").startswith(next_), lines)
        self.assertIn(says, lines[0])
        self.assertIn(remedy, "\n".join(lines))
        return lines[0]

    def refused_serve(self, *options: str, **expected) -> str:
        """The node's own command, with `options` instead of those that found its cluster."""
        self.node.options = list(options)
        return self.refused(*self.node.command()[1:], **expected)

    def run_once(self, key: str = "k", value: str = "v") -> None:
        """Starts the node, writes, stops it in order."""
        self.node.start()
        with Client(self.node.redis_port) as client:
            self.assertEqual(client.call("SET", key, value), "OK")
        self.node.signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(), 0)


class CommandLines(Fixture):
    def test_unknown_commands_and_flags_name_the_nearest(self):
        self.refused("sttatus", says="did you mean 'status'?", remedy="next: stator --help")
        self.refused("serve", "--redis-lsten", "x", says="did you mean '--redis-listen'?",
                     remedy="next: stator serve --help")
        self.refused("get", "a", "b", "--noed", "x", says="did you mean '--node'?", remedy="next: stator get --help")
        self.refused("put", "bucket", says="KEY is required", remedy="next: stator put --help")
        self.refused("explain", "a", "b", "c", says="no argument 'c'", remedy="next: stator explain --help")

    def test_wrong_addresses(self):
        for option, address in (("--redis-listen", "7379"), ("--http-listen", "[::1"), ("--peer-listen", "h:99999")):
            self.refused("serve", option, address, says=f"{option}: '{address}' is no address",
                         remedy="write host:port or [ipv6]:port")
        for option in ("--redis-listen", "--http-listen", "--peer-listen"):
            for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:7379"):
                self.refused("serve", option, address, says=f"{option} {address} can be reached from other machines",
                             remedy="Give --insecure if the network is trusted")

    def test_a_name_that_nobody_knows_is_not_called_reachable(self):
        for option in ("--redis-listen", "--http-listen", "--peer-listen"):
            address = f"{'x' * 64}.invalid:7379"  # as below: no name server is asked
            self.refused("serve", option, address, says=f"{option} {address} cannot be resolved (",
                         remedy="give an address of this machine")

    def test_addresses_that_are_not_of_this_machine(self):
        # A label of more than 63 letters: no name server is asked, nor can one make it up.
        for address in ("192.0.2.1:7379", f"{'x' * 64}.invalid:7379"):
            self.refused_serve(*self.founding(), "--insecure", "--http-listen", address,
                               says=f"--http-listen {address}: ", remedy="Give an address of this machine", code=1)

    def test_the_defaults_are_loopback(self):
        shown = run("config", "show", "-o", "json").stdout
        for key, address in (("redis_listen", "127.0.0.1:7379"), ("http_listen", "127.0.0.1:7380"),
                             ("peer_listen", "127.0.0.1:7381"), ("insecure", "false")):
            self.assertIn(f'{{"key":"{key}","value":"{address}","source":"default"', shown)

    def test_insecure_may_listen_everywhere(self):
        self.node.options = [*self.founding(), "--insecure", "--redis-listen",
                             f"0.0.0.0:{self.node.redis_port}"]
        self.run_once()

    def test_founding_that_cannot_be(self):
        port = self.node.peer_port
        self.refused_serve("--found", f"a=127.0.0.1:{port}", says="--found needs --cluster-id",
                           remedy="--cluster-id ID")
        for flag, value in (("--cluster-id", "x"), ("--replicas", "1"), ("--partitions", "1024"),
                            ("--read-quorum", "1"), ("--write-quorum", "1")):
            self.refused_serve(flag, value, says=f"{flag} goes with --found", remedy="next: stator serve --help")
        self.refused_serve(*self.founding(founders="b=127.0.0.1:1"), says="does not name this node",
                           remedy="add it there, or give the right --name")
        self.refused_serve(*self.founding(founders=f"a=127.0.0.1:{port - 1}"),
                           says="--found says that peers reach 'a' at",
                           remedy=f"give --peer-listen 127.0.0.1:{port - 1}, or --peer-announce")
        self.refused_serve(*self.founding(), "--partitions", "1000", says="a power of two", remedy="from 16 to 16384")
        self.refused_serve(*self.founding(), "--replicas", "8", says="--replicas: '8'", remedy="1 to 7")
        self.refused_serve(*self.founding(), "--write-quorum", "2", says="--write-quorum: '2'", remedy="1 to 1")
        self.assertFalse(self.node.data.exists())

    def test_files_of_settings_name_line_and_nearest_key(self):
        file = self.folder / "stator.toml"
        for text, says, remedy in (
                ("zone = 'x'\nengin = 'rocksdb'\n", ":2: there is no setting 'engin'", "did you mean 'engine'?"),
                ("engine = 'sqlite'\n", ":1: engine: 'sqlite' is none of: ", "rocksdb"),
                ("weight = -1\n", ":1: weight: '-1' is out of range", "0.001 to 1000"),
                ("weight = \n", ":1: ", "next: stator ")):
            file.write_text(text)
            self.refused("serve", "--config", str(file), says=f"{file}{says}", remedy=remedy)
            self.refused("config", "check", str(file), says=f"{file}{says}", remedy=remedy)
        self.refused("serve", "--config", str(self.folder / "none"), says="cannot read ",
                     remedy="next: stator serve --help")
        self.refused("config", "check", str(self.folder), says="Is a directory", remedy="next: stator config show")
        for text, says in (("redis_listen = '0.0.0.0:7530'\n", "--redis-listen 0.0.0.0:7530 can be reached"),
                           ("request_timeout = '30s'\nrequest_timeout_max = '10s'\n",
                            "--request-timeout 30s is longer"),
                           ("disk_low = '1MiB'\n", "--disk-refuse 192MiB is more than --disk-low 1MiB")):
            file.write_text(text)
            self.refused("serve", "--config", str(file), says=says, remedy="next: stator serve --help")
            self.refused("config", "check", str(file), says=f"{file}: {says}", remedy="next: stator config show")
        file.write_text("request_timeout = '1s'\n")
        self.assertEqual(run("config", "check", str(file)).returncode, 0)


class Ports(Fixture):
    def test_a_port_in_use_is_named(self):
        for option, port in (("--redis-listen", self.node.redis_port),
                             ("--http-listen", self.node.http_port),
                             ("--peer-listen", self.node.peer_port)):
            with self.subTest(option), socket.socket() as taken:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken.bind(("127.0.0.1", port))
                taken.listen()
                self.refused_serve(*self.founding(), says=f"{option} 127.0.0.1:{port}: ",
                                   remedy="Stop the program that has it, or give another address",
                                   following=self.PUT_RIGHT)
                # Nor was a cluster founded, which the next try may name differently.
                self.assertFalse(self.node.data.exists())
        with self.subTest("one port for two doors"):
            self.refused_serve(*self.founding(), "--http-listen", f"127.0.0.1:{self.node.redis_port}",
                               says=f"--http-listen 127.0.0.1:{self.node.redis_port}: ",
                               remedy="Stop the program that has it, or give another address")
            self.assertFalse(self.node.data.exists())
        # Nothing is left that would keep it from starting.
        self.node.options = self.founding()
        self.run_once()


class Directories(Fixture):
    def setUp(self):
        super().setUp()
        self.run_once()
        self.before = fingerprint(self.node.data)

    def tearDown(self):
        """Nothing was damaged: the files are the same, and the node serves them."""
        self.assertEqual(fingerprint(self.node.data), self.before)
        self.node.options = []
        self.node.start()
        with Client(self.node.redis_port) as client:
            self.assertEqual(client.call("GET", "k"), b"v")

    def test_of_another_cluster(self):
        self.refused_serve(*self.founding(cluster="other"), says="belongs to cluster 'shop'",
                           remedy="give another --data-dir, or the right --cluster-id")

    def test_of_another_founding(self):
        more = f"a=127.0.0.1:{self.node.peer_port},b=127.0.0.1:1"
        self.refused_serve(*self.founding(founders=more), says="founded with other members",
                           remedy="start without --found to serve what it holds")

    def test_of_another_node(self):
        self.node.name = "b"
        self.refused_serve(says="belongs to node 'a', not to 'b'", remedy="give another --data-dir, or --name a")
        self.node.name = "a"

    def test_of_another_engine(self):
        self.refused_serve("--engine", "memory", says="was made with engine 'rocksdb'",
                           remedy="start with --engine rocksdb, or give an empty --data-dir")

    def refused_with_later(self, name: str, later: bytes, says: str) -> None:
        copies = [self.node.data / name, self.node.data / f"{name}.copy"]
        right = [copy.read_bytes() for copy in copies]
        for copy in copies:
            copy.write_bytes(later)
        line = self.refused_serve(says=says, remedy="start the version of stator that wrote it",
                                  following="stator version")
        self.assertNotIn("damaged", line)
        self.assertEqual([copy.read_bytes() for copy in copies], [later, later])
        for copy, content in zip(copies, right):
            copy.write_bytes(content)

    def test_of_another_version(self):
        self.refused_with_later("identity", LATER_IDENTITY, "it has format 2, and this program reads format 1")

    def test_with_a_membership_history_of_another_version(self):
        self.refused_with_later("history", LATER_HISTORY, "membership history of format 2; this build reads format 1")

    def test_in_use_by_a_second_process(self):
        self.node.options = self.founding()
        self.node.start()
        second = Node("a", self.folder)
        self.refused(*second.command()[1:], says=f"in use by process {self.node.pid}",
                     remedy="stop it, or give another --data-dir", following=self.PUT_RIGHT)
        with Client(self.node.redis_port) as client:
            self.assertEqual(client.call("GET", "k"), b"v")
        self.node.signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(), 0)
        self.before = fingerprint(self.node.data)  # it ran: its engine's files moved on


class ForeignDirectories(Fixture):
    def test_a_folder_of_something_else_is_left_alone(self):
        self.node.data.mkdir()
        (self.node.data / "thesis.tex").write_text("all of it")
        self.refused_serve(*self.founding(), says="is no data directory of stator",
                           remedy="give an empty or a new --data-dir")
        self.assertEqual(fingerprint(self.node.data),
                         {"thesis.tex": hashlib.sha256(b"all of it").hexdigest()})
        self.assertFalse((self.node.data / "LOCK").exists())

    def test_a_place_where_none_can_be_made(self):
        (self.folder / "file").write_text("x")
        self.node.data = self.folder / "file" / "data"
        remedy = "give another --data-dir, one that this user may write"
        self.refused_serve(*self.founding(), says="cannot make the data directory", remedy=remedy, code=1)
        self.node.data = self.folder / "file"
        self.refused_serve(*self.founding(), says="file is there, and is no directory", remedy=remedy, code=1)
        self.node.data = Path("/proc/stator")
        self.refused_serve(*self.founding(), says="cannot make the data directory", remedy=remedy, code=1)

    def test_a_node_without_data_and_founders_takes_no_data(self):
        self.node.options = ["--shards", "1"]
        self.node.start(wait_for="waiting: this node belongs to no cluster yet")
        self.assertEqual(self.node.http("GET", "/healthz")[0], 200)
        self.assertEqual(self.node.http("GET", "/readyz")[0], 503)
        self.assertFalse(self.node.json("/v1/status")["node"]["member"])
        self.assertEqual(self.node.http("PUT", "/v1/kv/b/k", b"v")[0], 503)
        self.assertEqual(self.node.http("GET", "/v1/kv/b/k")[0], 503)
        with Client(self.node.redis_port) as client:
            self.assertEqual(client.call("PING"), "PONG")
            with self.assertRaises(ReplyError):
                client.call("SET", "k", "v")
        at = f"127.0.0.1:{self.node.http_port}"
        self.assertIn("no member of a cluster", run("status", "--node", at).stdout)
        self.assertEqual(run("put", "b", "k", "v", "--node", at).returncode, 1)
        # It can still become a founder.
        self.node.signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(), 0)
        self.node.options = self.founding()
        self.run_once()


class TooFewFounders(Fixture):
    def test_a_cluster_that_can_reach_no_quorum_is_not_called_ready(self):
        self.node.options = ["--shards", "1", "--cluster-id", "shop", "--found",
                             f"a=127.0.0.1:{self.node.peer_port}"]
        waiting = "waiting: the quorums of this cluster need 1 more member than it was founded with"
        self.node.start(wait_for=waiting)
        self.assertEqual(self.node.http("GET", "/readyz")[0], 503)
        # A later start has no --found that could be too short.
        self.node.signal(signal.SIGTERM)
        self.assertEqual(self.node.wait(), 0)
        self.node.options = ["--shards", "1"]
        self.node.start(wait_for=waiting)


class Damage(Fixture):
    """Flipped, cut and missing files."""

    def setUp(self):
        super().setUp()
        for k in range(3):
            self.run_once(f"k{k}", f"v{k}")

    def files(self, pattern: str) -> list[Path]:
        return [file for file in self.node.data.rglob(pattern) if file.stat().st_size > 0]

    def flip(self, file: Path) -> None:
        text = bytearray(file.read_bytes())
        text[len(text) // 2] ^= 0xFF
        file.write_bytes(text)

    def test_one_copy_of_identity_and_history_is_enough(self):
        for name in ("identity", "history.copy"):
            self.flip(self.node.data / name)
        self.node.options = []
        self.node.start()
        with Client(self.node.redis_port) as client:
            self.assertEqual(client.call("GET", "k2"), b"v2")

    def test_either_copy_of_the_identity_names_the_node_and_the_log_tells_of_the_other(self):  # D24
        self.node.options = []
        unnamed = [word for word in self.node.command() if word not in ("--name", self.node.name)]
        self.node.command = lambda: unnamed
        for times, name in enumerate(("identity", "identity.copy"), 1):
            with self.subTest(name):
                right = (self.node.data / name).read_bytes()
                (self.node.data / name).unlink()
                self.run_once()
                self.assertEqual(self.node.log.read_text().count("one copy of the identity in "), times)
                self.assertEqual((self.node.data / name).read_bytes(), right)

    def test_both_copies_damaged_are_named(self):
        for name in ("identity", "history"):
            with self.subTest(name):
                kept = {file: file.read_bytes() for file in self.files(f"{name}*")}
                self.assertEqual(len(kept), 2)
                for file in kept:
                    self.flip(file)
                damaged = fingerprint(self.node.data)
                self.refused_serve(says=f"/{name}", remedy="from a backup, or start ", code=1,
                                   following=self.PUT_RIGHT)
                self.assertEqual(fingerprint(self.node.data), damaged)
                for file, content in kept.items():
                    file.write_bytes(content)
        self.node.options = []
        self.run_once()

    def test_an_engine_that_cannot_be_recovered_is_named(self):
        for pattern in ("CURRENT", "MANIFEST-*"):
            with self.subTest(pattern):
                file, = self.files(pattern)
                right = file.read_bytes()
                file.write_bytes(right[: len(right) // 2])
                self.refused_serve(says=str(self.node.data), remedy="let this node be replaced", code=1)
                file.write_bytes(right)
        self.node.options = []
        self.run_once()

    def killed_with_a_log(self, *options: str) -> Path:
        """The log of a node that was killed with k0 .. k49 in it."""
        self.node.options = list(options)
        self.node.start()
        with Client(self.node.redis_port) as client:
            for k in range(50):
                self.assertEqual(client.call("SET", f"k{k}", f"v{k}" * 20), "OK")
        self.node.kill()
        log, = self.files("*.log")
        return log

    def test_a_damaged_log_of_acknowledged_writes_is_named(self):  # D30, I16
        log = self.killed_with_a_log()
        right = log.read_bytes()
        half = len(right) // 2
        for wrong in (right[:half] + bytes([right[half] ^ 1]) + right[half + 1:],
                      right[:-1] + bytes([right[-1] ^ 1]), right[:half], right[:-1]):
            log.write_bytes(wrong)
            damaged = fingerprint(self.node.data)
            self.refused_serve(says=str(log), remedy="docs/ops/damaged-log.md", code=1)
            self.assertEqual(fingerprint(self.node.data), damaged)
        log.write_bytes(right)
        self.node.options = []
        self.node.start()
        with Client(self.node.redis_port) as client:
            for k in range(50):
                self.assertEqual(client.call("GET", f"k{k}"), f"v{k}".encode() * 20)

    def test_a_torn_tail_that_was_promised_to_nobody_stops_no_start(self):  # I16
        log = self.killed_with_a_log("--durability", "none")
        right = log.read_bytes()
        log.write_bytes(right[: len(right) // 2])
        self.node.options = []
        self.node.start()
        with Client(self.node.redis_port) as client:
            found = [client.call("GET", f"k{k}") for k in range(50)]
        self.assertEqual(found[0], b"v0" * 20)
        self.assertNotEqual(found[-1], b"v49" * 20)

    def test_a_flipped_table_is_never_read_as_nothing(self):
        # What is in a table of the engine and cannot be read is an error, not "no such key".
        tables = self.files("*.sst")
        self.assertTrue(tables)
        for table in tables:
            text = bytearray(table.read_bytes())
            for at in range(8, min(120, len(text) // 2)):
                text[at] ^= 0x5A
            table.write_bytes(text)
        ended = None
        self.node.options = []
        try:
            self.node.start()
        except AssertionError:
            ended = self.node.wait()
        if ended is None:
            with Client(self.node.redis_port) as client:
                for k in range(3):
                    try:
                        self.assertEqual(client.call("GET", f"k{k}"), f"v{k}".encode())
                    except ReplyError as error:
                        self.assertTrue(str(error).startswith("UNREADABLE "), error)
        else:
            self.assertEqual(ended, 1, self.node.log.read_text())


if __name__ == "__main__":
    unittest.main()
