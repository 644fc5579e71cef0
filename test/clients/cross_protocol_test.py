"""One set of objects behind both doors: what HTTP and the Redis protocol do to each other's."""

import base64
import time
import unittest

from support import Client, ReplyError, ThreeNodes, wait_until


class CrossProtocol(ThreeNodes):
    def setUp(self):
        self.key = self._testMethodName
        self.path = f"/v1/kv/default/{self.key}"
        self.clients = [Client(node.redis_port) for node in self.nodes]
        for client in self.clients:
            self.addCleanup(client.close)

    def call(self, node: int, *words: str | bytes):
        return self.clients[node].call(*words)

    def http(self, node: int) -> list[bytes]:
        """All siblings as HTTP shows them."""
        answer = self.curl(node, "GET", self.path)
        if answer.status == 404:
            return []
        return [answer.body] if answer.status == 200 else answer.values()

    def put(self, node: int, value: bytes, **headers: str) -> str:
        answer = self.curl(node, "PUT", self.path, value, **headers)
        self.assertEqual(answer.status, 204, answer)
        return answer.context

    def siblings(self, node: int) -> list[bytes]:
        """All siblings as the Redis protocol shows them."""
        return sorted(sibling[0] for sibling in self.call(node, "ST.GET", self.key)[1])

    def both_show(self, *values: bytes) -> None:
        for node in range(3):
            self.assertEqual(self.http(node), sorted(values))
            self.assertEqual(self.siblings(node), sorted(values))

    def test_siblings_of_http_are_resolved_by_a_plain_set(self):
        for node in range(3):
            self.put(node, b"%d" % node)
        self.both_show(b"0", b"1", b"2")
        self.assertIn(self.call(0, "GET", self.key), (b"0", b"1", b"2"))
        self.assertEqual(self.call(1, "SET", self.key, "settled"), "OK")
        self.both_show(b"settled")

    def test_a_plain_get_returns_the_sibling_with_the_latest_time(self):
        for node in (2, 0, 1):
            self.put(node, b"by n%d" % node)
        shown = self.curl(0, "GET", self.path).json()["siblings"]
        latest = max(shown, key=lambda sibling: sibling["time"])
        for node in range(3):
            plain = self.call(node, "GET", self.key)
            self.assertEqual(plain, base64.b64decode(latest["value"]))

    def test_siblings_of_http_are_deleted_by_a_plain_del(self):
        for node in range(3):
            self.put(node, b"%d" % node)
        self.assertEqual(self.call(2, "DEL", self.key), 1)
        self.both_show()
        self.assertEqual(self.call(0, "EXISTS", self.key), 0)

    def test_contexts_are_the_same_at_both_doors(self):
        context = self.put(0, b"one")
        after = self.call(1, "ST.PUT", self.key, "two", "CTX", context)
        self.both_show(b"two")
        self.put(2, b"three", Stator_Context=after.decode())
        self.both_show(b"three")
        self.put(0, b"beside")
        seen, siblings = self.call(1, "ST.GET", self.key)
        self.assertEqual(len(siblings), 2)
        self.assertEqual(self.curl(2, "DELETE", self.path, Stator_Context=seen.decode()).status, 204)
        self.both_show()

    def test_siblings_of_the_redis_protocol_are_a_300(self):
        self.call(0, "ST.PUT", self.key, "one")
        self.call(1, "ST.PUT", self.key, "two")
        self.both_show(b"one", b"two")
        self.assertEqual(self.curl(2, "GET", self.path).status, 300)
        self.call(2, "ST.DEL", self.key)  # without a context: what is there
        self.both_show()

    def test_an_object_looks_the_same_from_both_sides(self):
        self.put(0, b"page", Content_Type="text/html; charset=utf-8")
        (value, dot, time_ms, write_id, content_type, expires_ms), = self.call(1, "ST.GET", self.key)[1]
        version, = self.curl(2, "GET", f"/v1/explain/default/{self.key}").json()["merged"]["versions"]
        self.assertEqual((value, content_type), (b"page", b"text/html; charset=utf-8"))
        self.assertEqual((dot.decode(), write_id.decode()),
                         (version["dot"], version["write_id"].replace("-", "")))
        self.assertLess(abs(time_ms - time.time() * 1000), 60_000)
        self.assertEqual((expires_ms, version["expires"]), (0, None))

    def test_one_expiry_for_both(self):
        self.assertEqual(self.call(0, "SET", self.key, "v", "PX", "100000"), "OK")
        at = int(self.curl(1, "GET", self.path).headers["stator-expires"])
        self.assertEqual(self.call(2, "PEXPIRETIME", self.key), at)
        context = self.curl(1, "GET", self.path).context
        answer = self.curl(0, "PUT", f"{self.path}?ttl_ms=200000", b"w", Stator_Context=context)
        self.assertEqual(answer.status, 204)
        self.assertIn(self.call(1, "TTL", self.key), range(180, 201))
        self.assertEqual(self.call(2, "PEXPIRE", self.key, "30"), 1)
        wait_until(lambda: not self.http(0))
        self.both_show()

    def test_the_same_write_through_both_doors_is_one(self):
        context = self.put(0, b"before")
        identity = f"{int(time.time() * 1000):012x}7abc8def0123456789ab"
        self.put(1, b"after", Stator_Context=context, Stator_Write_Id=identity)
        self.call(2, "ST.PUT", self.key, "after", "CTX", context, "WID", identity)
        self.both_show(b"after")

    def test_other_buckets_are_not_seen_by_redis_clients(self):
        self.assertEqual(self.curl(0, "PUT", f"/v1/kv/elsewhere/{self.key}", b"v").status, 204)
        self.assertIsNone(self.call(1, "GET", self.key))
        found, cursor = set(), b"0"
        while True:
            cursor, keys = self.call(2, "SCAN", cursor, "COUNT", "100")
            found.update(keys)
            if cursor == b"0":
                break
        self.assertNotIn(self.key.encode(), found)

    def test_a_context_of_the_other_door_for_another_key_is_refused(self):
        context = self.put(0, b"v")
        with self.assertRaisesRegex(ReplyError, "^BADCONTEXT "):
            self.call(1, "ST.PUT", self.key + "x", "w", "CTX", context)
        theirs = self.call(1, "ST.PUT", self.key + "y", "w").decode()
        self.assertEqual(self.curl(2, "PUT", self.path, b"w", Stator_Context=theirs).status, 400)
        self.both_show(b"v")


if __name__ == "__main__":
    unittest.main()
