"""Clients of Node: each script ends with how many of its cases passed. See package.json for versions."""

import re
import unittest

from support import HERE, PATIENCE_S, ThreeNodes, tool


class NodeClients(ThreeNodes):
    passed = 0

    @classmethod
    def tearDownClass(cls):
        print(f"{cls.passed} cases of Node's clients passed")

    def script(self, name: str) -> None:
        self.assertEqual(self.redis_cli(0, "SET", "from redis-cli", "by redis-cli"), b"OK")
        ended = tool("node", str(HERE / f"{name}.mjs"), env=self.environment(), cwd=HERE, timeout_s=4 * PATIENCE_S)
        told = ended.stdout.decode() + ended.stderr.decode()
        self.assertEqual(ended.returncode, 0, told)
        passed = re.search(r"^([1-9]\d*) passed, 0 failed$", told, re.M)
        self.assertTrue(passed, told)
        type(self).passed += int(passed[1])
        for node in range(3):
            self.assertEqual(self.redis_cli(node, "GET", f"from {name}"), f"by {name}".encode())
            self.assertEqual(self.http_value(node, f"from%20{name}"), f"by {name}".encode())

    def test_ioredis(self):
        self.script("ioredis")

    def test_node_redis(self):
        self.script("node_redis")


if __name__ == "__main__":
    unittest.main()
