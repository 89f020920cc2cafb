#!/usr/bin/python3
"""licences.py refuses what it must: GPL libraries, unknown ones, files of no package."""
import pathlib
import subprocess
import tempfile
import unittest

import licences


def build(folder, link_options):
    """A program that needs the given libraries, and itself calls nothing."""
    source = pathlib.Path(folder, "main.c")
    source.write_text("int main(void) { return 0; }\n")
    program = pathlib.Path(folder, "program")
    subprocess.run(["cc", str(source), "-o", str(program), "-Wl,--no-as-needed", *link_options], check=True)
    return program


class Licences(unittest.TestCase):
    def test_gpl_packages_are_named_as_such(self):
        for package in ("libfftw3-double3", "libfftw3-dev", "libsuitesparse-dev", "libumfpack5", "libavcodec59",
                        "libminc2-5.3.0", "libgsl27"):
            with self.subTest(package):
                self.assertIn("under the GPL", licences.verdict(package, licences.ALLOWED))

    def test_an_unknown_package_is_refused(self):
        self.assertIn("not in the list", licences.verdict("libfoo7", licences.ALLOWED))

    def test_a_package_of_the_list_passes(self):
        self.assertIsNone(licences.verdict("libtiff6", licences.ALLOWED))

    def test_a_program_of_allowed_libraries_passes(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(list(licences.check_program(build(folder, ["-lm"]))), [])

    def test_a_program_with_a_library_outside_the_list_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            errors = list(licences.check_program(build(folder, ["-l:libbz2.so.1.0"])))
        self.assertEqual(len(errors), 1, errors)
        self.assertIn("libbz2-1.0 is not in the list", errors[0])

    def test_a_library_of_no_package_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder, "libown.so")
            subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o", str(library)], check=True)
            errors = list(licences.check_program(build(folder, [str(library), f"-Wl,-rpath,{folder}"])))
        self.assertEqual(len(errors), 1, errors)
        self.assertIn("belongs to no Debian package", errors[0])

    def test_an_unlisted_dev_package_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            listed = pathlib.Path(folder, "apt.txt")
            listed.write_text("# tools\ncmake\nlibtiff-dev\nlibfftw3-dev  # no\n")
            errors = list(licences.check_packages(listed))
        self.assertEqual(len(errors), 1, errors)
        self.assertIn("libfftw3-dev is under the GPL", errors[0])


if __name__ == "__main__":
    unittest.main()
