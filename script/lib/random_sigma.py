"""Random Sigma rules and events out of one small alphabet, so that they meet often. Deterministic by seed."""

import json
import uuid

FIELDS = ["a", "b", "nested.c", "n", "ip", "t"]
TEXT_FIELDS = ["a", "b", "nested.c"]
LETTERS = ["x", "Y", "ab", "-", "/", "1", "20", "é", " ", ".", "'", "\\", "*", "?", "foo", "Bar", "%41", "_", "É", "ß", "Ω", "ω", "Я", "я"]
ADDRESSES = ["192.0.2.1", "192.0.2.200", "10.1.2.3", "2001:db8::1", "2001:db8:ffff::2", "::1", "not an address"]
NETWORKS = ["192.0.2.0/24", "192.0.2.128/25", "10.0.0.0/8", "2001:db8::/32", "::/0", "0.0.0.0/0"]
TIMES = ["2026-03-01T10:05:00Z", "2026-12-31T23:59:59.5Z", "2027-01-01T00:30:00+01:00", "2024-02-29T12:00:00Z", "no time"]
EXPRESSIONS = ["x+", "^ab", "b$", "(x|y)z?", "[a-f]{2,3}", "\\d+", "foo.ar", "^.$", "\\\\", "a\\.b", "\\w-", "(ab)*c?", "[^x]$"]


class Source:
    def __init__(self, random):
        self.random = random

    def word(self, most=3):
        return "".join(self.random.choice(LETTERS) for _ in range(self.random.randint(1, most)))

    def pattern(self):
        """A value of a rule: what is special in Sigma is escaped, or meant."""
        words = [self.word(2).replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?") for _ in range(2)]
        kind = self.random.randrange(7)
        return [words[0], words[0] + "*", "*" + words[0], words[0] + "?" + words[1], words[0] + "*" + words[1],
                "*" + words[0] + "*", self.word(2)][kind]

    def values(self, make, most=3):
        return [make() for _ in range(self.random.randint(1, most))]

    def item(self):
        """A field with modifiers, and its values."""
        field, chance = self.random.choice(TEXT_FIELDS), self.random.randrange(24)
        plain = lambda: self.word(2).replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")  # noqa: E731
        if chance == 0:
            return f"{self.random.choice(FIELDS)}|exists", self.random.random() < 0.5
        if chance == 1:
            return self.random.choice(FIELDS), None
        if chance == 2:
            return field, ""
        if chance == 3:
            return f"n|{self.random.choice(['lt', 'lte', 'gt', 'gte'])}", self.random.choice([0, 1, 20, -1, 2.5])
        if chance == 4:
            return "n", self.values(lambda: self.random.choice([0, 1, 20, "1", "2*"]))
        if chance == 5:
            return "ip|cidr", self.values(lambda: self.random.choice(NETWORKS))
        if chance in (6, 7):
            flags = self.random.choice(["", "|i", "|m", "|s", "|i|s"])
            return f"{field}|re{flags}", self.values(lambda: self.random.choice(EXPRESSIONS), 2)
        if chance == 8:
            return f"{field}|windash|contains", self.values(lambda: self.random.choice(["-", "/", "a -", "--", "x -b /"]) + plain(), 2)
        if chance == 9:
            return f"{field}|base64offset|contains", self.values(lambda: self.random.choice(["foo", "Bar", "secret", "éx1", "ab"]), 2)
        if chance == 10:
            return f"{field}|{self.random.choice(['wide', 'utf16be', 'utf16'])}|base64|contains", self.random.choice(["foo", "ab"])
        if chance == 11:
            ends = self.random.choice(["", "|startswith", "|endswith"])
            return f"{field}|fieldref{ends}", self.random.choice(TEXT_FIELDS)
        if chance == 12:
            part, value = self.random.choice([("minute", 5), ("hour", 10), ("hour", 23), ("day", 1), ("day", 31), ("week", 53),
                                              ("month", 3), ("month", 12), ("year", 2026), ("year", 2024)])
            return f"t|{part}", value
        if chance == 13:
            return f"{field}|contains|all", self.values(plain)
        if chance == 14:
            return f"{field}|contains|cased", self.values(plain)
        if chance == 15:
            return f"{field}|endswith|neq", plain()
        if chance == 16:
            return f"{field}|cased", self.values(self.pattern)
        end = self.random.choice(["|contains", "|startswith", "|endswith"])
        return field + (end if chance > 19 else ""), self.values(self.pattern if chance > 16 else plain)

    def search(self):
        chance = self.random.randrange(10)
        if chance == 0:
            return self.values(lambda: self.pattern().strip("*") or "x")
        if chance == 1:
            return {"|all": self.values(lambda: self.word(1).replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?"))}
        if chance == 2:
            return [self.search_map() for _ in range(2)]
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
        # JSON is YAML: what the values are is beyond doubt for every reader.
        return str(identifier), json.dumps({
            "title": f"random rule {number}", "id": str(identifier), "status": "test", "level": "low",
            "logsource": {"category": "application"}, "detection": detection})

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
                value = self.random.choice(["Zm9v", "ZgBvAG8A", "eHNlY3JldA==", "", "AGEAYg==", "//5hAGIA", "xfoo", "ab\nfoo"])
            else:
                value = [self.word() for _ in range(2)] if self.random.random() < 0.2 else self.word(4)
            values = value if isinstance(value, list) else [value]
            fields[name] = ["true" if one is True else "false" if one is False else str(one) for one in values]
            target = document
            *outer, last = name.split(".")
            for key in outer:
                target = target.setdefault(key, {})
            target[last] = value
        return json.dumps(document, ensure_ascii=self.random.random() < 0.5), fields
