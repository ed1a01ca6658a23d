#!/usr/bin/env python3
"""Writes Tests/IncidentsTests/Clocks/Fixtures/clocks.jsonl: when clocks are due, counted minute by minute.

Independent of the product: a minute counts when the wall clock of the zone (zoneinfo) shows a time within the day's hours, the
day is no holiday, and no pause covers it. The product computes the same with stretches and offsets.

    script/lib/clock_cases.py > Tests/IncidentsTests/Clocks/Fixtures/clocks.jsonl
"""
import datetime as dt
import json
import random
import zoneinfo

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
UTC = dt.timezone.utc
MINUTE = dt.timedelta(minutes=1)


def within(text, moment):
    start, end = text.split("-")
    clock = moment.hour * 60 + moment.minute
    minutes = [int(t[:2]) * 60 + int(t[3:]) for t in (start, end)]
    return minutes[0] <= clock < minutes[1]


def is_open(case, zone, moment):
    if not case["hours"]:
        return True
    local = moment.astimezone(zone)
    if local.date().isoformat() in case["holidays"]:
        return False
    return any(within(text, local) for text in case["hours"].get(DAYS[local.weekday()], []))


def due(case):
    zone = zoneinfo.ZoneInfo(case["zone"])
    moment, left = dt.datetime.fromisoformat(case["start"]), case["minutes"]
    pauses = [(dt.datetime.fromisoformat(a), b and dt.datetime.fromisoformat(b)) for a, b in case["pauses"]]
    while left:
        if any(a <= moment and b is None for a, b in pauses):
            return None
        paused = any(a <= moment < b for a, b in pauses if b)
        if not paused and is_open(case, zone, moment):
            left -= 1
        moment += MINUTE
    return moment.isoformat().replace("+00:00", "Z")


OFFICE = {day: ["09:00-17:00"] for day in DAYS[:5]}
LUNCH = {day: ["08:30-12:00", "13:00-17:30"] for day in DAYS[:5]}
NIGHTS = {day: ["00:00-06:00", "22:00-24:00"] for day in DAYS}
SMALL_HOURS = {day: ["02:15-02:45"] for day in DAYS}
SUNDAYS = {"sun": ["01:00-04:00"]}
ZONES = ["Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns",
         "Pacific/Auckland", "Pacific/Apia", "Etc/UTC"]


def case(name, start, minutes, zone="Europe/Stockholm", hours=None, holidays=(), pauses=()):
    return {"name": name, "zone": zone, "start": start, "minutes": minutes, "hours": hours or {},
            "holidays": list(holidays), "pauses": [list(pause) for pause in pauses]}


def named():
    spring, autumn = "2026-03-29T00:30:00+00:00", "2026-10-25T00:10:00+00:00"
    yield case("15 minutes", "2026-03-02T10:00:00+00:00", 15)
    yield case("48 hours across the end of February", "2026-02-27T22:00:00+00:00", 48 * 60)
    yield case("48 hours across the leap day", "2028-02-28T12:00:00+00:00", 48 * 60)
    yield case("24 hours across the new year", "2026-12-31T23:59:00+00:00", 24 * 60)
    yield case("24 hours across the hour that is left out are 24 hours", spring, 24 * 60)
    yield case("24 hours across the hour that comes twice are 24 hours", autumn, 24 * 60)
    yield case("an hour of which the clock leaves out all", spring, 60, hours=SMALL_HOURS)
    yield case("half an hour that comes twice counts twice", autumn, 60, hours=SMALL_HOURS)
    yield case("Sunday's hours when clocks go forward", "2026-03-28T12:00:00+00:00", 150, hours=SUNDAYS)
    yield case("Sunday's hours when clocks go back", "2026-10-24T12:00:00+00:00", 300, hours=SUNDAYS)
    yield case("Friday evening to Monday", "2026-03-06T15:30:00+00:00", 60, hours=OFFICE)
    yield case("due at closing time, not at the next opening", "2026-03-06T15:00:00+00:00", 60, hours=OFFICE)
    yield case("from the very opening", "2026-03-09T08:00:00+00:00", 480, hours=OFFICE)
    yield case("begun at night", "2026-03-09T22:00:00+00:00", 30, hours=OFFICE)
    yield case("the weekend of the change, by office hours", "2026-03-27T15:45:00+00:00", 30, hours=OFFICE)
    yield case("Christmas and the days around it", "2026-12-23T15:00:00+00:00", 180, hours=OFFICE,
               holidays=["2026-12-24", "2026-12-25", "2026-12-31", "2027-01-01"])
    yield case("a pause over night", "2026-03-02T10:00:00+00:00", 60,
               pauses=[("2026-03-02T10:20:00+00:00", "2026-03-03T08:00:00+00:00")])
    yield case("a pause that lasts", "2026-03-02T10:00:00+00:00", 60, pauses=[("2026-03-02T10:20:00+00:00", None)])
    yield case("a pause after it was due", "2026-03-02T10:00:00+00:00", 15, pauses=[("2026-03-02T10:15:00+00:00", None)])
    yield case("pauses that overlap", "2026-03-02T10:00:00+00:00", 60,
               pauses=[("2026-03-02T10:10:00+00:00", "2026-03-02T11:00:00+00:00"),
                       ("2026-03-02T10:40:00+00:00", "2026-03-02T11:30:00+00:00")])
    yield case("a pause begun before the clock", "2026-03-02T10:00:00+00:00", 60,
               pauses=[("2026-03-02T09:00:00+00:00", "2026-03-02T10:30:00+00:00")])
    yield case("a pause across closing time", "2026-03-02T14:00:00+00:00", 180, hours=OFFICE,
               pauses=[("2026-03-02T15:00:00+00:00", "2026-03-03T09:00:00+00:00")])
    yield case("a pause in the hour that comes twice", "2026-10-25T00:10:00+00:00", 90, hours=SUNDAYS,
               pauses=[("2026-10-25T00:30:00+00:00", "2026-10-25T01:15:00+00:00")])


def generated(count):
    random.seed(20260302)
    changes = [dt.datetime(2026, 3, 8), dt.datetime(2026, 3, 29), dt.datetime(2026, 4, 5), dt.datetime(2026, 9, 27),
               dt.datetime(2026, 10, 4), dt.datetime(2026, 10, 25), dt.datetime(2026, 11, 1)]
    ends = [dt.datetime(2026, month, 28) for month in range(1, 13)] + [dt.datetime(2028, 2, 28)]
    for number in range(count):
        near = random.choice(changes + ends)
        start = (near + dt.timedelta(minutes=random.randrange(-3 * 1440, 3 * 1440))).replace(tzinfo=UTC)
        zone = random.choice(ZONES)
        hours = random.choice([None, OFFICE, LUNCH, NIGHTS, SMALL_HOURS, SUNDAYS])
        minutes = random.choice([5, 15, 30, 60, 90, 240, 480, 1440] if hours not in (SMALL_HOURS, SUNDAYS) else [15, 30, 45, 200])
        holidays = [(start + dt.timedelta(days=day)).date().isoformat() for day in range(6) if random.random() < 0.2]
        pauses = []
        for _ in range(random.choice([0, 0, 1, 2])):
            begin = start + dt.timedelta(minutes=random.randrange(-30, 600))
            pauses.append((begin.isoformat(), (begin + dt.timedelta(minutes=random.randrange(1, 2000))).isoformat()))
        yield case(f"generated {number + 1}", start.isoformat(), minutes, zone, hours, holidays if hours else [], pauses)


for entry in list(named()) + list(generated(190)):
    entry["due"] = due(entry)
    print(json.dumps(entry, ensure_ascii=False))
