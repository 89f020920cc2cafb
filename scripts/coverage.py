#!/usr/bin/python3
"""Line coverage a module, from gcovr's JSON summary.

Usage: coverage.py SUMMARY LEAST
Prints a line a module and one for all of them; exits 1 if those are covered to less than LEAST percent.
"""
import collections
import json
import pathlib
import sys


def modules(summary):
    """(covered, lines) by module: the first folder below src."""
    counts = collections.defaultdict(lambda: [0, 0])
    for file in summary["files"]:
        parts = pathlib.PurePath(file["filename"]).parts
        if len(parts) > 2 and parts[0] == "src":
            counts[parts[1]][0] += file["line_covered"]
            counts[parts[1]][1] += file["line_total"]
    return dict(counts)


def row(name, covered, lines):
    return f"{name:16} {covered:6} of {lines:6} lines  {100 * covered / lines if lines else 100:5.1f} %"


def main():
    counts = modules(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    for name, (covered, lines) in sorted(counts.items()):
        print(row(name, covered, lines))
    covered, lines = (sum(column) for column in zip(*counts.values())) if counts else (0, 0)
    print(row("all", covered, lines), flush=True)
    enough = lines > 0 and 100 * covered >= float(sys.argv[2]) * lines
    if not enough:
        print(f"less than {sys.argv[2]} % of the lines are covered")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
