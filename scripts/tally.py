#!/usr/bin/python3
"""Adds up JUnit reports: lists what failed or was skipped, prints `N passed, N failed, N skipped`, exits 1 on failure.

A report that is absent or unreadable, or that holds no test, is a failure: a suite that did not run has not passed.
"""
import argparse
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

# How a test says that it needs real measurements which are not here: exit code 4 (ctest), or this text (pytest).
DATA_SKIPS = ("SKIP_RETURN_CODE", "is not on this machine")


def outcomes(report):
    """Yields (name, outcome, message) of every test case; outcome is passed, failed or skipped."""
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '')} {case.get('name', '')}".strip()
        for kind in ("failure", "error"):
            if case.find(kind) is not None:
                yield name, "failed", case.find(kind).get("message", "")
                break
        else:
            skipped = case.find("skipped")
            if skipped is not None:
                message = skipped.get("message", "")
                # ctest reports a test whose program could not be started as skipped, too.
                lost = "nable to find" in message or "not found" in message or "NOT_BUILT" in name
                yield name, "failed" if lost else "skipped", message
            elif case.get("status", "run") in ("fail", "notrun"):
                yield name, "failed", f"status {case.get('status')}"
            else:
                yield name, "passed", ""


def tally(reports, data_skips_fail):
    """Returns the counts and the lines that say what did not pass."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines = []
    for report in reports:
        try:
            cases = list(outcomes(report))
        except (OSError, ElementTree.ParseError) as error:
            counts["failed"] += 1
            lines.append(f"failed: no report of the tests: {error}")
            continue
        if not cases:
            counts["failed"] += 1
            lines.append(f"failed: {report} holds no test")
        for name, outcome, message in cases:
            if outcome == "skipped" and data_skips_fail and any(text in message for text in DATA_SKIPS):
                outcome, message = "failed", f"skipped although the data folder exists ({message})"
            counts[outcome] += 1
            if outcome != "passed":
                first = message.splitlines()[0] if message else ""
                lines.append(f"{outcome}: {name} {first}".rstrip())
    return counts, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+", type=pathlib.Path)
    parser.add_argument("--data-skips-fail", action="store_true", help="the data is here: a data test must not skip")
    options = parser.parse_args()
    counts, lines = tally(options.reports, options.data_skips_fail)
    for line in lines:
        print(line)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
