#!/usr/bin/python3
"""scripts/coverage.py adds up lines by module, and fails below the least share, and where nothing was measured."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "scripts/coverage.py"


def run(files, least):
    with tempfile.TemporaryDirectory() as folder:
        summary = pathlib.Path(folder, "summary.json")
        summary.write_text(json.dumps({"files": [
            {"filename": name, "line_covered": covered, "line_total": total} for name, covered, total in files]}))
        return subprocess.run([sys.executable, "-B", SCRIPT, summary, str(least)], capture_output=True, text=True, check=False)


FILES = [("src/io/a.cpp", 90, 100), ("src/io/b.cpp", 0, 20), ("src/core/c.hpp", 80, 80), ("tests/t.cpp", 0, 1000)]


class Coverage(unittest.TestCase):
    def test_lines_are_added_by_module(self):
        done = run(FILES, 85)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual([line.split() for line in done.stdout.splitlines()],
                         [["core", "80", "of", "80", "lines", "100.0", "%"], ["io", "90", "of", "120", "lines", "75.0", "%"],
                          ["all", "170", "of", "200", "lines", "85.0", "%"]])

    def test_too_little_and_nothing_fail(self):
        self.assertEqual(run(FILES, 85.1).returncode, 1)
        self.assertEqual(run([], 0).returncode, 1)
        self.assertEqual(run([("tests/t.cpp", 5, 5)], 0).returncode, 1)


if __name__ == "__main__":
    unittest.main()
