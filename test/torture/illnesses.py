"""What makes one node of a cluster sick without killing it, from outside, and how it shows that it really
did: a test of an illness that never broke out proves nothing."""

import signal
import threading
import time
from pathlib import Path

from torture import FaultyNode, Nodes, stat_fields


class Illness:
    def __init__(self, cluster: Nodes, sick: FaultyNode):
        self.proxy, self.sick = cluster.proxy, sick

    def begin(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError

    def evidence(self) -> dict:
        """Asked while it lasts: figures that prove it, or an AssertionError."""
        raise NotImplementedError


class Stopped(Illness):
    """The process has its connections and answers nothing."""

    def begin(self) -> None:
        self.sick.signal(signal.SIGSTOP)

    def end(self) -> None:
        self.sick.signal(signal.SIGCONT)

    def evidence(self) -> dict:
        state = stat_fields(Path(f"/proc/{self.sick.pid}"))[0]
        assert state == "T", state
        return {"state": state}


class SlowDisk(Illness):
    """Each sync takes as long as a disk of so many bytes per second needs, pages of 4 KiB at least."""

    def __init__(self, cluster: Nodes, sick: FaultyNode, bytes_per_s: int):
        super().__init__(cluster, sick)
        self._bytes_per_s = bytes_per_s

    def begin(self) -> None:
        self._waited_ms = self._ask("waited")
        self._syncs = self._ask("syncs")
        self._ask_ok(f"rate {self._bytes_per_s}")

    def end(self) -> None:
        self._ask_ok("rate 0")

    def evidence(self) -> dict:
        waited, syncs = self._ask("waited") - self._waited_ms, self._ask("syncs") - self._syncs
        assert waited > 100, f"{syncs} syncs waited for {waited} ms"
        return {"syncs": syncs, "disk_busy_ms": waited}

    def _ask(self, line: str) -> int:
        return int(self.sick.fault(line))

    def _ask_ok(self, line: str) -> None:
        answer = self.sick.fault(line)
        assert answer == "ok", (line, answer)


class Paths(Illness):
    """Something is wrong with what goes to the node, or comes from it."""

    def __init__(self, cluster: Nodes, sick: FaultyNode, to_it: bool = True, from_it: bool = True):
        super().__init__(cluster, sick)
        self._to_it, self._from_it = to_it, from_it

    def spoil(self, order: str, *more) -> None:
        if self._to_it:
            self.proxy.do(order, "*", self.sick.name, *more)
        if self._from_it:
            self.proxy.do(order, self.sick.name, "*", *more)

    def traffic(self) -> tuple[int, int]:
        """(bytes that passed, bytes that were held up) on the paths in question, until now"""
        spoiled = [count for (source, target), count in self.proxy.counts().items()
                   if self._to_it and target == self.sick.name or self._from_it and source == self.sick.name]
        return sum(count[1] for count in spoiled), sum(count[2] for count in spoiled)

    def begin(self) -> None:
        self._before = self.traffic()
        self._began_at = time.monotonic()

    def since_begin(self) -> dict:
        passed, held = (now - before for now, before in zip(self.traffic(), self._before))
        assert held > 0, "no byte was held up"
        return {"bytes_passed": passed, "bytes_held_up": held}


class Cut(Paths):
    """Nothing passes, and no connection ends."""

    def begin(self) -> None:
        self.spoil("cut")
        super().begin()

    def end(self) -> None:
        self.spoil("mend")

    def evidence(self) -> dict:
        figures = self.since_begin()
        assert figures["bytes_passed"] == 0, figures
        return figures


class ThinLink(Paths):
    """A quarter passes of what passed on such a path before."""

    SHARE = 4
    PATHS = 8  # to four others, and back

    def begin(self) -> None:
        before, _ = self.traffic()
        time.sleep(1)
        healthy = self.traffic()[0] - before
        self._bytes_per_s = healthy // self.PATHS // self.SHARE
        assert self._bytes_per_s > 1_000, healthy
        self.spoil("rate", self._bytes_per_s)
        super().begin()

    def end(self) -> None:
        self.spoil("rate", 0)

    def evidence(self) -> dict:
        figures = self.since_begin()
        # Each path may have saved up a packet.
        most = self.PATHS * (self._bytes_per_s * (time.monotonic() - self._began_at) + 2_000)
        assert figures["bytes_passed"] <= most, (figures, most)
        return {**figures, "bytes_per_s": self._bytes_per_s}


class Flapping(Paths):
    """Cut and mended three times a second."""

    HALF_S = 0.17

    def begin(self) -> None:
        super().begin()
        self._cuts = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._flap)
        self._thread.start()

    def _flap(self) -> None:
        while not self._over.wait(self.HALF_S):
            self.spoil("cut")
            self._cuts += 1
            self._over.wait(self.HALF_S)
            self.spoil("mend")

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def evidence(self) -> dict:
        figures = self.since_begin()
        assert figures["bytes_passed"] > 0, figures
        return {**figures, "cuts": self._cuts}
