"""redis-py of Debian: Redis() and RedisCluster(), on different nodes."""

import logging
import time
import unittest
from datetime import datetime, timedelta

import redis
from redis.cluster import ClusterNode, RedisCluster

from support import PATIENCE_S, ThreeNodes, wait_until

logging.getLogger("redis.cluster").disabled = True  # it would print each error that is wanted here


class RedisPy(ThreeNodes):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ports = [node.redis_port for node in cls.nodes]
        cls.alone = [redis.Redis(port=port, socket_timeout=PATIENCE_S) for port in ports]
        cls.cluster_client = RedisCluster(
            startup_nodes=[ClusterNode("127.0.0.1", ports[1])], socket_timeout=PATIENCE_S)
        cls.addClassCleanup(cls.cluster_client.close)
        for client in cls.alone:
            cls.addClassCleanup(client.close)
        # Whoever writes, the next in this list reads.
        cls.clients = [cls.alone[0], cls.cluster_client, cls.alone[1], cls.alone[2]]

    def pairs(self):
        """(a key of its own, writer, reader), each client once in both parts."""
        for number, writer in enumerate(self.clients):
            yield f"{self._testMethodName}{number}", writer, self.clients[(number + 1) % len(self.clients)]

    def test_what_one_writes_all_read(self):
        for key, writer, _ in self.pairs():
            self.assertIs(writer.set(key, f"of {key}"), True)
            expected = f"of {key}".encode()
            self.assertEqual([client.get(key) for client in self.clients], [expected] * 4)
            self.assertEqual(self.redis_cli(2, "GET", key), expected)
            self.assertEqual(self.http_value(0, key), expected)
        self.assertEqual(self.redis_cli(1, "SET", "from outside", "x"), b"OK")
        self.assertEqual([client.get("from outside") for client in self.clients], [b"x"] * 4)
        self.assertEqual(self.curl(2, "DELETE", "/v1/kv/default/from%20outside").status, 204)
        self.assertEqual([client.get("from outside") for client in self.clients], [None] * 4)

    def test_set_and_its_options(self):
        for key, writer, reader in self.pairs():
            self.assertTrue(writer.set(key, "a", ex=100))
            self.assertIn(reader.ttl(key), range(80, 101))
            self.assertTrue(writer.set(key, "b", keepttl=True))
            self.assertIn(reader.ttl(key), range(80, 101))
            self.assertTrue(writer.set(key, "c", px=50_000))
            self.assertIn(reader.pttl(key), range(20_000, 50_001))
            self.assertTrue(writer.set(key, "d", exat=int(time.time()) + 100))
            self.assertIn(reader.ttl(key), range(80, 102))
            self.assertEqual(writer.set(key, "e", get=True), b"d")
            self.assertEqual(reader.ttl(key), -1)
            self.assertTrue(writer.setex(key, timedelta(seconds=100), "f"))
            self.assertIn(reader.ttl(key), range(80, 101))
            self.assertTrue(writer.psetex(key, 100_000, "g"))
            self.assertIn(reader.ttl(key), range(80, 101))
            self.assertEqual(reader.get(key), b"g")

    def test_reads_that_change(self):
        for key, writer, reader in self.pairs():
            writer.set(key, "one")
            self.assertEqual(reader.strlen(key), 3)
            self.assertEqual(writer.getset(key, "two"), b"one")
            self.assertEqual(reader.getex(key, ex=100), b"two")
            self.assertIn(writer.ttl(key), range(80, 101))
            self.assertEqual(reader.getex(key, persist=True), b"two")
            self.assertEqual(writer.ttl(key), -1)
            self.assertEqual(reader.getdel(key), b"two")
            self.assertIsNone(writer.get(key))
            self.assertIsNone(reader.getdel(key))
            self.assertEqual(reader.strlen(key), 0)

    def test_expiry(self):
        for key, writer, reader in self.pairs():
            self.assertFalse(writer.expire(key, 10))
            writer.set(key, "v")
            self.assertEqual((reader.ttl(key), reader.pttl(key)), (-1, -1))
            self.assertTrue(writer.expire(key, timedelta(seconds=100)))
            self.assertIn(reader.ttl(key), range(80, 101))
            self.assertTrue(writer.pexpire(key, 200_000))
            self.assertIn(reader.ttl(key), range(180, 201))
            at = datetime.now() + timedelta(seconds=300)
            self.assertTrue(writer.expireat(key, at))
            self.assertIn(reader.ttl(key), range(280, 301))
            self.assertEqual(int(reader.execute_command("EXPIRETIME", key)), int(at.timestamp()))
            self.assertTrue(writer.pexpireat(key, int(time.time() * 1000) + 400_000))
            self.assertIn(reader.ttl(key), range(380, 401))
            self.assertTrue(writer.persist(key))
            self.assertFalse(writer.persist(key))
            self.assertEqual(reader.ttl(key), -1)
            self.assertTrue(writer.pexpire(key, 60))
            wait_until(lambda: reader.get(key) is None)
            self.assertEqual(reader.ttl(key), -2)
            self.assertFalse(reader.exists(key))
            writer.set(key, "v")
            self.assertTrue(writer.expire(key, -1))
            self.assertIsNone(reader.get(key))

    def test_many_keys(self):
        for key, writer, reader in self.pairs():
            # In cluster mode redis-py itself insists on one slot for MGET and MSET.
            names = [f"{{{key}}}{i}" for i in range(50)]
            self.assertTrue(writer.mset({name: f"v{name}" for name in names}))
            self.assertEqual(reader.mget(names), [f"v{name}".encode() for name in names])
            self.assertEqual(reader.mget(names[0], "{" + key + "}none"), [f"v{names[0]}".encode(), None])
            self.assertEqual(reader.exists(*names), 50)
            self.assertEqual(reader.touch(*names[:5]), 5)
            self.assertEqual(reader.type(names[0]), b"string")
            self.assertEqual(writer.delete(*names[:20]), 20)
            self.assertEqual(reader.unlink(*names), 30)
            self.assertEqual(writer.exists(*names), 0)
            self.assertEqual(reader.type(names[0]), b"none")
        apart = {f"apart{i}": f"{i}" for i in range(50)}  # of many slots
        self.assertTrue(self.cluster_client.mset_nonatomic(apart))
        self.assertEqual(self.cluster_client.mget_nonatomic(list(apart)), [v.encode() for v in apart.values()])
        self.assertEqual(self.alone[2].mget(list(apart)), [v.encode() for v in apart.values()])

    def pipeline(self, client):
        return client.pipeline() if client is self.cluster_client else client.pipeline(transaction=False)

    def test_pipelines(self):
        for key, writer, reader in self.pairs():
            with self.pipeline(writer) as pipe:
                for i in range(300):
                    pipe.set(f"{key}:{i}", i)
                self.assertEqual(pipe.execute(), [True] * 300)
            with self.pipeline(reader) as pipe:
                for i in range(300):
                    pipe.get(f"{key}:{i}")
                    pipe.ttl(f"{key}:{i}")
                found = pipe.execute()
            self.assertEqual(found[::2], [str(i).encode() for i in range(300)])
            self.assertEqual(found[1::2], [-1] * 300)

    def test_scan_and_dbsize(self):
        names = {f"walk:{i}".encode() for i in range(500)}
        self.alone[0].mset({name: b"x" for name in names})
        for client in self.alone:
            self.assertEqual(set(client.scan_iter("walk:*", count=50)), names)
        self.assertEqual(set(self.cluster_client.scan_iter("walk:*")), names)
        everything = set(self.alone[1].scan_iter())
        # A copy that is still on its way to a key's first owner is counted when it has come.
        wait_until(lambda: sum(client.dbsize() for client in self.alone) == len(everything))
        wait_until(lambda: self.cluster_client.dbsize(target_nodes="all") == len(everything))

    def test_a_cluster_client_sends_each_key_to_a_node_that_stores_it(self):
        published = {node.port for node in self.cluster_client.get_nodes()}
        self.assertEqual(published, {node.redis_port for node in self.nodes})
        for i in range(30):
            key = f"placed{i}"
            self.cluster_client.set(key, i)
            port = self.cluster_client.get_node_from_key(key).port
            first = self.curl(0, "GET", f"/v1/explain/default/{key}").json()["replicas"][0]["name"]
            self.assertEqual({n.redis_port: n.name for n in self.nodes}[port], first)

    def test_what_cannot_be_honest_is_refused_with_a_reason(self):
        for client in self.clients:
            for refused, reason in ((lambda c: c.setnx("no", "v"), "no node can promise"),
                                    (lambda c: c.set("no", "v", nx=True), "ST.PUT"),
                                    (lambda c: c.set("no", "v", xx=True), "ST.PUT"),
                                    (lambda c: c.incr("no"), "concurrent changes would be lost"),
                                    (lambda c: c.blpop("no", 1), "the same element"),
                                    (lambda c: c.hset("no", "f", "v"), "values are strings")):
                if client is self.cluster_client:
                    # Commands that COMMAND does not list are refused by the client itself.
                    reason += "|command doesn't exist"
                with self.assertRaisesRegex(redis.RedisError, reason):
                    refused(client)
        for client in self.alone:
            with client.pipeline(transaction=True) as pipe, \
                    self.assertRaisesRegex(redis.RedisError, "no transactions"):
                pipe.set("no", "v").execute()
            with client.pipeline() as pipe, self.assertRaisesRegex(redis.ResponseError, "no transactions"):
                pipe.watch("no")
        self.assertEqual([client.get("no") for client in self.clients], [None] * 4)

    def test_the_dynamo_interface(self):
        for key, writer, reader in self.pairs():
            first = writer.execute_command("ST.PUT", key, "one")
            reader.execute_command("ST.PUT", key, "two")
            context, siblings = writer.execute_command("ST.GET", key)
            self.assertEqual(sorted(sibling[0] for sibling in siblings), [b"one", b"two"])
            with self.assertRaisesRegex(redis.ResponseError, "^BADCONTEXT"):
                reader.execute_command("ST.PUT", key + "other", "v", "CTX", first)
            after = reader.execute_command("ST.PUT", key, "both", "CTX", context)
            self.assertEqual(writer.get(key), b"both")
            writer.execute_command("ST.DEL", key, "CTX", after)
            self.assertEqual(reader.execute_command("ST.GET", key)[1], [])
            context, siblings, evidence = reader.execute_command("ST.GET", key, "EVIDENCE")
            self.assertEqual((siblings, evidence[1]), ([], 0), evidence)
            context, evidence = writer.execute_command("ST.PUT", key, "told", "CTX", context, "EVIDENCE")
            self.assertGreaterEqual(evidence[0], 2)

    def test_values_of_any_bytes_and_sizes(self):
        for key, writer, reader in self.pairs():
            name = key.encode() + bytes(range(256))
            for value in (b"", b"\r\n", bytes(range(256)) * 4, b"x" * (1 << 20)):
                writer.set(name, value)
                self.assertEqual(reader.get(name), value)
            with self.assertRaisesRegex(redis.ResponseError, "^TOOLARGE"):
                writer.set(name, b"x" * ((1 << 20) + 1))

    def test_looking_around(self):
        for client in self.alone:
            self.assertEqual(client.info()["cluster_enabled"], 1)
            self.assertTrue(client.ping())
            self.assertEqual(client.echo("x"), b"x")
            self.assertIsInstance(client.client_id(), int)
            self.assertTrue(client.client_setname("test"))
            self.assertEqual(client.client_getname(), "test")
            self.assertIn("get", client.command())
            self.assertTrue(client.config_get("maxmemory*"))
        self.assertEqual(self.cluster_client.cluster_info()["cluster_state"], "ok")


if __name__ == "__main__":
    unittest.main()
