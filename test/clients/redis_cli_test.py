"""redis-cli in each of its ways: alone, in cluster mode, RESP2 and RESP3, through different nodes."""

import functools
import json
import time
import unittest

from support import ThreeNodes, tool, wait_until

MODES = {"RESP2": [], "RESP2 cluster": ["-c"], "RESP3": ["-3"], "RESP3 cluster": ["-3", "-c"]}


def in_each_mode(test):
    """The test is called with a key of its own and with redis-cli of that mode."""
    @functools.wraps(test)
    def run(self):
        for number, (mode, flags) in enumerate(MODES.items()):
            with self.subTest(mode):
                test(self, f"{test.__name__}-{number}",
                     lambda node, *words: self.redis_cli(node, *flags, *words))
    return run


class RedisCli(ThreeNodes):
    @in_each_mode
    def test_what_one_writes_others_read_through_other_nodes(self, key, cli):
        for writer in range(3):
            value = f"{key} by n{writer + 1}".encode()
            self.assertEqual(cli(writer, "SET", key, value), b"OK")
            for reader in range(3):
                self.assertEqual(cli(reader, "GET", key), value)
                self.assertEqual(self.http_value(reader, key), value)
        self.assertEqual(self.curl(0, "DELETE", f"/v1/kv/default/{key}").status, 204)
        self.assertEqual(cli(1, "EXISTS", key), b"0")
        self.assertEqual(cli(1, "GET", key), b"")

    @in_each_mode
    def test_strings(self, key, cli):
        self.assertEqual(cli(0, "SETEX", key, "100", "abc"), b"OK")
        self.assertEqual(cli(1, "STRLEN", key), b"3")
        self.assertIn(int(cli(2, "TTL", key)), range(80, 101))
        self.assertEqual(cli(0, "GETEX", key, "PERSIST"), b"abc")
        self.assertEqual(cli(1, "TTL", key), b"-1")
        self.assertEqual(cli(2, "SET", key, "def", "GET"), b"abc")
        self.assertEqual(cli(0, "GETSET", key, "ghi"), b"def")
        self.assertEqual(cli(1, "TYPE", key), b"string")
        self.assertEqual(cli(2, "GETDEL", key), b"ghi")
        self.assertEqual(cli(0, "TYPE", key), b"none")
        self.assertEqual(cli(1, "TTL", key), b"-2")
        self.assertEqual(cli(1, "PSETEX", key, "80", "gone soon"), b"OK")
        wait_until(lambda: cli(2, "GET", key) == b"")

    @in_each_mode
    def test_many_keys_of_different_slots(self, key, cli):
        names = [f"{key}-{i}" for i in range(20)]
        self.assertEqual(cli(0, "MSET", *(word for name in names for word in (name, f"v{name}"))), b"OK")
        self.assertEqual(cli(1, "MGET", *names).split(b"\n"), [f"v{name}".encode() for name in names])
        self.assertEqual(cli(2, "TOUCH", *names, "none"), b"20")
        self.assertEqual(cli(0, "UNLINK", *names[:10]), b"10")
        self.assertEqual(cli(1, "DEL", *names), b"10")
        self.assertEqual(cli(2, "EXISTS", *names), b"0")

    def test_bytes_of_all_kinds_in_a_pipeline_from_standard_input(self):
        value = bytes(range(256)) * 300
        self.assertEqual(self.redis_cli(0, "-x", "SET", "all bytes", stdin=value), b"OK")
        self.assertEqual(self.redis_cli(1, "--raw", "GET", "all bytes"), value)
        self.assertEqual(self.redis_cli(2, "-3", "--raw", "GET", "all bytes"), value)

    def test_mass_insertion(self):
        words = (("SET", f"mass{i}", f"value {i}") for i in range(1000))
        text = "".join("*3\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in line) for line in words)
        ended = tool("redis-cli", "-p", self.redis_port(0), "--pipe", stdin=text.encode())
        self.assertIn(b"errors: 0, replies: 1000", ended.stdout)
        self.assertEqual(ended.returncode, 0)
        self.assertEqual(self.redis_cli(1, "GET", "mass999"), b"value 999")

    def test_scan_finds_every_key_from_every_node(self):
        names = {f"scanned:{i}".encode() for i in range(700)}
        lines = b"".join(b"SET %s 1\n" % name for name in names)
        self.assertEqual(self.redis_cli(0, stdin=lines).count(b"OK"), 700)
        for node in range(3):
            found = self.redis_cli(node, "--scan", "--pattern", "scanned:*").split(b"\n")
            self.assertEqual(set(found), names)
        everything = set(self.redis_cli(0, "--scan").split(b"\n"))

        def dealt_out() -> bool:  # each node counts the keys that it is the first healthy owner of
            sizes = [int(self.redis_cli(node, "DBSIZE")) for node in range(3)]
            return sum(sizes) == len(everything) and all(sizes)

        wait_until(dealt_out)

    def test_a_cluster_client_is_never_redirected(self):
        for node in range(3):
            slots = json.loads(self.redis_cli(node, "--json", "CLUSTER", "SLOTS"))
            published = {entry[2][1] for entry in slots}
            self.assertEqual(published, {n.redis_port for n in self.nodes})
            self.assertEqual(sum(last - first + 1 for first, last, *_ in slots), 16384)
        # The slot of a key as Redis documents it, with and without a hash tag.
        self.assertEqual(self.redis_cli(0, "CLUSTER", "KEYSLOT", "123456789"), b"12739")
        self.assertEqual(self.redis_cli(1, "CLUSTER", "KEYSLOT", "x{123456789}y"), b"12739")
        lines = b"".join(b"SET {tag%d} %d\nGET {tag%d}\n" % (i, i, i) for i in range(200))
        told = self.redis_cli(0, "-c", stdin=lines)
        self.assertNotIn(b"edirected", told)
        self.assertNotIn(b"MOVED", told)
        self.assertEqual(told.split(b"\n"), [w for i in range(200) for w in (b"OK", b"%d" % i)])

    def test_the_cluster_manager_finds_all_slots_covered(self):
        ended = tool("redis-cli", "--cluster", "check", f"127.0.0.1:{self.redis_port(0)}")
        self.assertEqual(ended.returncode, 0, ended.stdout.decode() + ended.stderr.decode())
        self.assertIn(b"[OK] All 16384 slots covered.", ended.stdout)

    def test_what_cannot_be_honest_is_refused_with_a_reason(self):
        for words, says in ((("SETNX", "k", "v"), b"no node can promise that a key is absent"),
                            (("SET", "k", "v", "NX"), b"ST.PUT"), (("SET", "k", "v", "XX"), b"ST.PUT"),
                            (("INCR", "k"), b"concurrent changes would be lost"),
                            (("WATCH", "k"), b"no transactions"), (("MULTI",), b"no transactions"),
                            (("BLPOP", "k", "1"), b"the same element"),
                            (("LPUSH", "k", "v"), b"values are strings"),
                            (("KEYS", "*"), b"SCAN"), (("FLUSHALL",), b"SCAN")):
            for flags in MODES.values():
                told = self.redis_cli(0, *flags, *words)
                self.assertTrue(told.startswith(b"ERR "), told)
                self.assertIn(says, told)
        self.assertEqual(self.redis_cli(1, "EXISTS", "k"), b"0")
        self.assertEqual(self.redis_cli(1, "-e", "PING"), b"PONG")
        self.assertEqual(tool("redis-cli", "-e", "-p", self.redis_port(0), "SETNX", "k", "v").returncode, 1)

    @in_each_mode
    def test_the_dynamo_interface(self, key, cli):
        first = cli(0, "ST.PUT", key, "one")
        second = cli(1, "ST.PUT", key, "two")
        self.assertTrue(first and second and first != second)
        told = self.redis_cli(2, "-3", "--json", "ST.GET", key)
        both = json.loads(told)
        self.assertEqual(sorted(s["value"] for s in both["siblings"]), ["one", "two"])
        own = cli(2, "ST.PUT", key, "one again", "CTX", first)  # replaces only what it saw
        left = json.loads(self.redis_cli(0, "-3", "--json", "ST.GET", key))
        self.assertEqual(sorted(s["value"] for s in left["siblings"]), ["one again", "two"])
        cli(1, "ST.DEL", key, "CTX", own)
        self.assertEqual(cli(2, "GET", key), b"two" if self._newest(key) == "two" else b"")
        left = json.loads(self.redis_cli(0, "-3", "--json", "ST.GET", key, "R", "3"))
        self.assertEqual([s["value"] for s in left["siblings"]], ["two"])
        cli(0, "ST.DEL", key, "CTX", left["context"])
        self.assertEqual(json.loads(self.redis_cli(1, "-3", "--json", "ST.GET", key))["siblings"], [])
        self.assertIn(b"verdict", self.redis_cli(0, "-3", "ST.EXPLAIN", key))
        for words in (("ST.PUT", key, "told"), ("ST.GET", key), ("ST.DEL", key)):
            told = json.loads(self.redis_cli(0, "-3", "--json", *words, "EVIDENCE"))
            # Three healthy nodes, all owners; a late one may have answered, too.
            self.assertEqual(told["evidence"]["fallbacks"], 0, told)
            self.assertGreaterEqual(told["evidence"]["primaries"], 2, told)
            self.assertEqual(told["evidence"]["nodes"], told["evidence"]["primaries"], told)
            self.assertEqual(told["evidence"]["zones"], 1, told)

    def _newest(self, key: str) -> str:
        """A plain read returns the version with the latest time, deletes counting as versions."""
        answer = self.curl(0, "GET", f"/v1/explain/default/{key}").json()
        latest = max(answer["merged"]["versions"], key=lambda version: version["time"])
        return "deleted" if latest["tombstone"] else "two"

    def test_a_context_of_another_key_a_cut_and_a_random_one_are_refused(self):
        context = self.redis_cli(0, "ST.PUT", "mine", "v")
        for bad in (context[:-3], b"A" * len(context), b"not base64!", context[::-1]):
            self.assertRegex(self.redis_cli(1, "ST.PUT", "mine", "w", "CTX", bad), rb"^BADCONTEXT ")
        self.assertRegex(self.redis_cli(1, "ST.PUT", "other", "w", "CTX", context), rb"^BADCONTEXT ")
        self.assertEqual(self.redis_cli(2, "GET", "mine"), b"v")
        self.assertEqual(self.redis_cli(2, "EXISTS", "other"), b"0")

    def test_a_value_of_one_mebibyte_and_no_more(self):
        for flags in MODES.values():
            value = b"x" * (1 << 20)
            self.assertEqual(self.redis_cli(0, *flags, "-x", "SET", "large", stdin=value), b"OK")
            self.assertEqual(self.redis_cli(1, *flags, "GET", "large"), value)
            told = self.redis_cli(0, *flags, "-x", "SET", "larger", stdin=value + b"x")
            self.assertRegex(told, rb"^TOOLARGE ")
            self.assertEqual(self.redis_cli(2, *flags, "EXISTS", "larger"), b"0")

    def test_the_same_write_sent_twice_under_its_id_is_one(self):
        # A UUIDv7 begins with its time in milliseconds.
        identity = f"{int(time.time() * 1000):012x}7abc8def0123456789ab"
        context = self.redis_cli(0, "ST.PUT", "once", "v")
        for node in (1, 2, 1):
            self.redis_cli(node, "ST.PUT", "once", "w", "CTX", context, "WID", identity)
        held = json.loads(self.redis_cli(0, "-3", "--json", "ST.GET", "once", "R", "3"))
        self.assertEqual([s["value"] for s in held["siblings"]], ["w"])

    def test_looking_around(self):
        for node in range(3):
            told = self.redis_cli(node, "INFO")
            self.assertIn(b"cluster_enabled:1", told)
            for name in (b"used_memory", b"total_connections_received", b"keyspace_hits"):  # as redis-cli --stat
                self.assertRegex(told, rb"(?m)^" + name + rb":[0-9]+\r?$")
            self.assertIn(b"cluster_state:ok", self.redis_cli(node, "CLUSTER", "INFO"))
            self.assertIn(b"GET", self.redis_cli(node, "COMMAND", "LIST").upper())
        self.assertIn(b"since", self.redis_cli(0, "COMMAND", "DOCS", "get"))
        names = {self.redis_cli(node, "CLUSTER", "MYID") for node in range(3)}
        self.assertEqual(len(names), 3, names)
        for words, said in ((("SELECT", "0"), b"OK"), (("READONLY",), b"OK"), (("READWRITE",), b"OK"),
                            (("ASKING",), b"OK"), (("RESET",), b"RESET"), (("CLIENT", "LIST"), b"addr="),
                            (("CLIENT", "INFO"), b"addr="), (("CLUSTER", "SHARDS"), b"slots"),
                            (("SELECT", "1"), b"ERR"), (("AUTH", "secret"), b"ERR")):
            self.assertIn(said, self.redis_cli(0, *words), words)


if __name__ == "__main__":
    unittest.main()
