#!/usr/bin/python3
"""scripts/tally.py counts what ctest and pytest report, and never takes silence for success."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts"))
import tally  # noqa: E402

# As ctest 3.25 and pytest 7.2 write them, shortened.
CTEST = """<testsuite name="(empty)" tests="5" failures="1" disabled="0" skipped="2">
<testcase name="unit/core: a" classname="unit/core: a" status="run"><system-out>x</system-out></testcase>
<testcase name="unit/core: b" classname="unit/core: b" status="fail"><failure message="Failed"/></testcase>
<testcase name="unit/io: c" classname="unit/io: c" status="notrun"><skipped message="SKIP_RETURN_CODE=4"/></testcase>
<testcase name="test_unit_x_NOT_BUILT" classname="x" status="notrun"><skipped message="Unable to find executable"/></testcase>
</testsuite>"""
PYTEST = """<testsuites><testsuite errors="1" failures="0" skipped="2" tests="4">
<testcase classname="tests.cli.test_a" name="test_1"/>
<testcase classname="tests.cli.test_a" name="test_2"><error message="fixture"/></testcase>
<testcase classname="tests.cli.test_a" name="test_3"><skipped message="no slurm"/></testcase>
<testcase classname="tests.cli.test_a" name="test_4"><skipped message="sand_raw is not on this machine"/></testcase>
</testsuite></testsuites>"""


def counted(*texts, data_skips_fail=False):
    with tempfile.TemporaryDirectory() as folder:
        reports = []
        for number, text in enumerate(texts):
            reports.append(pathlib.Path(folder, f"{number}.xml"))
            if text is not None:
                reports[-1].write_text(text)
        counts, lines = tally.tally(reports, data_skips_fail)
    return (counts["passed"], counts["failed"], counts["skipped"]), lines


class Tally(unittest.TestCase):
    def test_reports_of_ctest(self):
        counts, lines = counted(CTEST)
        self.assertEqual(counts, (1, 2, 1))
        self.assertIn("failed: test_unit_x_NOT_BUILT", " ".join(lines).replace("x test", "test"))

    def test_reports_of_pytest(self):
        self.assertEqual(counted(PYTEST)[0], (1, 1, 2))

    def test_sums(self):
        self.assertEqual(counted(CTEST, PYTEST)[0], (2, 3, 3))

    def test_data_skips_fail_where_the_data_is(self):
        counts, lines = counted(CTEST, PYTEST, data_skips_fail=True)
        self.assertEqual(counts, (2, 5, 1))
        self.assertEqual(sum("although the data folder exists" in line for line in lines), 2)

    def test_a_report_that_is_absent_broken_or_empty_fails(self):
        for text in (None, "<testsuite><testcase", "<testsuite/>"):
            with self.subTest(text):
                self.assertEqual(counted(text)[0], (0, 1, 0))


if __name__ == "__main__":
    unittest.main()
