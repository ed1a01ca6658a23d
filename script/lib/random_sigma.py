"""Random Sigma rules and events out of one small alphabet, so that they meet often. Deterministic by seed."""

import json
import uuid

FIELDS = ["a", "b", "nested.c", "n", "ip", "t"]
TEXT_FIELDS = ["a", "b", "nested.c"]
LETTERS = ["x", "Y", "ab", "-", "/", "1", "20", "é", " ", ".", "'", "\\", "*", "?", "foo", "Bar", "%41", "_", "É", "ß", "Ω", "ω", "Я", "я",
           "\"", "\n", "\t", "n", "😀"]
# What only events hold: dashes that `windash` makes of others, and what JSON has no other way to write than an escape.
EVENT_LETTERS = LETTERS + ["–", "―", "\r", "\b", "\f", "\x01"]
# What rules encode, as events hold it, and texts around what JSON escapes.
TEXTS = ["Zm9v", "ZgBvAG8A", "eHNlY3JldA==", "", "AGEAYg==", "//5hAGIA", "LwQ=", "YgBhAHIA", "//5mAG8AbwA=", "WgBtADkAdgA=", "xfoo", "ab\nfoo",
         "foo\n", "f\0o\0o\0", "xa\0B\0", "\0a\0b", "/\x04", "Z\0m\09\0v\0", "é\\ω\"x/y", "x\"Y", "1\\foo"]
ADDRESSES = ["192.0.2.1", "192.0.2.200", "10.1.2.3", "2001:db8::1", "2001:db8:ffff::2", "::1", "not an address"]
NETWORKS = ["192.0.2.0/24", "192.0.2.128/25", "10.0.0.0/8", "2001:db8::/32", "::/0", "0.0.0.0/0"]
TIMES = ["2026-03-01T10:05:00Z", "2026-12-31T23:59:59.5Z", "2027-01-01T00:30:00+01:00", "2024-02-29T12:00:00Z", "no time"]
TIME_PARTS = [("minute", 5), ("minute", 59), ("hour", 10), ("hour", 23), ("day", 1), ("day", 31), ("week", 53), ("week", 9), ("month", 3),
              ("month", 12), ("year", 2026), ("year", 2024)]
EXPRESSIONS = ["x+", "^ab", "b$", "(x|y)z?", "[a-f]{2,3}", "\\d+", "foo.ar", "^.$", "\\\\", "a\\.b", "\\w-", "(ab)*c?", "[^x]$",
               "^foo", "\\n", "\\t", "\"", "\\x22\\w", "\\s", "\\S{3}$", "é|ω", "[à-ü]", "^.😀?.$", "\\/", "ab.foo", "x|^y|foo$", "\\\\n", "\\w\\x22\\w",
               "\\w\\\\\\w"]
FLAGS = ["", "", "i", "ignorecase", "m", "multiline", "s", "dotall", "i|s", "ignorecase|dotall", "multiline|i", "i|m|s"]
COMPARISONS = ["lt", "lte", "gt", "gte"]
# Values that a pipeline gives, to the program and to the oracle alike.
PLACEHOLDERS = {"Names": ["foo", "Bar*"], "letters": ["x", "é", "?b", "\\*"], "numbers": [1, 20], "with-dash.and_dot": ["-", "ω"]}
ENCODINGS = ["wide", "utf16le", "utf16be", "utf16"]
# pySigma wants these to be the first of the modifiers.
FIRST = ("re", "cidr", "exists")


def escaped(text):
    """As plain text in a rule, where some characters mean something."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


class Source:
    def __init__(self, random):
        self.random = random
        self.kinds = [
            (1, self.exists), (1, self.null), (1, self.empty), (1, self.comparison), (1, self.number), (1, self.network), (2, self.expression),
            (1, self.windash), (1, self.base64offset), (2, self.encoded), (2, self.reference), (2, self.time), (1, self.contains_all),
            (1, self.cased), (2, self.expand), (6, self.text)]

    def chance(self, share):
        return self.random.random() < share

    def word(self, most=3, letters=None):
        return "".join(self.random.choice(letters or LETTERS) for _ in range(self.random.randint(1, most)))

    def plain(self):
        return escaped(self.word(2))

    def pattern(self):
        """A value of a rule: what is special in Sigma is escaped, or meant."""
        words = [self.plain() for _ in range(2)]
        kind = self.random.randrange(7)
        return [words[0], words[0] + "*", "*" + words[0], words[0] + "?" + words[1], words[0] + "*" + words[1],
                "*" + words[0] + "*", self.word(2)][kind]

    def values(self, make, most=3):
        return [make() for _ in range(self.random.randint(1, most))]

    def one_of(self, *choices):
        return self.random.choice(choices)

    # What may stand behind a field: its modifiers in order, and its values. A field of their own comes first.

    def exists(self):
        return self.random.choice(FIELDS), ["exists"], self.chance(0.5)

    def null(self):
        return self.random.choice(FIELDS), [], None

    def empty(self):
        return None, [], ""

    def comparison(self):
        number = lambda: self.one_of(0, 1, 20, -1, 2.5)  # noqa: E731
        return "n", [self.random.choice(COMPARISONS)], self.values(number, 2) if self.chance(0.2) else number()

    def number(self):
        return "n", [], self.values(lambda: self.one_of(0, 1, 20, "1", "2*"))

    def network(self):
        return "ip", ["cidr"], self.values(lambda: self.random.choice(NETWORKS))

    def expression(self):
        flags = [flag for flag in self.random.choice(FLAGS).split("|") if flag]
        return None, ["re", *flags, *(["contains"] if self.chance(0.1) else [])], self.values(lambda: self.random.choice(EXPRESSIONS), 2)

    def windash(self):
        return None, ["windash", "contains", *(["cased"] if self.chance(0.2) else [])], self.values(
            lambda: self.one_of("-", "/", "a -", "--", "x -b /") + self.plain(), 2)

    def base64offset(self):
        wide = [*self.twice(), self.random.choice(ENCODINGS)] if self.chance(0.3) else []
        return None, [*wide, "base64offset", "contains"], self.values(
            lambda: self.one_of("foo", "Bar", "secret", "ab") if wide else self.one_of("foo", "Bar", "secret", "éx1", "ab"), 2)

    def twice(self):
        """Now and then what is encoded as base64 is encoded once more."""
        return ["base64"] if self.chance(0.15) else []

    def encoded(self):
        """Without base64 it is text with zero bytes; the byte order mark of utf16 is none in any text."""
        encoding = self.random.choice(ENCODINGS)
        base64 = ["base64"] if encoding == "utf16" or self.chance(0.6) else []
        anchor = self.one_of([], ["contains"], ["contains"], ["startswith"], ["endswith"])
        return None, [*self.twice(), encoding, *base64, *anchor], self.values(lambda: self.one_of("foo", "ab", "Bar", "Я"), 2)

    def reference(self):
        return self.random.choice([*TEXT_FIELDS, *FIELDS]), ["fieldref", *self.one_of([], ["contains"], ["startswith"], ["endswith"])], (
            self.random.choice([*TEXT_FIELDS, *FIELDS]))

    def time(self):
        part, value = self.random.choice(TIME_PARTS)
        return "t", [part, *([self.random.choice(COMPARISONS)] if self.chance(0.6) else [])], value

    def contains_all(self):
        return None, [self.one_of("contains", "contains", "startswith", "endswith"), "all"], self.values(self.plain)

    def cased(self):
        return None, [*self.one_of([], ["contains"], ["startswith"], ["endswith"]), "cased"], self.values(self.pattern)

    def expand(self):
        modifiers = self.one_of(["expand"], ["expand", "contains"], ["contains", "expand"], ["startswith", "expand"], ["expand", "endswith"],
                                ["expand", "cased"], ["cased", "contains", "expand"], ["re", "expand"], ["re", "i", "expand"],
                                ["windash", "contains", "expand"])
        return None, modifiers, self.values(lambda: self.placeholder(modifiers), 2)

    def placeholder(self, modifiers):
        """A value with a placeholder. One in thirty has no values: such a rule is refused."""
        # As parts of an expression some of the values are none; as dashes some count for the engine and not for pySigma, which looks for
        # dashes before the values are there.
        is_odd = "re" in modifiers or "windash" in modifiers
        name = "nothing" if self.chance(0.03) else self.random.choice(["Names", "numbers"] if is_odd else list(PLACEHOLDERS))
        if "windash" in modifiers:
            return self.one_of("a -b %{}%", "/b %{}%", "x%{}% --ab").format(name)
        if "re" in modifiers:
            return self.one_of("^%{}%", "%{}%$", "(%{}%|y)+", "x?%{}%\\w").format(name)
        # pySigma takes whatever stands between two percent signs for a name, the engine a name.
        before, after = (self.one_of("", "", "*", self.plain().replace("%", "")) for _ in range(2))
        return f"{before}%{name}%{self.one_of(after, after, after, '%letters%')}"

    def text(self):
        anchor = self.one_of([], [], ["contains"], ["startswith"], ["endswith"])
        return None, anchor, self.values(self.pattern if self.chance(0.7) else self.plain)

    def modified(self, kinds, share_negated):
        """A field with modifiers, and its values."""
        weights, makers = zip(*kinds)
        field, modifiers, value = self.random.choices(makers, weights)[0]()
        if self.chance(share_negated):
            first = not (modifiers and modifiers[0] in FIRST) and self.chance(0.2)
            modifiers = ["neq", *modifiers] if first else [*modifiers, "neq"]
        return field, modifiers, value

    def item(self):
        field, modifiers, value = self.modified(self.kinds, 0.12)
        return "|".join([field or self.random.choice(TEXT_FIELDS), *modifiers]), value

    def keyword_item(self):
        """Words sought in the whole line, with modifiers."""
        kinds = [(3, self.expression), (1, self.windash), (1, self.base64offset), (1, self.expand), (2, self.cased), (2, self.contains_all)]
        _, modifiers, value = self.modified(kinds, 0.12)
        # A line has no beginning and no end that a word could be sought at.
        return "|".join(["", *("contains" if name in ("startswith", "endswith") else name for name in modifiers)]), value

    def keyword(self):
        if self.chance(0.1):
            # Around what JSON always escapes.
            return self.one_of(1, 20, "x?Y", "1?foo", "x\"Y", "1\\\\foo", "x\"*")
        return self.pattern().strip("*") or "x"

    def search(self):
        chance = self.random.randrange(11)
        if chance == 0:
            return self.values(self.keyword)
        if chance == 1:
            return {"|all": self.values(lambda: escaped(self.word(1)))}
        if chance == 2:
            return [self.search_map() for _ in range(2)]
        if chance == 3:
            return dict([self.keyword_item()])
        return self.search_map()

    def search_map(self):
        return dict(self.item() for _ in range(self.random.randint(1, 3)))

    def condition(self, names, depth=0):
        chance = self.random.randrange(9 if depth < 3 else 3)
        if chance < 2:
            return self.random.choice(names)
        if chance == 2:
            return self.random.choice(["1 of them", "all of them", "1 of s*", "all of s*", "any of s*", "1 of *2"]) \
                if len(names) > 2 and "s2" in names else names[0]
        left, right = self.condition(names, depth + 1), self.condition(names, depth + 1)
        return [f"not {left}", f"not ({left})", f"{left} and {right}", f"{left} or {right}", f"({left}) and not ({right})",
                f"({left} or {right})"][chance - 3]

    def rule(self, number):
        names = ["s1", "s2", "other", "_hidden"][:self.random.randint(1, 4)]
        detection = {name: self.search() for name in names}
        conditions = [self.condition(names) for _ in range(self.random.choice([1, 1, 1, 2]))]
        detection["condition"] = conditions[0] if len(conditions) == 1 else conditions
        identifier = uuid.UUID(int=self.random.getrandbits(128), version=4)
        # JSON is YAML: what the values are is beyond doubt for every reader. But for surrogates, which YAML has none of.
        return str(identifier), json.dumps({
            "title": f"random rule {number}", "id": str(identifier), "status": "test", "level": "low",
            "logsource": {"category": "application"}, "detection": detection}, ensure_ascii=False)

    def event(self):
        """The event as a line of JSON, and as fields to lists of text."""
        fields, document = {}, {}
        for name in FIELDS:
            if self.random.random() < 0.25:
                continue
            if name == "n":
                value = self.random.choice([0, 1, 20, -1, 2.5, "1", "2x", True, False])
            elif name == "ip":
                value = self.random.choice(ADDRESSES)
            elif name == "t":
                value = self.random.choice(TIMES)
            elif self.random.random() < 0.15:
                value = self.random.choice(TEXTS)
            else:
                value = [self.word(3, EVENT_LETTERS) for _ in range(2)] if self.random.random() < 0.2 else self.word(4, EVENT_LETTERS)
            values = value if isinstance(value, list) else [value]
            fields[name] = ["true" if one is True else "false" if one is False else str(one) for one in values]
            target = document
            *outer, last = name.split(".")
            for key in outer:
                target = target.setdefault(key, {})
            target[last] = value
        return self.written(document, self.random.choice([0, 0, 0.1, 0.5, 1]), self.random.choice(["", " "])), fields

    def written(self, value, share, space):
        """JSON in one of the many ways to write it: a share of the characters that need no escape have one."""
        if isinstance(value, dict):
            # Names are written as they are by most, and are the same names however they are written.
            members = (f"{self.written(name, share if self.chance(0.02) else 0, space)}:{space}{self.written(inner, share, space)}"
                       for name, inner in value.items())
            return "{" + f",{space}".join(members) + "}"
        if isinstance(value, list):
            return "[" + f",{space}".join(self.written(inner, share, space) for inner in value) + "]"
        if not isinstance(value, str):
            return json.dumps(value)
        return '"' + "".join(self.written_character(one, share) for one in value) + '"'

    def written_character(self, one, share):
        if one not in "\"\\" and one >= " " and not self.chance(share):
            return one
        short = {"\"": "\\\"", "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(one)
        if short and self.chance(0.7):
            return short
        units = one.encode("utf-16-be")
        digits = self.one_of("{:04x}", "{:04X}")
        return "".join("\\u" + digits.format(units[place] << 8 | units[place + 1]) for place in range(0, len(units), 2))
