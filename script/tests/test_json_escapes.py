"""Escapes in lines of JSON."""

import json
import unittest

from lib.json_escapes import without_escapes


class Escapes(unittest.TestCase):
    def test_each_escape_is_decoded_in_its_place(self):
        self.assertEqual(without_escapes(r'{"a":"\u00e9\u00E9 \/etc\/ \"x\" \b\f\n\r\t"}'), '{"a":"éé /etc/ "x" \b\f\n\r\t"}')

    def test_two_units_are_one_character(self):
        self.assertEqual(without_escapes(r'\ud83d\uDE00\u0041'), "😀A")

    def test_what_a_decoded_backslash_stands_before_is_no_escape(self):
        self.assertEqual(without_escapes(r'\\u0041 \\n \\\n \\\\"'), '\\u0041 \\n \\\n \\\\"')

    def test_a_lone_half_of_a_pair_stays_by_itself(self):
        self.assertEqual(without_escapes(r'\ud83dx\u0041'), "\ud83dxA")

    def test_a_line_without_escapes_is_as_it_was(self):
        line = json.dumps({"a": "é x/y"}, ensure_ascii=False)
        self.assertEqual(without_escapes(line), line)


if __name__ == "__main__":
    unittest.main()
