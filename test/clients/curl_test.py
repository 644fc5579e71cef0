"""curl: every part of the HTTP interface, through different nodes."""

import json
import time
import unittest

from support import ThreeNodes, curl, wait_until

MIB = 1 << 20


def write_id(number: int) -> str:
    """A UUIDv7: its first 48 bits are the time in milliseconds."""
    text = f"{int(time.time() * 1000):012x}7{number:03x}8def0123456789ab"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Keys(ThreeNodes):
    def put(self, node: int, path: str, body: bytes, **headers: str) -> str:
        """The writer's new context."""
        answer = self.curl(node, "PUT", path, body, **headers)
        self.assertEqual(answer.status, 204, answer)
        return answer.context

    def values(self, node: int, path: str) -> list[bytes]:
        answer = self.curl(node, "GET", path)
        if answer.status == 404:
            return []
        return [answer.body] if answer.status == 200 else answer.values()

    def refused(self, answer, status: int, error: str) -> None:
        self.assertEqual((answer.status, answer.json()["error"]), (status, error), answer)
        self.assertTrue(answer.json()["message"] and answer.json()["hint"], answer)

    def test_put_get_delete_through_different_nodes(self):
        path = "/v1/kv/carts/plain"
        self.assertEqual(self.curl(0, "GET", path).status, 404)
        self.put(0, path, b"hello", Content_Type="text/plain")
        for node in range(3):
            answer = self.curl(node, "GET", path)
            self.assertEqual((answer.status, answer.body), (200, b"hello"))
            self.assertEqual(answer.headers["content-type"], "text/plain")
            self.assertRegex(answer.headers["stator-quorum"],
                             r"^primaries=[23] fallbacks=0 nodes=[23] zones=1$")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        head = self.curl(1, "HEAD", path)
        self.assertEqual((head.status, head.headers["content-length"]), (200, "5"))
        context = self.curl(1, "GET", path).context
        self.assertEqual(self.curl(2, "DELETE", path, Stator_Context=context).status, 204)
        gone = self.curl(0, "GET", path)
        self.refused(gone, 404, "not_found")
        # The context knows of the tombstone: a write with it leaves one value and nothing else.
        self.assertNotEqual(gone.context, context)
        self.put(1, path, b"again", Stator_Context=gone.context)
        held = self.curl(2, "GET", "/v1/explain/carts/plain").json()["merged"]["versions"]
        self.assertEqual([(v["tombstone"], v["bytes"]) for v in held], [(False, 5)])

    def test_siblings_of_writers_who_saw_nothing(self):
        path = "/v1/kv/carts/siblings"
        for node in range(3):
            self.put(node, path, b"by n%d" % node, Content_Type=f"text/x-n{node}")
        for node in range(3):
            answer = self.curl(node, "GET", path)
            self.assertEqual((answer.status, answer.values()), (300, [b"by n0", b"by n1", b"by n2"]))
            shown = answer.json()
            self.assertEqual(shown["context"], answer.context)
            self.assertEqual(sorted(s["content_type"] for s in shown["siblings"]),
                             ["text/x-n0", "text/x-n1", "text/x-n2"])
            for sibling in shown["siblings"]:
                self.assertEqual(set(sibling), {"value", "content_type", "dot", "time", "write_id"})
        self.put(1, path, b"merged", Stator_Context=answer.context)
        self.assertEqual([self.values(node, path) for node in range(3)], [[b"merged"]] * 3)

    def test_a_writer_replaces_what_it_saw_and_nothing_else(self):
        path = "/v1/kv/carts/own"
        mine = self.put(0, path, b"mine 1")
        self.put(1, path, b"theirs")
        mine = self.put(2, path, b"mine 2", Stator_Context=mine)
        self.assertEqual(self.values(0, path), [b"mine 2", b"theirs"])
        self.assertEqual(self.curl(1, "DELETE", path, Stator_Context=mine).status, 204)
        self.assertEqual(self.values(2, path), [b"theirs"])

    def test_the_same_write_sent_again_is_one_value(self):
        path = "/v1/kv/carts/retry"
        context = self.put(0, path, b"before")
        for number, (body, headers) in enumerate(((b"blind", {}), (b"with", {"Stator_Context": context}))):
            name = f"{path}{number}" if number == 0 else path
            wid = write_id(number)
            for node in (1, 2, 0, 1):
                answer = self.curl(node, "PUT", name, body, Stator_Write_Id=wid, **headers)
                self.assertEqual((answer.status, answer.headers["stator-write-id"]), (204, wid))
            self.assertEqual(self.values(2, name), [body])
        self.refused(self.curl(0, "PUT", path, b"x", Stator_Write_Id="not an id"), 400, "bad_request")
        old = "0" * 12 + wid.replace("-", "")[12:]
        answer = self.curl(0, "PUT", path, b"x", Stator_Write_Id=old)
        # Nobody remembers whether it was applied, and it is not applied now.
        said = answer.json()
        self.assertEqual((answer.status, said["error"], said["outcome"]),
                         (409, "write_id_expired", "unknown"), answer)
        self.assertIn("older than 10 minutes", said["message"])
        self.assertTrue(said["hint"].startswith("read the key; if your write is not there"), answer)
        self.assertEqual(self.values(1, path), [b"with"])

    def test_one_mebibyte_is_accepted_and_one_byte_more_refused(self):
        path = "/v1/kv/carts/large"
        value = bytes(range(256)) * (MIB // 256)
        self.put(0, path, value)
        self.assertEqual(self.curl(1, "GET", path).body, value)
        self.refused(self.curl(2, "PUT", path, value + b"x"), 413, "too_large")
        chunked = self.curl(2, "PUT", path, value + b"x", Transfer_Encoding="chunked")
        self.refused(chunked, 413, "too_large")
        self.assertEqual(self.curl(0, "GET", path).body, value)
        self.put(1, path, value, Transfer_Encoding="chunked",
                 Stator_Context=self.curl(0, "GET", path).context)
        self.assertEqual(self.curl(2, "GET", path).body, value)
        self.refused(self.curl(0, "PUT", f"/v1/kv/carts/{'k' * 4097}", b"x"), 413, "too_large")
        self.put(0, f"/v1/kv/carts/{'k' * 4096}", b"x")

    def test_contexts_of_another_key_cut_and_random_are_refused(self):
        path = "/v1/kv/carts/guarded"
        context = self.put(0, path, b"v")
        changed = context[:-8] + ("A" if context[-8] != "A" else "B") + context[-7:]
        for method, body in (("PUT", b"w"), ("DELETE", None)):
            for bad in (context[:-3], context[: len(context) // 2], changed, "A" * len(context), "!", "x" * 4000):
                self.refused(self.curl(1, method, path, body, Stator_Context=bad), 400, "bad_context")
            for other in ("/v1/kv/carts/another", "/v1/kv/other/guarded"):
                self.refused(self.curl(2, method, other, body, Stator_Context=context), 400, "bad_context")
        self.assertEqual(self.values(0, path), [b"v"])
        self.assertEqual(self.values(0, "/v1/kv/carts/another"), [])

    def test_a_blind_delete_deletes(self):
        path = "/v1/kv/carts/blind"
        for number, values in enumerate(([b"one"], [b"one", b"two", b"three"])):
            for value in values:
                self.put(number, path, value)
            self.assertEqual(self.values(0, path), sorted(values))
            self.assertEqual(self.curl(2, "DELETE", path).status, 204)
            self.assertEqual([self.values(node, path) for node in range(3)], [[]] * 3)
        self.assertEqual(self.curl(1, "DELETE", path).status, 204)  # whether or not anything is there

    def test_a_hundred_interleaved_writes_of_two_clients_leave_two_siblings(self):
        path = "/v1/kv/carts/interleaved"
        contexts = [{}, {}]
        for number in range(100):
            writer = number % 2
            # Each goes round the nodes in its own way, and chains what its own writes answered.
            node = number % 3 if writer == 0 else (number // 2) % 3
            context = self.put(node, path, b"writer %d, write %d" % (writer, number), **contexts[writer])
            contexts[writer] = {"Stator_Context": context}
        expected = [b"writer 0, write 98", b"writer 1, write 99"]
        for node in range(3):
            self.assertEqual(self.curl(node, "GET", f"{path}?r=3").values(), expected)

    def test_keys_and_buckets_of_any_bytes(self):
        for name in ("%00%FF%0D%0A", "a%2Fb", "%E2%82%AC", "with%20space", "."):
            path = f"/v1/kv/any%2Fbucket/{name}"
            self.put(0, path, name.encode())
            self.assertEqual(self.values(1, path), [name.encode()])
        self.assertEqual(self.values(2, "/v1/kv/any/a%2Fb"), [])

    def test_values_that_expire(self):
        path = "/v1/kv/carts/short"
        self.assertEqual(self.curl(0, "PUT", f"{path}?ttl_ms=100000", b"v").status, 204)
        left = int(self.curl(1, "GET", path).headers["stator-expires"]) - time.time() * 1000
        self.assertTrue(70_000 < left <= 101_000, left)
        context = self.curl(1, "GET", path).context
        self.assertEqual(self.curl(1, "PUT", f"{path}?ttl_ms=50", b"w", Stator_Context=context).status, 204)
        wait_until(lambda: self.values(2, path) == [])

    def test_quorums_of_one_request(self):
        path = "/v1/kv/carts/quorum"
        self.assertEqual(self.curl(0, "PUT", f"{path}?w=3&pw=3", b"v").status, 204)
        answer = self.curl(1, "GET", f"{path}?r=3&pr=3")
        self.assertEqual(answer.headers["stator-quorum"], "primaries=3 fallbacks=0 nodes=3 zones=1")
        for bad in ("r=0", "r=8", "r=x", "r=1&r=1", "unknown=1", "timeout_ms=-1"):
            self.refused(self.curl(0, "GET", f"{path}?{bad}"), 400, "bad_request")

    def test_other_methods_and_paths(self):
        answer = self.curl(0, "POST", "/v1/kv/a/b", b"x")
        self.refused(answer, 405, "method_not_allowed")
        self.assertIn("PUT", answer.headers["allow"])
        self.refused(self.curl(0, "GET", "/v1/nothing"), 404, "no_such_path")
        self.refused(self.curl(0, "PUT", "/v1/kv/a/b", b"x", If_None_Match="*"), 400, "bad_request")


class Browsers(ThreeNodes):
    """No web page reaches a node through a browser."""

    def test_a_foreign_host_is_refused(self):
        port = self.nodes[0].http_port
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example"):
            for method, body in (("GET", None), ("PUT", b"x")):
                answer = self.curl(0, method, "/v1/kv/web/host", body, Host=host)
                self.assertEqual((answer.status, answer.json()["error"]), (421, "host_foreign"), host)
        for host in ("localhost", f"localhost:{port}", f"127.0.0.1:{port}", "[::1]"):
            self.assertEqual(self.curl(0, "GET", "/v1/kv/web/host", Host=host).status, 404, host)

    def test_a_foreign_origin_is_refused(self):
        port = self.nodes[0].http_port
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{self.nodes[1].http_port}",
                       f"https://127.0.0.1:{port}.evil.example"):
            for method, body in (("GET", None), ("PUT", b"x"), ("DELETE", None)):
                answer = self.curl(0, method, "/v1/kv/web/origin", body, Origin=origin)
                self.assertEqual((answer.status, answer.json()["error"]), (403, "origin_foreign"), origin)
            self.assertNotIn("access-control-allow-origin", answer.headers)
        own = self.curl(0, "PUT", "/v1/kv/web/origin", b"own", Origin=f"http://127.0.0.1:{port}")
        self.assertEqual(own.status, 204)
        self.assertEqual(self.curl(1, "GET", "/v1/kv/web/origin").body, b"own")

    def test_the_redis_port_closes_on_http(self):
        with self.assertRaisesRegex(AssertionError, "Empty reply|reset by peer"):
            curl(f"http://127.0.0.1:{self.redis_port(0)}/", "POST", b"\r\nSET from-a-page x\r\n")
        self.assertEqual(self.redis_cli(1, "EXISTS", "from-a-page"), b"0")


class Looking(ThreeNodes):
    def json(self, node: int, path: str):
        answer = self.curl(node, "GET", path)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json"), answer)
        return answer.json()

    def test_explain(self):
        self.assertEqual(self.curl(0, "PUT", "/v1/kv/look/here", b"v").status, 204)
        for node in range(3):
            shown = self.json(node, "/v1/explain/look/here")
            self.assertEqual((shown["bucket"], shown["key"]), ("look", "here"))
            self.assertEqual(sorted(r["name"] for r in shown["replicas"]), ["n1", "n2", "n3"])
            self.assertTrue(all(r["owner"] and r["answered"] for r in shown["replicas"]), shown)
            self.assertEqual([v["bytes"] for v in shown["merged"]["versions"]], [1])
            self.assertTrue(shown["verdict"])
        # All nodes tell the same of one key.
        firsts = {self.json(node, "/v1/explain/look/here")["replicas"][0]["name"] for node in range(3)}
        self.assertEqual(len(firsts), 1)

    def test_status(self):
        for node in range(3):
            shown = self.json(node, "/v1/status")
            self.assertEqual(shown["node"]["name"], f"n{node + 1}")
            self.assertTrue(shown["node"]["member"] and shown["node"]["ready"])
            self.assertEqual([shown["cluster"][name] for name in "nrw"], [3, 2, 2])
            self.assertEqual({m["redis"] for m in shown["members"]},
                             {f"127.0.0.1:{n.redis_port}" for n in self.nodes})

    def test_ring(self):
        whole = [self.json(node, "/v1/ring") for node in range(3)]
        for shown in whole:
            self.assertEqual(shown["q"] * shown["slots_per_partition"], 16384)
            self.assertEqual(sum(m["first_places"] for m in shown["members"]), shown["q"])
            self.assertEqual(shown["ranges"], whole[0]["ranges"])
        one = self.json(1, "/v1/ring?partition=0")
        self.assertEqual(sorted(owner["name"] for owner in one["owners"]), ["n1", "n2", "n3"])

    def test_metrics_and_health(self):
        for node in range(3):
            metrics = self.curl(node, "GET", "/metrics")
            self.assertEqual(metrics.status, 200)
            self.assertRegex(metrics.headers["content-type"], r"^text/plain; version=0\.0\.4")
            lines = metrics.body.decode().splitlines()
            samples = [line for line in lines if not line.startswith("#")]
            self.assertTrue(samples)
            for line in samples:
                self.assertRegex(line, r'^stator_[a-z0-9_]+(\{[^}]*\})? [-+0-9.eInfNa]+$|^process_\S+ [0-9.e+]+$')
            for path in ("/healthz", "/readyz"):
                self.assertEqual(self.curl(node, "GET", path).status, 200, path)
        self.assertTrue(json.loads(self.curl(0, "GET", "/readyz").body)["ready"])
        self.assertEqual(self.curl(0, "GET", "/").status, 200)


if __name__ == "__main__":
    unittest.main()
