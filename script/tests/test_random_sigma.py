"""What script/oracle makes up: that it is what it says, and that every modifier is among it."""

import json
import pathlib
import random
import re
import unittest

from lib.json_escapes import without_escapes
from lib.random_sigma import FIELDS, PLACEHOLDERS, Source

ROOT = pathlib.Path(__file__).resolve().parents[2]


def modifiers_in(detection):
    """The chains of modifiers of a rule's searches, with the field's name or nothing in front."""
    for search in detection.values():
        for part in search if isinstance(search, list) else [search]:
            if isinstance(part, dict):
                yield from (tuple(name.split("|")) for name in part)


def fields_of(document, path=""):
    for name, value in document.items():
        if isinstance(value, dict):
            yield from fields_of(value, f"{path}{name}.")
        else:
            yield path + name, value


class Events(unittest.TestCase):
    def test_a_line_says_what_its_fields_are(self):
        source = Source(random.Random(1))
        for _ in range(2000):
            line, fields = source.event()
            read = {name: [json.dumps(one) if isinstance(one, bool) else str(one) for one in (value if isinstance(value, list) else [value])]
                    for name, value in fields_of(json.loads(line))}
            self.assertEqual(read, fields)
            self.assertNotIn("\n", line)
            for value in (value for values in fields.values() for value in values):
                self.assertIn(value, without_escapes(line))

    def test_every_way_to_write_a_character_occurs(self):
        source = Source(random.Random(2))
        text = "".join(source.event()[0] for _ in range(1000))
        for way in ("\\/", "\\n", "\\t", "\\r", "\\b", "\\f", "\\\"", "\\\\", "\\u00e9", "\\u00E9", "\\ud83d\\ude00", "é", "😀", "\\u000a", "\\u0022"):
            self.assertIn(way, text)
        self.assertRegex(text, r'"\\u006[eE]":')


class Rules(unittest.TestCase):
    def setUp(self):
        source = Source(random.Random(3))
        self.rules = [json.loads(source.rule(number)[1]) for number in range(3000)]
        self.chains = [chain for rule in self.rules for chain in modifiers_in(
            {name: search for name, search in rule["detection"].items() if name != "condition"})]

    def test_the_same_seed_makes_the_same(self):
        self.assertEqual(Source(random.Random(3)).rule(0)[1], Source(random.Random(3)).rule(0)[1])
        self.assertEqual(Source(random.Random(4)).event(), Source(random.Random(4)).event())

    def test_every_modifier_that_is_documented_is_among_them(self):
        table = (ROOT / "docs/rules.md").read_text().split("| modifier | |", 1)[1].split("\n\n", 1)[0]
        known = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
        # In the second cell of the times, where they stand beside the comparisons.
        known |= {"minute", "hour", "day", "week", "month", "year"}
        self.assertGreater(len(known), 25)
        self.assertEqual(known - {name for chain in self.chains for name in chain[1:]}, set())

    def test_what_neq_and_comparisons_stand_beside(self):
        negated = {name for chain in self.chains if "neq" in chain for name in chain[1:]}
        for name in ("contains", "startswith", "endswith", "cased", "all", "re", "cidr", "exists", "fieldref", "expand", "base64", "wide", "lt"):
            self.assertIn(name, negated)
        pairs = {(one, other) for chain in self.chains for one, other in zip(chain[1:], chain[2:])}
        for pair in (("hour", "gte"), ("week", "lt"), ("fieldref", "contains"), ("fieldref", "startswith"), ("fieldref", "endswith"),
                     ("re", "ignorecase"), ("re", "multiline"), ("re", "dotall"), ("contains", "expand")):
            self.assertIn(pair, pairs)

    def test_keywords_take_expressions_and_placeholders(self):
        words = {name for chain in self.chains if chain[0] == "" for name in chain[1:]}
        for name in ("re", "i", "cased", "neq", "expand", "windash", "base64offset", "all"):
            self.assertIn(name, words)

    def test_placeholders_have_values_and_now_and_then_none(self):
        names = {name for rule in self.rules for name in re.findall(r"%([\w.-]+)%", json.dumps(rule))}
        self.assertTrue(set(PLACEHOLDERS) | {"nothing"} <= names)

    def test_fields_are_those_of_the_events(self):
        self.assertEqual({chain[0] for chain in self.chains if chain[0]}, set(FIELDS))


if __name__ == "__main__":
    unittest.main()
