"""A rotten disk under one of three nodes: what it cannot read is never "not found" and never wrong, and the
other owners restore it (D30, I17)."""

import os
import re
import signal
import unittest

from nodes import Cluster, wait_until
from resp import Client


def counter(node, name: str) -> int:
    text = node.http("GET", "/metrics")[2].decode()
    return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])


class Rot(unittest.TestCase):
    KEYS, VALUE_BYTES, FLIP_EVERY = 800, 2000, 24 << 10

    def setUp(self):
        self.cluster = Cluster(3, "--engine-memory", "8MiB")
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.rotten = self.cluster.nodes[0]

    def restart(self) -> None:
        self.rotten.signal(signal.SIGTERM)
        self.assertEqual(self.rotten.wait(), 0)

    def rot(self) -> int:
        """Flips bits in the data of each table; its index and its footer stand at its end."""
        flips = 0
        for table in (self.rotten.data / "rocksdb").glob("*.sst"):
            size = table.stat().st_size
            with table.open("r+b") as file:
                for at in range(1000, size * 9 // 10, self.FLIP_EVERY):
                    file.seek(at)
                    byte = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([byte ^ 0x20]))
                    flips += 1
        return flips

    def test_in_a_table_is_read_past_and_restored(self):
        values = {f"k{k}": os.urandom(self.VALUE_BYTES) for k in range(self.KEYS)}
        with Client(self.rotten.redis_port) as client:
            for key, value in values.items():
                client.call("SET", key, value)
        self.restart()
        self.rotten.start()  # from the log into tables
        self.restart()
        flips = self.rot()
        self.assertGreater(flips, 20)
        self.rotten.start()
        self.cluster.await_all_healthy()
        for node in self.cluster.nodes:
            with Client(node.redis_port) as client:
                for key, value in values.items():
                    self.assertEqual(client.call("GET", key), value, key)
        unreadable = counter(self.rotten, "stator_records_unreadable_total")
        self.assertGreaterEqual(unreadable, flips // 2)

        def whole(key: str) -> bool:
            status, _, body = self.rotten.http("GET", f"/v1/kv/default/{key}?r=3")
            if status == 200:
                self.assertEqual(body, values[key], key)
            else:
                self.assertIn(b"unreadable", body)
            return status == 200

        for key in values:  # from all three owners
            wait_until(lambda key=key: whole(key))
        restored = counter(self.rotten, "stator_records_restored_total")
        self.assertGreater(restored, flips // 2)
        before = counter(self.rotten, "stator_records_unreadable_total")
        for key in values:
            self.assertTrue(whole(key))
        self.assertEqual(counter(self.rotten, "stator_records_unreadable_total"), before)
        print(f"{flips} bits flipped: {restored} records restored, no wrong answer")


if __name__ == "__main__":
    unittest.main()
