"""Writes the files that the mutants change: breed.py SRC OUT. Prints `given` files, then `made` ones, each list
separated by semicolons, for CMake. A text that does not stand in its file exactly once ends it."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
from mutants import CANARY, MUTANTS  # noqa: E402

CONDITION = '[] { static const bool on = ::stator::mutant_is("NAME"); return on; }()'


def main(src, out):
    texts = {}
    for mutant in [*MUTANTS, CANARY]:
        for file, was, becomes in mutant.edits:
            text = texts.get(file) or (src / file).read_text()
            if text.count(was) != 1:
                sys.exit(f"mutant {mutant.name}: {was!r} stands {text.count(was)} times in {file}; give it a text "
                         "that stands there once")
            texts[file] = text.replace(was, becomes.replace("MUTANT", CONDITION.replace("NAME", mutant.name)))
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for file, text in texts.items():
        target = out / file.replace("/", "-")
        text = "namespace stator { bool mutant_is(const char* name); }\n" + text
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
        made.append(target)
    print(";".join(str(src / file) for file in texts))
    print(";".join(str(target) for target in made))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
