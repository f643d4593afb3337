#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Markdown of what run.sh measured.

    table.py FOLDER            to standard output
    table.py FOLDER README     in place of what stands between README's two marks

Two tables: figures, each with what is wanted of it, and peers, each as a multiple of ramet in the
same rounds. What was not measured is in them too, with the reason.
"""
import json
import math
import os
import pathlib
import re
import statistics
import sys

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"
MB, GB = 1 << 20, 1 << 30
ANY = None  # a ratio at the run's largest x
LEAST = "the least"
FEW = 5  # rounds: not enough for an interval


class Ratio:
    """Of two series of a run, at x."""

    def __init__(self, run, a, b, x=ANY):
        self.run, self.a, self.b, self.x = run, a, b, x

    def found(self, runs):
        return find_ratio(runs, self.run, self.a, self.b, self.x)


class Growth:
    """How much dearer a series is at the largest x than at the least."""

    def __init__(self, run, series, x):
        self.run, self.series, self.x = run, series, x

    def found(self, runs):
        for result in parts_of(runs, self.run):
            for row in result.get("growth", []):
                if row["series"] == self.series and row["x"] == self.x:
                    return Found(row["median"], row["low"], row["high"])
            series_of(result, self.series)
        raise Missing(f"{self.run} was not measured at {size(self.x)}")


class Calls:
    """System calls of one operation, the caller's and the child's."""

    def __init__(self, run, series):
        self.run, self.series = run, series

    def found(self, runs):
        for result in parts_of(runs, self.run):
            calls = series_of(result, self.series).get("system_calls")
            if calls and calls["caller"]:
                total = calls["caller"] + calls["child"]
                return Found(total, total, total)
            raise Missing(calls["why"] if calls else "not counted")


class Kilobytes:
    """How large the program is that a series runs: "(7176 bytes)" in what it is."""

    def __init__(self, run, series):
        self.run, self.series = run, series

    def found(self, runs):
        for result in parts_of(runs, self.run):
            told = re.search(r"(\d+) bytes", series_of(result, self.series).get("what", ""))
            if told:
                size = round(int(told[1]) / 1024, 1)
                return Found(size, size, size)
        raise Missing(f"{self.run} does not tell it")


# What it is, the figure, what it must be, what it aims at. Where must is the smaller of the two
# more is better.
LAUNCHING = [
    ("small parent: posix_spawn / ramet", Ratio("launch", "posix_spawn", "ramet-spawn", 2 * MB), 1.45, 1.6),
    ("ramet with a pidfd / the floor", Ratio("launch", "ramet-spawn-pidfd", "floor", 2 * MB), 1.10, 1.05),
    ("all attributes, 1 GB heap: fork+exec / ramet", Ratio("launch", "fork+exec-loaded", "ramet-loaded", GB), 150, 300),
    ("8 GB heap / 2 MB, ramet", Growth("launch-8g", "ramet-spawn", 8 * GB), 1.15, 1.05),
    ("user namespace with maps, 1 GB heap: Go / ramet", Ratio("launch-peers", "Go userns", "ramet userns", GB), 50, 200),
    ("10 000 descriptors, keep 0-2: posix_spawn + closefrom / ramet", Ratio("fds", "posix_spawn+closefrom", "ramet-spawn-keep", 10000), 8, 10),
    ("the same, keep the highest too", Ratio("fds", "posix_spawn-keep-highest", "ramet-keep-highest", 10000), 5, 8),
    ("the same, pidfd_getfd refused", Ratio("fds", "posix_spawn-keep-highest", "ramet-keep-refused", 10000), 1.0, 1.3),
    ("40 000 mappings / none, ramet", Growth("maps", "ramet-spawn", 40000), 1.15, 1.05),
    ("caller held: posix_spawn / ramet asynchronous", Ratio("blocked", "posix_spawn", "ramet-async", 2 * MB), 5, 6.5),
    ("burst of 64: posix_spawn / ramet", Ratio("burst", "posix_spawn", "ramet-async", 64), 1.8, 2.5),
    ("system calls of a launch with pidfd and wait", Calls("launch", "ramet-spawn-pidfd"), 9, 8),
]
THREADS = [
    ("create + join: glibc / ramet", Ratio("thread-peers", "glibc-pthread", "ramet-thread", 1), 1.1, 1.25),
    ("create + join: musl / ramet", Ratio("thread-peers", "musl-pthread", "ramet-thread", 1), 1.8, 2.3),
    ("burst of 64: glibc / ramet", Ratio("thread-peers", "glibc-pthread", "ramet-thread", 64), 1.7, 2.3),
    ("warm pool: glibc create + join / ramet", Ratio("thread-peers", "glibc-pthread", "ramet-pool", 1), 3.5, 4.5),
    ("uncontended mutex: ramet / glibc", Ratio("sync", "ramet-mutex", "pthread-mutex", 0), 1.1, 0.9),
    ("contended mutex, two threads: ramet / glibc", Ratio("sync", "ramet-mutex-contended", "pthread-mutex-contended", 0), 1.1, 0.9),
    ("condition ping-pong: ramet / glibc", Ratio("sync", "ramet-condition", "pthread-condition", 0), 1.1, 0.9),
    ("start to exit, static program: glibc / ramet", Ratio("sync", "libc-start", "ramet-start", 0), 3, 5),
    ("stripped static program with a thread, KB", Kilobytes("sync", "ramet-start"), 16, 8),
]

# What the peers are compared in: the heading, the workload (its run is WORKLOAD-peers), the x,
# ramet's series of which they are multiples: the first that is there.
COLUMNS = [
    ("launch, {x} heap", "launch", LEAST, ["ramet spawn"]),
    ("{x} heap", "launch", ANY, ["ramet spawn"]),
    ("{x} descriptors", "fds", ANY, ["ramet keep"]),
    ("{x} mappings", "maps", ANY, ["ramet spawn"]),
    ("burst of {x}", "burst", ANY, ["ramet async", "ramet spawn"]),
    ("caller held", "blocked", LEAST, ["ramet async", "ramet spawn"]),
    ("thread", "thread", LEAST, ["ramet-thread"]),
    ("{x} threads", "thread", ANY, ["ramet-thread"]),
    ("user namespace", "namespaces", ANY, ["ramet userns"]),
]


class Missing(Exception):
    """Why a figure is not there, as a sentence has it."""


class Found:
    """A number and its interval: none where there are too few rounds for one, (n, n) if exact."""

    def __init__(self, median, low, high, rounds=math.inf):
        self.median, self.low, self.high = median, low, high
        self.rounds = rounds
        self.exact = low is not None and low == high and rounds == math.inf
        if not low or not high or rounds < FEW:
            self.low, self.high = 0, math.inf

    def __str__(self):
        if self.exact:
            return f"{self.median:g}"
        if self.high == math.inf:
            return f"{number(self.median)} [too few rounds]"
        return f"{number(self.median)} [{number(self.low)}-{number(self.high)}]"


def number(value):
    """Three digits, or all of a larger one."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def size(x):
    for unit, name in ((GB, "GB"), (MB, "MB")):
        if x >= unit:
            return f"{x / unit:g} {name}"
    return f"{x:,}".replace(",", " ")


def duration(us):
    return f"{number(us)} µs" if us < 1000 else f"{number(us / 1000)} ms"


# ---- What run.sh left --------------------------------------------------------------------------


def read_lines(path):
    """Rows of a file of tabs, by the first word of each."""
    rows = {}
    for line in path.read_text().splitlines():
        word, *rest = line.split("\t")
        rows.setdefault(word, []).append(rest)
    return rows


def read_runs(folder):
    """The results by name. A run in parts, for lack of memory, has launch, launch1, launch2."""
    runs = {}
    for path in sorted(folder.glob("*.json")):
        try:
            result = json.loads(path.read_text())
        except ValueError as error:
            sys.exit(f"table: {path}: {error}")
        if result.get("schema") != 1:
            sys.exit(f"table: {path}: schema {result.get('schema')}, not 1")
        runs[path.stem] = result
    return runs


def parts_of(runs, name):
    parts = [runs[key] for key in sorted(runs) if re.fullmatch(re.escape(name) + r"\d*", key)]
    if not parts:
        raise Missing(f"{name} was not measured")
    return parts


def series_of(result, name):
    for series in result["series"]:
        if series["name"] == name:
            return series
    raise Missing(f"no series {name} yet")


def point_of(result, name, x):
    for point in series_of(result, name)["points"]:
        if point["x"] == x:
            if not point["n"]:
                raise Missing(point.get("why") or f"{name} was not measured")
            return point
    raise Missing(f"{result['workload']} was not measured at {size(x)}")


def place(runs, run, x):
    """The x that a column is about."""
    points = [p["x"] for part in parts_of(runs, run) for s in part["series"] for p in s["points"]]
    if x is ANY:
        return max(points)
    return min(points) if x == LEAST else x


# ---- Ratios ------------------------------------------------------------------------------------


def turns(point):
    """The median of each turn, by trial and round."""
    samples = {}
    for trial, turn, us in point["samples_us"]:
        if us is not None:
            samples.setdefault((trial, turn), []).append(us)
    return {key: statistics.median(values) for key, values in samples.items()}


# Student's t for 95 %, by degrees of freedom.
STUDENT = [math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]


def spread(by_trial):
    """The median of ratios and its interval, as src/bench/stats.c finds it."""
    values = sorted(value for trial in by_trial.values() for value in trial)
    median = statistics.median(values)
    wide = 0.98 / math.sqrt(len(values))
    low, high = (at(values, 0.5 - wide), at(values, 0.5 + wide))
    logs = [math.log(statistics.median(trial)) for trial in by_trial.values()]
    if len(logs) > 1:
        t = STUDENT[len(logs) - 1] if len(logs) <= len(STUDENT) else 2.2
        wide = t * statistics.stdev(logs) / math.sqrt(len(logs))
        low, high = min(low, median * math.exp(-wide)), max(high, median * math.exp(wide))
    return Found(median, low, high, len(values))


def at(values, q):
    where = min(max(q, 0), 1) * (len(values) - 1)
    low = min(int(where), len(values) - 2)
    if low < 0:
        return values[0]
    return values[low] + (where - low) * (values[low + 1] - values[low])


def ratio_in(result, a, b, x):
    for row in result.get("ratios", []):
        if (row["a"], row["b"], row["x"]) == (a, b, x):
            return Found(row["median"], row["low"], row["high"], row["rounds"])
    ours, theirs = turns(point_of(result, b, x)), turns(point_of(result, a, x))
    by_trial = {}
    for key in sorted(ours.keys() & theirs.keys()):
        if ours[key] > 0 and theirs[key] > 0:
            by_trial.setdefault(key[0], []).append(theirs[key] / ours[key])
    if not by_trial:
        raise Missing(f"no round had both {a} and {b}")
    return spread(by_trial)


def find_ratio(runs, run, a, b, x):
    """In the part of the run that has both."""
    x = place(runs, run, x)
    why = None
    for result in parts_of(runs, run):
        try:
            return ratio_in(result, a, b, x)
        except Missing as missing:
            why = why or missing
    raise why


# ---- Tables ------------------------------------------------------------------------------------


def holds(found, must, aim):
    """open: the interval has what must be in it."""
    low, median, high = found.low, found.median, found.high
    if must > aim:  # less is better: the other way round
        low, median, high, must, aim = -high, -median, -low, -must, -aim
    if high < must:
        return "**no**"
    if low < must:
        return "open"
    return "aim" if median >= aim else "must"


def figures(title, rows, runs):
    yield f"| {title} | must | aim | found | holds |"
    yield "|---|---|---|---|---|"
    for what, figure, must, aim in rows:
        sign = "≥" if must < aim else "≤"
        try:
            found = figure.found(runs)
            verdict = holds(found, must, aim)
        except Missing as missing:
            found, verdict = f"n/a: {missing}", ""
        yield f"| {what} | {sign} {must:g} | {sign} {aim:g} | {found} | {verdict} |"


def cell(runs, run, name, bases, x):
    why = None
    for base in bases:
        try:
            return str(find_ratio(runs, run, name, base, x))
        except Missing as missing:
            why = missing
    raise why


def base_row(runs, columns):
    """ramet's own times, of which the others are multiples."""
    cells = []
    for _, workload, x, bases in columns:
        run = f"{workload}-peers"
        x = place(runs, run, x)
        for base in bases:
            try:
                us = point_of(parts_of(runs, run)[0], base, x)["median_us"]
                cells.append(f"{base} {duration(us)}")
                break
            except Missing:
                pass
        else:
            cells.append("")
    return "| *1 is* | " + " | ".join(cells) + " |"


def compared(runs, peers):
    columns = [column for column in COLUMNS if f"{column[1]}-peers" in runs]
    if not columns:
        return
    heads = [head.format(x=size(place(runs, f"{of}-peers", x))) for head, of, x, _ in columns]
    yield "| × ramet | " + " | ".join(heads) + " |"
    yield "|---" * (len(heads) + 1) + "|"
    yield base_row(runs, columns)
    for name, workloads in peers:
        cells = []
        for _, workload, x, bases in columns:
            run = f"{workload}-peers"
            try:
                cells.append(cell(runs, run, name, bases, x) if workload in workloads else "")
            except Missing:
                cells.append("-")
        yield f"| {name} | " + " | ".join(cells) + " |"


def skipped(runs, peers, facts):
    """A line for each reason."""
    reasons = {}
    for name, reason in facts.get("missing", []):
        reasons.setdefault(reason, []).append(name)
    for name, reason in facts.get("failed", []):
        reasons.setdefault(reason, []).append(f"run {name}")
    known = {name for name, _ in peers}
    for key, result in sorted(runs.items()):
        for series in result["series"]:
            for point in series["points"]:
                if series["name"] in known and point.get("why"):
                    reasons.setdefault(point["why"], []).append(f"{series['name']} ({key})")
    for reason, names in reasons.items():
        yield f"- {', '.join(dict.fromkeys(names))}: {reason}"


def heading(runs, facts):
    result = next(iter(runs.values()))
    machine = result["machine"]
    date = machine["date"][:10]
    command = facts.get("command", [["?"]])[0][0]
    versions = ", ".join(row[0] for row in facts.get("version", []))
    loads = [part["machine"]["load"][0] for part in runs.values()]
    load = f"{min(loads):.1f} to {max(loads):.1f}"
    hypervisor = {"none": "", "unknown": "", "yes": ", virtual"}
    virtual = hypervisor.get(machine["hypervisor"], f", {machine['hypervisor']}")
    yield (
        f"{date}, `{command}`, ramet {machine['version']}: {machine['system']}, "
        f"{machine['processors']} × {machine['processor']}{virtual}, "
        f"{size(machine['memory'] // GB * GB)}, governor {machine['governor']}, load {load}; {versions}. "
        "Medians with their intervals of 95 %; a ratio is of two turns in one round."
    )


def markdown(folder):
    runs = read_runs(folder)
    if not runs:
        raise Missing(f"no results in {folder}: ./dev bench peers")
    facts = {}
    for name in ("peers.tsv", "run.tsv"):
        path = folder / name
        for word, rows in (read_lines(path) if path.exists() else {}).items():
            facts.setdefault(word, []).extend(rows)
    peers = [(row[0], row[2].split()) for row in facts.get("peer", [])]
    lines = [*heading(runs, facts), "", *figures("launching", LAUNCHING, runs), ""]
    lines += [*figures("threads", THREADS, runs), "", *compared(runs, peers)]
    left_out = list(skipped(runs, peers, facts))
    if left_out:
        lines += ["", "Left out:", "", *left_out]
    return "\n".join(lines)


def put_between(path, text):
    """All of the file but this stays as it is; written beside it, then renamed."""
    old = path.read_text()
    if old.count(BEGIN) != 1 or old.count(END) != 1 or old.index(BEGIN) > old.index(END):
        raise Missing(f"{path} has no lines {BEGIN} and {END}, once each")
    new = old[: old.index(BEGIN)] + f"{BEGIN}\n{text}\n" + old[old.index(END) :]
    beside = path.with_name(path.name + ".new")
    beside.write_text(new)
    beside.chmod(path.stat().st_mode & 0o777)
    os.replace(beside, path)


def main(argv):
    if not 2 <= len(argv) <= 3:
        print(f"usage: {argv[0]} FOLDER [README]", file=sys.stderr)
        return 2
    try:
        text = markdown(pathlib.Path(argv[1]))
        if len(argv) == 3:
            put_between(pathlib.Path(argv[2]), text)
        else:
            print(text)
    except (Missing, OSError) as problem:
        sys.exit(f"table: {problem}")
    except KeyError as key:
        sys.exit(f"table: a result has no {key}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
