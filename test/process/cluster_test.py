"""Three real nodes: any node takes any key, one may die under load, and stops are clean."""

import json
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from nodes import (BINARY, Cluster, PATIENCE_S, SANITIZED, await_writes, die_with_parent, metric, pending_hints, run,
                   wait_until)
from resp import Client, ReplyError


def scanned(client: Client, pattern: str) -> set[bytes]:
    """What a walk over the whole cluster finds."""
    found, cursor = set(), b"0"
    while True:
        cursor, keys = client.call("SCAN", cursor, "MATCH", pattern, "COUNT", "100")
        found.update(keys)
        if cursor == b"0":
            return found


def fields(flat: list) -> dict:
    """A map, which RESP2 tells as a list."""
    return dict(zip(flat[::2], flat[1::2]))


class AnyNode(unittest.TestCase):
    """Nodes of two shards: every other request is asked of the shard that does not have the key."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(shards=2)
        cls.cluster.__enter__()
        cls.nodes = cls.cluster.nodes

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def cli(self, node: int, *arguments: str, **more) -> subprocess.CompletedProcess:
        return run(*arguments, "--node", f"127.0.0.1:{self.nodes[node].http_port}", **more)

    def test_what_redis_cli_writes_through_one_curl_reads_through_another(self):
        subprocess.run(["redis-cli", "-p", str(self.nodes[0].redis_port), "set", "a", "1"], check=True,
                       capture_output=True, timeout=PATIENCE_S)
        url = f"http://127.0.0.1:{self.nodes[1].http_port}/v1/kv/default/a"
        self.assertEqual(subprocess.run(["curl", "-sf", url], check=True, capture_output=True,
                                        timeout=PATIENCE_S).stdout, b"1")
        subprocess.run(["curl", "-sf", "-X", "DELETE", url], check=True, timeout=PATIENCE_S)
        with Client(self.nodes[2].redis_port) as client:
            self.assertIsNone(client.call("GET", "a"))

    def test_the_dynamo_interface_from_the_shell(self):
        self.assertEqual(self.cli(0, "put", "carts", "7", "bread").returncode, 0)
        blind = self.cli(1, "put", "carts", "7", "beer", "--blind")
        self.assertEqual(blind.returncode, 0, blind.stderr)
        both = json.loads(self.cli(2, "get", "carts", "7", "-o", "json").stdout)
        self.assertEqual(sorted(s["value"] for s in both["siblings"]), ["YmVlcg==", "YnJlYWQ="])
        self.assertTrue(both["found"])
        raw = self.cli(2, "get", "carts", "7", "-o", "raw")
        self.assertEqual((raw.returncode, raw.stdout), (1, ""))
        table = self.cli(2, "get", "carts", "7").stdout
        self.assertIn(f"--context {both['context']}\n", table)
        merged = self.cli(0, "put", "carts", "7", "both", "--context", both["context"], "-o", "raw")
        self.assertEqual(merged.returncode, 0, merged.stderr)
        self.assertRegex(merged.stdout, r"^[\w-]+\n$")
        self.assertEqual(self.cli(1, "get", "carts", "7", "-o", "raw").stdout, "both")
        one, = json.loads(self.cli(0, "get", "carts", "7", "-o", "json").stdout)["siblings"]
        self.assertEqual(one["value"], "Ym90aA==")
        for siblings in ([one], both["siblings"]):  # one schema for one and for many
            for sibling in siblings:
                self.assertEqual(list(sibling), ["value", "content_type", "dot", "time", "write_id"])
                self.assertTrue(all(sibling.values()), sibling)
        self.assertEqual(self.cli(1, "del", "carts", "7").returncode, 0)
        gone = self.cli(2, "get", "carts", "7")
        self.assertEqual((gone.returncode, gone.stdout), (1, ""))
        self.assertIn("there is no carts 7\nnext: ", gone.stderr)

    def test_a_put_that_is_sent_again_under_its_write_id_is_one_write(self):  # D7
        named = ("put", "carts", "again", "bread", "--blind", "--write-id", self.new_write_id())
        for node in (0, 1, 2, 0):
            put = self.cli(node, *named)
            self.assertEqual(put.returncode, 0, put.stderr)
        self.assertEqual(self.cli(1, "get", "carts", "again", "-o", "raw").stdout, "bread")
        self.assertEqual(self.cli(2, "put", "carts", "again", "bread", "--blind").returncode, 0)
        both = json.loads(self.cli(0, "get", "carts", "again", "-o", "json").stdout)
        self.assertEqual(len(both["siblings"]), 2)  # and without the id another one
        refused = self.cli(0, "put", "carts", "again", "bread", "--write-id", "nonsense")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("UUID", refused.stderr)

    @staticmethod
    def new_write_id():
        return f"{int(time.time() * 1000):012x}7{secrets.token_hex(10)[:19]}"

    def test_values_and_keys_of_any_bytes_pass_through_the_shell(self):
        value = bytes(range(256)) * 40
        put = subprocess.run([BINARY, "put", "b", "a/b c?&%", "-", "--node",
                              f"127.0.0.1:{self.nodes[0].http_port}"], input=value,
                             capture_output=True, timeout=PATIENCE_S)
        self.assertEqual(put.returncode, 0, put.stderr)
        got = subprocess.run([BINARY, "get", "b", "a/b c?&%", "-o", "raw", "--node",
                              f"127.0.0.1:{self.nodes[1].http_port}"], capture_output=True,
                             timeout=PATIENCE_S)
        self.assertEqual(got.stdout, value)

    def test_refusals_say_why_and_what_next(self):
        # A command to type (design 2.1), and nothing of HTTP, where the refusals come from.
        at = f"127.0.0.1:{self.nodes[0].http_port}"
        shorter = "the same with a shorter bucket, key or value"
        for arguments, following in (
                (["put", "b", "k", "v", "--context", "nonsense"],
                 f"stator get b k --node {at}, whose context goes with --context"),
                (["del", "b", "two words", "--context", "nonsense"],
                 f"stator get b 'two words' --node {at}, whose context goes with --context"),
                (["put", "b", "k", "x" * 5, "--w", "4"], "stator put --help"),
                (["get", "b", "k", "--r", "4"], "stator get --help"),
                (["put", "b" * 300, "k", "v", "--blind"], shorter),
                (["get", "b", "k" * 5000], shorter)):
            refused = self.cli(0, *arguments)
            self.assertEqual(refused.returncode, 1, arguments)
            self.assertRegex(refused.stderr, r"^stator: .+\nnext: .+\n$")
            self.assertTrue(refused.stderr.endswith(f"\nnext: {following}\n"), refused.stderr)
        as_json = self.cli(0, "put", "b", "k", "v", "--context", "nonsense", "-o", "json")
        self.assertEqual(json.loads(as_json.stdout)["error"], "bad_context")

    def test_status_ring_and_explain_show_the_same_cluster_from_every_node(self):
        self.cli(0, "put", "default", "shown", "v")
        for node in range(3):
            status = json.loads(self.cli(node, "status", "-o", "json").stdout)
            self.assertEqual(sorted(m["name"] for m in status["members"]), ["n1", "n2", "n3"])
            self.assertTrue(all(m["healthy"] for m in status["members"]))
            self.assertEqual(status["alarms"], [])
            ring = json.loads(self.cli(node, "ring", "-o", "json").stdout)
            self.assertEqual([m["places"] for m in ring["members"]], [1024] * 3)
            # Two copies are enough for the answer to the put; the third is on its way.
            wait_until(lambda: len({replica["digest"] for replica in json.loads(self.cli(
                node, "explain", "default", "shown", "-o", "json").stdout)["replicas"]}) == 1)
            for command in (["status"], ["ring"], ["ring", "--ranges"], ["ring", "--partition", "3"],
                            ["explain", "default", "shown"]):
                table = self.cli(node, *command)
                self.assertEqual(table.returncode, 0, table.stderr)
                for name in ("n1", "n2", "n3"):
                    self.assertIn(name, table.stdout)
                self.assertNotIn("\033", table.stdout)  # no colour when piped

    def test_walks_counts_and_explanations_are_the_same_from_every_shard(self):
        # Connections are dealt to the shards in turn, so that each shard of each node has one of these.
        clients = [Client(node.redis_port) for node in self.nodes for _ in range(node.shards())]
        for client in clients:
            self.addCleanup(client.close)
        names = [f"shard:{k}" for k in range(60)]
        for k, name in enumerate(names):
            self.assertEqual(clients[k % len(clients)].call("SET", name, "v"), "OK")
        for client in clients[:2]:
            self.assertEqual(scanned(client, "shard:*"), {name.encode() for name in names})
        for k, client in enumerate(clients):
            for name in names[k::len(clients)]:
                shown = fields(client.call("ST.EXPLAIN", name))
                self.assertTrue(shown[b"verdict"])
                answered = {fields(one)[b"node"] for one in shown[b"replicas"] if fields(one)[b"answered"]}
                self.assertEqual(answered, {b"n1", b"n2", b"n3"})

        def all_count_alike() -> bool:
            one, other = (sum(client.call("DBSIZE") for client in clients[shard::2]) for shard in range(2))
            return one == other >= len(names)

        # A copy that is still on its way to a key's first owner is counted when it has come.
        wait_until(all_count_alike)
        for node in self.nodes:
            for _ in range(node.shards()):
                status = node.json("/v1/status")
                self.assertEqual((status["node"]["ready"], len(status["members"])), (True, 3))
                wait_until(lambda: metric(node, "stator_keys") >= len(names))

    def test_allocations_and_process_are_in_the_metrics(self):
        text = self.nodes[0].http("GET", "/metrics")[2].decode()
        def value(name: str) -> float:
            return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])

        self.assertGreater(value("process_resident_memory_bytes"), 1 << 20)
        if SANITIZED:  # it has an allocator of its own, which is not counted
            self.assertNotIn("stator_heap_allocations_total", text)
        else:
            self.assertGreater(value("stator_heap_allocations_total"), 0)


class Load(threading.Thread):
    """Writes and reads through one node until told to stop, connecting again when that is cut."""

    def __init__(self, node, number: int):
        super().__init__()
        self._port, self._number = node.redis_port, number
        self.stop = threading.Event()
        self.written: dict[str, bytes] = {}  # acknowledged
        self.open: dict[str, bytes] = {}     # sent since, and not answered: may be there or not
        self.failed: list[str] = []          # answered with an error, or wrongly
        self.cut = 0                         # in flight when the connection ended
        self.done = 0

    def run(self) -> None:
        count = 0
        while not self.stop.is_set():
            try:
                with Client(self._port) as client:
                    while not self.stop.is_set():
                        count += 1
                        self._one(client, count)
            except ReplyError as error:
                self.failed.append(str(error))
            except OSError:
                self.cut += 1
                if self.stop.wait(0.05):
                    return

    def _one(self, client: Client, count: int) -> None:
        key, value = f"load:{self._number}:{count % 100}", b"%d" % count
        self.open[key] = value
        if client.call("SET", key, value) != "OK":
            self.failed.append(f"SET {key}")
        self.written[key] = self.open.pop(key)
        if client.call("GET", key) != value:
            self.failed.append(f"GET {key}")
        self.done += 1


class AnotherFounding(unittest.TestCase):
    def test_a_founder_with_another_line_is_not_ready_and_both_sides_say_why(self):
        cluster = Cluster()
        cluster.nodes[2].options = [*cluster.nodes[2].options, "--write-quorum", "3"]
        try:
            for node in cluster.nodes:
                node.launch()
            for node in cluster.nodes:
                node.await_said()
            wait_until(lambda: cluster.nodes[0].ready() and cluster.nodes[1].ready())
            self.assertFalse(cluster.nodes[2].ready())
            for node, others in ((0, ["n3"]), (2, ["n1", "n2"])):
                def named() -> list[str]:
                    alarms = cluster.nodes[node].json("/v1/status")["alarms"]
                    return sorted(alarm["message"].split()[0] for alarm in alarms
                            if alarm["alarm"] == "history_mismatch")
                wait_until(lambda: named() == others)
            with Client(cluster.nodes[0].redis_port) as client:
                for k in range(50):
                    self.assertEqual(client.call("SET", f"k{k}", "v"), "OK")
        finally:
            cluster.stop()


class Shards(unittest.TestCase):
    def test_every_shard_hears_every_peer_however_connections_are_dealt(self):
        # The one link of n2 ends at one shard of n1; the other shard's pongs come in there, too. A shard
        # that got none would find n2 silent again and again.
        cluster = Cluster(2, "--silence-max", "1s")
        cluster.nodes[0].options[:2] = ["--shards", "2"]
        with cluster:
            def healthy_for_long() -> bool:
                end = time.monotonic() + 4
                while time.monotonic() < end:
                    for node in cluster.nodes:
                        members = node.json("/v1/status")["members"]
                        if not all(member["healthy"] for member in members):
                            return False
                return True

            wait_until(healthy_for_long)
            with Client(cluster.nodes[0].redis_port) as client:
                for k in range(50):
                    self.assertEqual(client.call("SET", f"k{k}", "v"), "OK")


class OneDeadOfThree(unittest.TestCase):
    def test_no_request_fails_but_those_in_flight_on_its_connections(self):
        # Without extra hints: what n3 misses nobody keeps for it, so that reads alone bring it (paper 5).
        with Cluster(3, "--hint-bytes-max", "0", shards=2) as cluster:
            n1, n2, n3 = cluster.nodes
            loads = [Load(node, number) for number, node in enumerate((n1, n1, n2, n2, n3, n3))]
            for load in loads:
                load.start()
            benchmark = subprocess.Popen(
                ["redis-benchmark", "-p", str(n1.redis_port), "-t", "set,get", "-r", "1000", "-n",
                 "3000" if SANITIZED else "40000", "-c", "20", "-q"], stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)
            try:
                wait_until(lambda: all(load.done > 20 for load in loads))
                n3.kill()
                seen = [load.done for load in loads[:4]]
                output, _ = benchmark.communicate(timeout=PATIENCE_S * 4)
                wait_until(lambda: all(load.done > before + 200
                                       for load, before in zip(loads, seen)))
            finally:
                benchmark.kill()
                for load in loads:
                    load.stop.set()
                for load in loads:
                    load.join()
            self.assertEqual(benchmark.returncode, 0, output)
            self.assertNotIn("rror", output)
            for load in loads:
                self.assertEqual(load.failed, [])
            self.assertEqual([load.cut for load in loads[:4]], [0, 0, 0, 0])

            self._comes_back(cluster, n3, loads)

    def _comes_back(self, cluster: Cluster, dead, loads: list[Load]) -> None:
        """Started again it serves, and reading each key brings its copy up to date."""
        dead.start()
        cluster.await_all_healthy()
        self.assertEqual(pending_hints(cluster.nodes), 0)
        allowed = {key: {value, load.open.get(key, value)}
                   for load in loads for key, value in load.written.items()}

        def behind(keys) -> list[str]:
            return [key for key in keys if len({
                replica["digest"] for replica in
                cluster.nodes[0].json(f"/v1/explain/default/{key}")["replicas"]}) != 1]

        # The four loads that went on have written each of their 400 keys again while it was away.
        left = behind(allowed)
        self.assertGreater(len(left), 200)
        with Client(cluster.nodes[0].redis_port) as client:
            def reads_repair() -> bool:
                """Repair is background work, and left out where its budget is spent: then the next read does it."""
                for key in left:
                    self.assertIn(client.call("GET", key), allowed[key])
                left[:] = behind(left)
                return not left

            wait_until(reads_repair)
        with Client(dead.redis_port) as client:
            for key, values in allowed.items():
                self.assertIn(client.call("GET", key), values)

    def test_a_node_that_lost_its_whole_disk_is_filled_by_reads(self):
        with Cluster(shards=2) as cluster:
            with Client(cluster.nodes[0].redis_port) as client:
                for k in range(50):
                    client.call("SET", f"k{k}", f"v{k}")
            lost = cluster.nodes[2]
            lost.kill()
            shutil.rmtree(lost.data)
            lost.start()
            cluster.await_all_healthy()
            for k in range(50):
                status, _, body = lost.http("GET", f"/v1/kv/default/k{k}?r=3")
                self.assertEqual((status, body), (200, b"v%d" % k))
            with Client(lost.redis_port) as client:
                wait_until(lambda: client.call("DBSIZE") > 0)


class DurableOnRequest(unittest.TestCase):
    def test_one_copy_of_each_write_is_synced_and_every_disk_has_its_share(self):
        """Durability `one` (paper 6.1)."""
        with Cluster(3, "--durability", "one") as cluster:
            for k in range(90):
                self.assertEqual(cluster.nodes[k % 3].http("PUT", f"/v1/kv/b/k{k}", b"v")[0], 204)
            await_writes(cluster.nodes, 90)
            # A write is over when its coordinator has heard of the copy: of those kept by other shards
            # the count comes a little later.
            shares: list[int] = []

            def all_are_counted() -> bool:
                shares[:] = [metric(node, "stator_durable_copies_total") for node in cluster.nodes]
                return sum(shares) >= 90

            wait_until(all_are_counted)
            self.assertGreater(min(shares), 10, shares)
            for node in cluster.nodes:
                self.assertEqual(metric(node, "stator_durable_unconfirmed_total"), 0)
                with Client(node.redis_port) as client:
                    self.assertEqual(client.call("CONFIG", "GET", "appendfsync"),
                                     [b"appendfsync", b"everysec"])

    def test_dw_syncs_where_the_nodes_promise_nothing(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as settings:
            settings.write('durability = "none"\n')
            settings.flush()
            with Cluster(3, "--config", settings.name) as cluster:
                node = cluster.nodes[0]

                def syncs() -> int:
                    return metric(node, "stator_storage_syncs_total")

                before = syncs()
                self.assertEqual(node.http("PUT", "/v1/kv/b/plain", b"v")[0], 204)
                self.assertEqual(node.http("PUT", "/v1/kv/b/durable?dw=3", b"v")[0], 204)
                wait_until(lambda: syncs() > before)


class HintedHandoff(unittest.TestCase):
    """Paper 4.6 on real processes: what a dead node misses waits for it, and is delivered (D14)."""

    @staticmethod
    def all_hints(node) -> dict:
        return json.loads(run("hints", "--all", "-o", "json", "--node", f"127.0.0.1:{node.http_port}").stdout)

    def test_what_a_dead_node_misses_is_delivered_when_it_is_back(self):
        with Cluster(5, shards=2) as cluster:
            *others, last = cluster.nodes
            last.kill()
            wait_until(lambda: all(
                [m["healthy"] for m in node.json("/v1/status")["members"]].count(True) == 4 for node in others))
            for k in range(200):
                self.assertEqual(others[k % 4].http("PUT", f"/v1/kv/b/k{k}", b"v")[0], 204)
            missed = [k for k in range(200) if any(
                replica["name"] == "n5" and replica["owner"]
                for replica in others[0].json(f"/v1/explain/b/k{k}")["replicas"])]
            self.assertGreater(len(missed), 60)
            # What a shard tells of the others is half a second old, and requests are dealt to the shards in turn.
            wait_until(lambda: all(pending_hints(others) >= len(missed) for _ in range(3)))
            shown = run("hints", "--node", f"127.0.0.1:{others[0].http_port}").stdout
            self.assertRegex(shown, r"n1 keeps \d+ hints")
            self.assertRegex(shown, r"(?m)^n5 +DOWN +\d+ ")
            told = self.all_hints(others[1])
            self.assertGreaterEqual(told["pending"], len(missed))
            self.assertEqual((told["nodes"], told["answered"], told["complete"]), (5, 4, False))
            self.assertEqual([keeper["name"] for keeper in told["keepers"] if not keeper["answered"]], ["n5"])
            owed, = [owner for owner in told["owners"] if owner["pending"]]
            self.assertEqual((owed["name"], owed["pending"], owed["healthy"]), ("n5", told["pending"], False))
            shown = run("hints", "--all", "--node", f"127.0.0.1:{others[0].http_port}").stdout
            self.assertRegex(shown, r"^4 of 5 nodes answered: \d+ hints, ")
            self.assertIn("n5 does not answer", shown)
            # Found again by those who keep them, whatever befalls those.
            kept = others[0].hints()["pending"]
            self.assertGreater(kept, 0)
            others[0].kill()
            others[0].start()
            wait_until(lambda: others[0].hints()["pending"] >= kept)
            last.start()
            wait_until(lambda: pending_hints(others) == 0)
            cluster.await_all_healthy()

            def all_is_told() -> bool:
                told = self.all_hints(last)
                return told["complete"] and (told["answered"], told["pending"], told["progress"]) == (5, 0, 1)

            wait_until(all_is_told)
            for k in missed:
                replicas = others[0].json(f"/v1/explain/b/k{k}")["replicas"]
                held = {replica["digest"] for replica in replicas if replica["owner"]}
                self.assertEqual(len(held), 1, replicas)
                self.assertFalse([r for r in replicas if not r["owner"] and r["versions"]], replicas)


class TwoDeadOfThree(unittest.TestCase):
    """With R = W = 2 nothing can be promised, and nobody can stand in: each answer says so (docs/http.md)."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.cluster.__enter__()
        cls.node, *dead = cls.cluster.nodes
        status, _, _ = cls.node.http("PUT", "/v1/kv/b/k", b"before")
        assert status == 204, status
        for other in dead:
            other.kill()
        wait_until(lambda: [m["healthy"] for m in cls.node.json("/v1/status")["members"]].count(True) == 1)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def failed(self, method: str, path: str, body: bytes | None = None, headers=None) -> dict:
        status, answered, text = self.node.http(method, path, body, headers)
        error = json.loads(text)
        self.assertEqual(list(error), ["error", "outcome", "message", "hint", "needed", "got", "write_id"])
        self.assertEqual(status, {"too_few_nodes": 503, "timeout": 504}[error["error"]], error)
        self.assertEqual(answered["Retry-After"], "1" if status == 503 else None)
        # The own copy counts when it is there; that nobody else is left may be known before.
        self.assertIn((error["needed"], error["got"]), ((2, 0), (2, 1)))
        self.assertTrue(error["message"].endswith(f": 2 needed, {error['got']} got"), error)
        self.assertTrue(error["hint"])
        return error

    def cli(self, *arguments: str) -> subprocess.CompletedProcess:
        return run(*arguments, "--node", f"127.0.0.1:{self.node.http_port}")

    def test_a_get_has_no_outcome_and_what_needs_less_is_answered(self):
        error = self.failed("GET", "/v1/kv/b/k")
        self.assertIsNone(error["outcome"])
        self.assertIsNone(error["write_id"])
        status, headers, body = self.node.http("GET", "/v1/kv/b/k?r=1")
        self.assertEqual((status, body), (200, b"before"))
        self.assertEqual(headers["Stator-Quorum"], "primaries=1 fallbacks=0 nodes=1 zones=1")

    def test_a_put_or_delete_is_refused_before_anything_is_stored(self):
        for method, body in (("PUT", b"v"), ("DELETE", None)):
            error = self.failed(method, "/v1/kv/b/refused", body)
            self.assertEqual((error["error"], error["outcome"]), ("too_few_nodes", "not_applied"))
        self.assertEqual(self.node.http("GET", "/v1/kv/b/refused?r=1")[0], 404)
        self.assertEqual(self.node.http("PUT", "/v1/kv/b/alone?w=1", b"v")[0], 204)
        self.assertEqual(self.node.http("GET", "/v1/kv/b/alone?r=1")[2], b"v")

    def test_a_redis_client_is_told_that_the_cluster_fails(self):
        def told() -> bytes:
            with Client(self.node.redis_port) as client:
                return client.call("CLUSTER", "INFO")

        wait_until(lambda: b"cluster_state:fail" in told())
        self.assertRegex(told(), rb"cluster_slots_ok:0\r\n")

    def test_the_shell_says_the_same_and_what_to_type(self):
        at = f"127.0.0.1:{self.node.http_port}"
        unread = "the same with --context of an earlier get, or with --blind, which reads nothing"
        for arguments, outcome, following in (
                (("get", "b", "k"), "", f"stator status --node {at}"),
                # It reads for its context first, and has then written nothing.
                (("put", "b", "k", "v"), "", unread),
                (("put", "b", "k", "v", "--w", "1"), "", unread),
                (("put", "b", "blind", "v", "--blind"), " (outcome: not_applied)",
                 f"stator status --node {at}"),
                (("del", "b", "blind", "--blind"), " (outcome: not_applied)",
                 f"stator status --node {at}")):
            ended = self.cli(*arguments)
            self.assertEqual((ended.returncode, ended.stdout), (1, ""), ended.stderr)
            self.assertRegex(ended.stderr, r": 2 needed, [01] got" + re.escape(outcome))
            self.assertTrue(ended.stderr.endswith(f"\nnext: {following}\n"), ended.stderr)
            self.assertEqual("the read before it" in ended.stderr, following == unread)
        # As it says: what W needs is there.
        self.assertEqual(self.cli("put", "b", "unread", "v", "--w", "1", "--blind").returncode, 0)
        as_json = json.loads(self.cli("put", "b", "blind", "v", "--blind", "-o", "json").stdout)
        self.assertEqual((as_json["outcome"], as_json["needed"], as_json["got"]), ("not_applied", 2, 1))


class TimeToWait(unittest.TestCase):
    def test_the_node_tries_as_long_as_the_shell_was_told_to_wait_and_says_what_was_missing(self):
        with Cluster() as cluster:
            cluster.nodes[2].signal(signal.SIGSTOP)
            try:
                at = ("--timeout", "300ms", "--node", f"127.0.0.1:{cluster.nodes[0].http_port}")
                late = run("get", "b", "k", "--r", "3", *at)
                open_ = run("put", "b", "k", "v", "--blind", "--w", "3", *at)
            finally:
                cluster.nodes[2].signal(signal.SIGCONT)
            self.assertEqual(late.returncode, 1)
            # Not our own giving up: that knows nothing of replicas.
            self.assertIn("too few nodes answered in time", late.stderr)
            self.assertTrue(late.stderr.endswith("\nnext: the same with --timeout 30s\n"), late.stderr)
            # What may have been written is named, so that it can be sent again as the same write.
            self.assertEqual(open_.returncode, 1)
            named = re.search(r"\(outcome: unknown\) \(write id ([0-9a-f-]+)\)", open_.stderr)
            self.assertTrue(named, open_.stderr)
            self.assertTrue(open_.stderr.endswith(
                f"\nnext: the same with --write-id {named[1]}, which writes once at most\n"), open_.stderr)

    def test_the_longest_time_that_can_be_said_is_long(self):
        with Cluster(1) as cluster:
            at = f"127.0.0.1:{cluster.nodes[0].http_port}"
            # It must not wrap around to the past.
            found = run("get", "b", "k", "--timeout", "9223372036s", "--node", at)
            self.assertIn("there is no b k\n", found.stderr)


class Stops(unittest.TestCase):
    def test_sigterm_answers_what_it_has_taken_and_ends_with_zero(self):
        for shards in (1, 2):
            with self.subTest(shards=shards), Cluster(shards=shards) as cluster:
                node = cluster.nodes[0]
                # All three answer what was sent before the signal, in one piece each.
                with Client(node.redis_port) as client:
                    client.call("PING")
                    for k in range(200):
                        client.send("SET", f"k{k}", "v" * 1000)
                    for _ in range(200):
                        self.assertEqual(client.receive(), "OK")
                    node.signal(signal.SIGTERM)
                    self.assertEqual(node.wait(), 0, node.log.read_text())
                    with self.assertRaises(OSError):
                        client.call("PING")
                self.assertIn("stopped", node.log.read_text())
                node.start()
                cluster.await_all_healthy()
                with Client(node.redis_port) as client:
                    self.assertEqual(client.call("GET", "k199"), b"v" * 1000)

    def test_a_second_signal_ends_it_at_once(self):
        with Cluster() as cluster:
            node = cluster.nodes[0]
            # A request that cannot be answered soon keeps it from ending in order.
            for other in cluster.nodes[1:]:
                other.signal(signal.SIGSTOP)
            with Client(node.redis_port) as client:
                client.send_together(("PING",), ("SET", "k", "v"))
                self.assertEqual(client.receive(), "PONG")
                node.signal(signal.SIGTERM)
                wait_until(lambda: "stopping: no new connections" in node.log.read_text())
                self.assertTrue(node.running())
                node.signal(signal.SIGTERM)
                self.assertEqual(node.wait(), 1)
            self.assertIn("stopped at once, by a second signal", node.log.read_text())

    def test_acknowledged_writes_survive_the_kill_of_all_nodes_at_once(self):
        with Cluster() as cluster:
            with Client(cluster.nodes[0].redis_port) as client:
                for k in range(100):
                    client.call("SET", f"k{k}", f"v{k}")
            for node in cluster.nodes:
                node.kill()
            cluster.start()
            with Client(cluster.nodes[1].redis_port) as client:
                for k in range(100):
                    self.assertEqual(client.call("GET", f"k{k}"), b"v%d" % k)


if __name__ == "__main__":
    unittest.main()
