"""Just enough reading of C++ for the rules: blanking, includes, function bodies."""

import re

_TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<fence>[^()\\\s]{0,16})\(.*?\)(?P=fence)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.S)


def blank(text):
    """The same text, same line numbers, with comments and the insides of literals taken out."""
    def replace(match):
        token = match[0]
        newlines = "\n" * token.count("\n")
        if token.startswith(("//", "/*")):
            return newlines or " "
        return token[0].replace("R", '"') + newlines + token[-1]
    return _TOKEN.sub(replace, text)


def includes(text):
    """(line, name) of each #include, without brackets or quotes."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if found:
            yield number, found[1]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def functions(text):
    """(name, first line, lines) of each function with a body, methods in classes included.

    Walks the braces. A block directly inside a file, namespace or class whose head has a parameter
    list and no `=` before it is a function; everything inside it belongs to it.
    """
    text = re.sub(r"^[ \t]*#.*(?:\\\n.*)*$", lambda m: "\n" * m[0].count("\n"), blank(text), flags=re.M)
    found, head_start, index = [], 0, 0
    scopes = []  # True where functions may stand: namespace, class
    while index < len(text):
        char = text[index]
        if char in ";}":
            if char == "}" and scopes:
                scopes.pop()
            head_start = index + 1
        elif char == "{":
            head = text[head_start:index].strip()
            kind = _kind(head)
            if kind == "scope":
                scopes.append(True)
                head_start = index + 1
            else:
                end = _closing(text, index)
                following = text[end + 1:end + 200].lstrip()[:1]
                nested = head.count("(") > head.count(")")  # a default argument
                if nested or following in (",", "{"):  # or a member initialiser: the head goes on
                    text = text[:index] + " " + re.sub(r"[^\n]", " ", text[index + 1:end]) + " " + text[end + 1:]
                    index = end
                else:
                    if kind == "function":
                        first = line_of(text, head_start + len(text[head_start:index])
                                        - len(text[head_start:index].lstrip()))
                        found.append((_name(head), first, line_of(text, end) - first + 1))
                    index = end
                    head_start = end + 1
        index += 1
    return found


def _kind(head):
    """What a `{` after this head opens: "scope", "function", or "other" (data, enums)."""
    head = re.sub(r"\b(public|private|protected)\s*:", "", head).strip()
    head = re.sub(r"^template\s*<.*?>\s*(?=[A-Za-z\[])", "", head, flags=re.S)
    head = re.sub(r"^(\[\[.*?\]\]\s*|inline\s+|extern\s*\"\"\s*|typedef\s+)+", "", head, flags=re.S)
    if head == "" or head.startswith("namespace"):
        return "scope"
    if re.match(r"(class|struct|union)\b", head) and not re.match(r"\w+\s+[\w:]+[\s&*]+[\w:]+\s*\(", head):
        return "scope"
    before_parameters = head.split("(", 1)[0]
    if re.search(r"\boperator\b", before_parameters):
        return "function"
    return "function" if "(" in head and "=" not in before_parameters else "other"


def _closing(text, opening):
    depth = 0
    for index in range(opening, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return len(text) - 1


def _name(head):
    test = re.match(r"(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\s*\(([^)]*)", head)
    if test:
        return ".".join(part.strip() for part in test[1].split(",")[:2])
    named = re.search(r"(operator\s*[^\s(]+|[\w:~]+)\s*\(", head)
    return named[1] if named else head[:40]
