"""An evaluator of Sigma detections on pySigma's condition tree, slow and obvious: the second opinion on the engine.

pySigma parses rules with another YAML library and another grammar, and expands modifiers itself; what is left here is to hold a
value against a field. Shares nothing with the program but the rule's text and the event's.
"""

import datetime
import functools
import ipaddress
import re

from sigma.conditions import (ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR,
                              ConditionValueExpression)
from sigma.collection import SigmaCollection
from sigma.modifiers import SigmaWideModifier, modifier_mapping
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.types import (SigmaBool, SigmaCasedString, SigmaCIDRExpression, SigmaCompareExpression, SigmaExists, SigmaExpansion,
                         SigmaFieldReference, SigmaNull, SigmaNumber, SigmaRegularExpression, SigmaRegularExpressionFlag,
                         SigmaString, SigmaTimestampPart, SpecialChars)

from .json_escapes import without_escapes

# The specification has both names for it, pySigma one of them.
modifier_mapping["utf16le"] = SigmaWideModifier
FLAGS = {SigmaRegularExpressionFlag.IGNORECASE: re.I, SigmaRegularExpressionFlag.MULTILINE: re.M,
         SigmaRegularExpressionFlag.DOTALL: re.S}


def text_of(value):
    if value is True or value is False:
        return str(value).lower()
    return str(value)


def glob(pattern):
    """A SigmaString as a regular expression for the whole value."""
    out = []
    for part in pattern.s:
        if part == SpecialChars.WILDCARD_MULTI:
            out.append(".*")
        elif part == SpecialChars.WILDCARD_SINGLE:
            out.append(".")
        else:
            out.append(re.escape(str(part)))
    return "".join(out)


def matches_text(pattern, value, whole=True):
    flags = re.S | (0 if isinstance(pattern, SigmaCasedString) else re.I)
    return re.search(("\\A(?:%s)\\Z" if whole else "%s") % glob(pattern), value, flags) is not None


# What Perl's classes hold of ASCII. Python's own flag for that would also keep é and É apart where case does not count.
CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\r\\f\\v"}


@functools.cache
def expression(text):
    """A regular expression whose \\d, \\w and \\s know ASCII only, as Perl's do unless told otherwise."""
    out, is_in_brackets, place = [], False, 0
    while place < len(text):
        one = text[place]
        if one == "\\":
            name = text[place + 1]
            if name.lower() in CLASSES:
                if name.isupper() and is_in_brackets:
                    raise NotImplementedError(f"\\{name} in brackets")
                inner = CLASSES[name.lower()]
                out.append(inner if is_in_brackets else f"[{'^' if name.isupper() else ''}{inner}]")
            else:
                out.append(one + name)
            place += 2
            continue
        is_in_brackets = one == "[" or is_in_brackets and one != "]"
        out.append(one)
        place += 1
    return "".join(out)


def number(value):
    try:
        return float(value)
    except ValueError:
        return None


def moment(value):
    # Python 3.10 knows fractions of three or six digits only; no part that is asked for is that small.
    try:
        when = datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return when.astimezone(datetime.timezone.utc)


def timestamp_part(value, part):
    when = moment(value)
    if when is None:
        return None
    name = part.timestamp_part.name.lower()
    return {"minute": when.minute, "hour": when.hour, "day": when.day, "week": when.isocalendar()[1], "month": when.month,
            "year": when.year}[name]


def compare(operator, left, right):
    return {"LT": left < right, "LTE": left <= right, "GT": left > right, "GTE": left >= right}.get(operator.name)


def holds_value(value, wanted, event):
    """Whether one value of a field, as text, is what is wanted."""
    if isinstance(wanted, SigmaString):
        return matches_text(wanted, value)
    # pySigma calls it a number, too.
    if isinstance(wanted, SigmaTimestampPart):
        return timestamp_part(value, wanted) == wanted.number
    if isinstance(wanted, SigmaNumber):
        return value == text_of(wanted.number)
    if isinstance(wanted, SigmaBool):
        return value.lower() == text_of(wanted.boolean)
    if isinstance(wanted, SigmaRegularExpression):
        flags = 0
        for flag in wanted.flags:
            flags |= FLAGS[flag]
        return re.search(expression(str(wanted.regexp)), value, flags) is not None
    if isinstance(wanted, SigmaCIDRExpression):
        try:
            return ipaddress.ip_address(value) in wanted.network
        except ValueError:
            return False
    if isinstance(wanted, SigmaCompareExpression):
        right = wanted.number.number
        if isinstance(wanted.number, SigmaTimestampPart):
            left = timestamp_part(value, wanted.number)
        else:
            left = number(value)
        return left is not None and compare(wanted.op, left, right)
    if isinstance(wanted, SigmaFieldReference):
        for other in event.get(wanted.field, []):
            left, right = value.lower(), other.lower()
            # With both it stands anywhere: that is how pySigma says `contains`.
            if wanted.starts_with and wanted.ends_with:
                is_there = right in left
            elif wanted.starts_with:
                is_there = left.startswith(right)
            else:
                is_there = left.endswith(right) if wanted.ends_with else left == right
            if is_there:
                return True
        return False
    raise NotImplementedError(type(wanted).__name__)


def holds_field(node, event):
    values = event.get(node.field, [])
    if isinstance(node.value, SigmaExpansion):
        return any(holds_field(ConditionFieldEqualsValueExpression(node.field, one), event) for one in node.value.values)
    if isinstance(node.value, SigmaNull):
        return not values
    if isinstance(node.value, SigmaExists):
        return bool(values) == bool(node.value.exists)
    return any(holds_value(value, node.value, event) for value in values)


def holds_word(wanted, line, event):
    """Whether a keyword stands in the line as it was logged, or as it is meant."""
    texts = (line, without_escapes(line))
    if isinstance(wanted, SigmaNumber):
        return any(text_of(wanted.number) in text for text in texts)
    if isinstance(wanted, SigmaRegularExpression):
        return any(holds_value(text, wanted, event) for text in texts)
    return any(matches_text(wanted, text, whole=False) for text in texts)


def holds(node, event, line):
    if isinstance(node, ConditionAND):
        return all(holds(part, event, line) for part in node.args)
    if isinstance(node, ConditionOR):
        return any(holds(part, event, line) for part in node.args)
    if isinstance(node, ConditionNOT):
        return not holds(node.args[0], event, line)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return holds_field(node, event)
    if isinstance(node, ConditionValueExpression):
        if isinstance(node.value, SigmaExpansion):
            return any(holds(ConditionValueExpression(one), event, line) for one in node.value.values)
        return holds_word(node.value, line, event)
    raise NotImplementedError(type(node).__name__)


class Values(ValueListPlaceholderTransformation):
    """pySigma's own forgets here that case counts, and passes by what `windash` has made of a value."""

    def apply_value(self, field: str | None, val: SigmaString | SigmaRegularExpression | SigmaExpansion):
        if isinstance(val, SigmaExpansion):
            parts = [(one, self.apply_value(field, one)) for one in val.values]
            return SigmaExpansion([value for one, values in parts for value in ([one] if values is None else values)])
        values = super().apply_value(field, val)
        if values is not None and isinstance(val, SigmaCasedString):
            return [SigmaCasedString.from_sigma_string(value) for value in values]
        return values


class Rule:
    """One rule as pySigma understands it, with the values that a pipeline gives for placeholders."""

    def __init__(self, text, placeholders):
        rule = SigmaCollection.from_yaml(text).rules[0]
        # A placeholder that has no values is an error here.
        ProcessingPipeline([ProcessingItem(Values())], vars=placeholders).apply(rule)
        self.id = str(rule.id)
        self.conditions = [condition.parsed for condition in rule.detection.parsed_condition]

    def matches(self, event, line):
        return any(holds(condition, event, line) for condition in self.conditions)
