"""Runs every rule of rules.py over the tree; one case per rule. Last line: N passed, M failed."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/lint"), str(ROOT / "tools")]
import rules  # noqa: E402
import tree as our  # noqa: E402


def read_tree(root):
    """All files of ours as text; bytes that are not UTF-8 are kept as surrogates."""
    return {name: (root / name).read_bytes().decode("utf-8", "surrogateescape")
            for name in our.files(root)}


def main():
    tree = read_tree(ROOT)
    if not any(name.startswith("src/base/") for name in tree):
        print("no source was found\n0 passed, 1 failed")
        return 1
    failed = 0
    for rule in rules.RULES:
        findings = sorted(set(rule(tree)))
        failed += bool(findings)
        print(f"{'FAILED' if findings else 'ok    '} {rule.__name__}: {rule.__doc__.split(chr(10))[0]}")
        for file, line, what in findings:
            print(f"    {file}:{line}: {what}")
    print(f"{len(rules.RULES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
