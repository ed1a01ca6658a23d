"""The escapes of JSON's strings, decoded in a line as a whole: what keywords are sought in beside the line itself."""

import re

ESCAPE = re.compile(r'\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def without_escapes(line):
    """The line with its escapes decoded, once and from left to right, and nothing else changed."""
    def decoded(escape):
        high, low, unit, short = escape.groups()
        if high:
            return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10 | int(low, 16) & 0x3FF))
        return chr(int(unit, 16)) if unit else SHORT.get(short, short)
    return ESCAPE.sub(decoded, line)
