# SPDX-License-Identifier: Apache-2.0
"""src/jmespath against the library of the language's authors, on generated expressions and documents."""
import json
import random
import subprocess

import pytest

from jmespath_reference import ERROR, equals, outcome
from world import BIN, seed_of_run

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # literals that are no JSON
PROGRAM = BIN.parent / "tests" / "jmespath_eval"
CASES = 5000

NAMES = ["a", "b", "c", "d", "e", "name", "long name", "é", "", "A_1"]
LIKELY_NAMES = ["a", "b", "c", "d", "e"]
TEXTS = ["", "a", "b", "abc", "cab", "12", "-1.5", " 7 ", "+3", ".5", "007", "1e2", "é", "中文", "x\"y", "\\", "it's", "`", "a,b,,c",
         "{\"a\":1}", "[1,null]", "true", "line\nbreak", "😀é"]
WHOLE = [0, 1, 2, 3, 5, -1, -7, 10, 1000, 9007199254740993, -9007199254740992]
BROKEN = [0.5, 1.25, -2.75, 3.5, 1e-07]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]
PIECES = list("abc.*[]{}()|&!<>=,:@'`\"-0123 \\") + ["[]", "[?", "||", "&&", "[*]", ".*", "[0]", "[1:2]", "length(", "`1`", "'a'"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one_of(self, *makers):
        return self.random.choice(makers)()

    # Documents

    def number(self):
        return self.random.choice(WHOLE if self.random.random() < 0.7 else BROKEN)

    def scalar(self):
        return self.one_of(self.number, self.number, lambda: self.random.choice(TEXTS), lambda: self.random.choice(TEXTS),
                           lambda: None, lambda: True, lambda: False)

    def array(self, depth):
        size = self.random.randrange(6)
        kind = self.random.randrange(4)
        if kind == 0:
            return [self.number() for _ in range(size)]
        if kind == 1:
            return [self.random.choice(TEXTS) for _ in range(size)]
        if kind == 2:
            return [{"a": self.number(), "b": self.random.choice(TEXTS), **self.members(depth - 1)} for _ in range(size)]
        return [self.value(depth - 1) for _ in range(size)]

    def members(self, depth):
        return {name: self.value(depth - 1) for name in self.random.sample(NAMES, self.random.randrange(6))}

    def value(self, depth):
        if depth <= 0:
            return self.scalar()
        return self.one_of(self.scalar, lambda: self.array(depth), lambda: self.array(depth), lambda: self.members(depth))

    def row(self):
        return {"a": self.number(), "b": self.random.choice(TEXTS), "c": self.members(2), **self.members(2)}

    def likely_members(self):
        """Something of each kind under the names that expressions use most."""
        rows = [self.row() for _ in range(self.random.randrange(5))]
        kinds = [rows, [self.number() for _ in range(4)], [self.random.choice(TEXTS) for _ in range(4)],
                 self.random.choice(TEXTS), self.members(3)]
        self.random.shuffle(kinds)
        return {**self.members(2), **dict(zip(LIKELY_NAMES, kinds))}

    def document(self):
        return self.one_of(self.likely_members, self.likely_members, self.likely_members, self.likely_members,
                           lambda: [self.row() for _ in range(4)], lambda: self.members(4), lambda: self.array(4), self.scalar)

    # Expressions

    def name(self):
        name = self.random.choice(NAMES if self.random.random() < 0.2 else LIKELY_NAMES)
        plain = name.replace("_", "a").isalnum() and name.isascii()
        return name if plain and self.random.random() < 0.9 else json.dumps(name, ensure_ascii=self.random.random() < 0.5)

    def literal(self):
        kind = self.random.randrange(6)
        if kind < 2:
            return "'" + self.random.choice(TEXTS).replace("'", "\\'").rstrip("\\") + "'"
        if kind == 2:
            return "`" + self.random.choice(["foo", " bar", "2020-01-01", "true", "null", "[]", "{}", "\"\"", ""]) + "`"
        value = self.scalar() if kind < 5 else self.value(2)
        return "`" + json.dumps(value, ensure_ascii=self.random.random() < 0.5).replace("`", "\\`") + "`"

    def slice(self):
        part = [str(self.random.randrange(-4, 5)) if self.random.random() < 0.6 else "" for _ in range(2)]
        step = self.random.choice(["", "", ":", ":1", ":2", ":-1", ":-2", ":3", ":0"])
        return f"[{part[0]}:{part[1]}{step}]"

    def step(self, depth):
        kind = self.random.randrange(14)
        if kind < 4:
            return "." + self.name()
        if kind == 4:
            return ".*"
        if kind == 5:
            return "[*]"
        if kind < 8:
            return f"[{self.random.randrange(-3, 4)}]"
        if kind == 8:
            return self.slice()
        if kind == 9:
            return "[]"
        if kind == 10:
            return f"[?{self.expression(depth - 1)}]"
        if kind == 11:
            return "." + self.choose(depth - 1)
        if kind == 12:
            return "." + self.call(depth - 1)
        return " | " + self.expression(depth - 1)

    def choose(self, depth):
        if self.random.random() < 0.5:
            return "[" + ", ".join(self.expression(depth) for _ in range(self.random.randrange(1, 4))) + "]"
        pairs = (f"{self.name()}: {self.expression(depth)}" for _ in range(self.random.randrange(1, 4)))
        return "{" + ", ".join(pairs) + "}"

    def array_like(self, depth):
        return self.random.choice(["@", "a", "b", "[*].a", "[*].b", "c[]", "values(@)", "keys(@)", "*.a", "`[3, 1, 2, 1]`",
                                   "`[\"b\", \"a\", \"é\"]`", "[]", self.expression(depth)])

    def call(self, depth):
        value = self.expression
        name, *arguments = self.random.choice([
            ("abs", value), ("ceil", value), ("floor", value), ("avg", self.array_like), ("sum", self.array_like),
            ("length", value), ("max", self.array_like), ("min", self.array_like), ("sort", self.array_like),
            ("reverse", value), ("reverse", self.array_like), ("keys", value), ("values", value),
            ("merge", value, value), ("merge", value), ("not_null", value, value, value), ("to_array", value),
            ("to_number", value), ("to_string", value), ("type", value), ("contains", value, value),
            ("contains", self.array_like, value), ("starts_with", value, value), ("ends_with", value, value),
            ("join", lambda _: "','", self.array_like), ("map", self.reference, self.array_like),
            ("sort_by", self.array_like, self.reference), ("max_by", self.array_like, self.reference),
            ("min_by", self.array_like, self.reference), ("split", value, lambda _: "','"), ("split", value, value),
            ("get_field", value, value), ("to_json", value), ("zip", self.array_like, self.array_like),
            ("unknown", value)])
        if self.random.random() < 0.02:
            arguments = arguments[1:]
        return f"{name}({', '.join(argument(depth - 1) for argument in arguments)})"

    def reference(self, depth):
        return "&" + self.random.choice(["a", "b", "@", "length(@)", "to_string(@)", "to_number(@)", self.expression(depth)])

    def expression(self, depth=3):
        if depth <= 0:
            return self.one_of(self.name, self.name, self.name, self.literal, lambda: "@")
        kind = self.random.randrange(20)
        if kind < 9:
            start = self.one_of(self.name, self.name, lambda: "@", lambda: "[*]", lambda: "*", lambda: "[]", self.slice,
                                lambda: f"[{self.random.randrange(-2, 3)}]")
            return start + "".join(self.step(depth) for _ in range(self.random.randrange(4)))
        if kind < 13:
            return self.call(depth)
        if kind == 13:
            return self.choose(depth - 1)
        if kind == 14:
            return f"{self.expression(depth - 1)} {self.random.choice(COMPARISONS)} {self.expression(depth - 1)}"
        if kind == 15:
            return f"{self.expression(depth - 1)} {self.random.choice(['||', '&&', '|'])} {self.expression(depth - 1)}"
        if kind == 16:
            return f"({self.expression(depth - 1)})"
        if kind == 17:
            return "!" + self.expression(depth - 1)
        if kind == 18:
            return self.reference(depth - 1) if self.random.random() < 0.1 else self.name()
        return self.literal()

    def damaged(self, text):
        at = self.random.randrange(len(text) + 1)
        kind = self.random.randrange(3)
        if kind == 0:
            return text[:at] + text[at + 1:]
        if kind == 1:
            return text[:at] + self.random.choice(PIECES) + text[at:]
        return text[:at] + self.random.choice(PIECES) + text[at + 1:]

    def case(self):
        text = self.expression()
        while self.random.random() < 0.2:
            text = self.damaged(text)
        return text, self.document()

    def telling_case(self):
        """(expression, document, what it should give); most of those that give nothing or an error are left out."""
        while True:
            text, document = self.case()
            wanted = outcome(text, document)
            if wanted not in (None, [], {}, ERROR) or self.random.random() < 0.25:
                return text, document, wanted


def answers_of(cases):
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built")
    lines = "".join(json.dumps(case[:2], ensure_ascii=False) + "\n" for case in cases)
    done = subprocess.run([PROGRAM], input=lines.encode(), capture_output=True, check=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(answers) == len(cases)
    return answers


def difference(expression, document, wanted, answer):
    got = answer.get("result", ERROR)
    if wanted is ERROR or got is ERROR:
        same = wanted is got
    else:
        same = equals(wanted, got)
    if same:
        return None
    shown = "an error" if wanted is ERROR else json.dumps(wanted, ensure_ascii=False)
    return f"{expression}\n  on {json.dumps(document, ensure_ascii=False)}\n  should give {shown}\n  gave {answer}"


def test_generated_expressions_give_what_the_authors_library_gives():
    maker = Maker(seed_of_run())
    cases = [maker.telling_case() for _ in range(CASES)]
    answers = answers_of(cases)
    differences = [found for case, answer in zip(cases, answers) if (found := difference(*case, answer))]
    assert not differences, f"{len(differences)} of {CASES}:\n" + "\n".join(differences[:10])
    results = [answer for answer in answers if "result" in answer]
    assert len(results) < CASES, "errors are compared too"
    assert sum(answer["result"] not in (None, [], {}) for answer in results) > CASES / 4, "or little is compared"


@pytest.mark.parametrize("expression, document, wanted", [
    ("a[0][0:1].b", {"a": [[{"b": 1}, {"b": 2}]]}, [1]),
    ("`[1]` == `[true]`", {}, False),
    ("'a' < `1`", {}, None),
    ("contains('a1', `1`)", {}, False),
    ("to_string({a: `1.0`, b: avg(`[1, 3]`), c: 'é'})", {}, '{"a":1.0,"b":2,"c":"é"}'),
    ("to_number('1_000')", {}, None),
    ("sum(@)", [9007199254740993, 1], 9007199254740994),
])
def test_decided_differences_are_as_decided(expression, document, wanted):
    [answer] = answers_of([(expression, document)])
    assert equals(answer.get("result", ERROR), wanted), answer
