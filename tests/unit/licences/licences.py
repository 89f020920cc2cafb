#!/usr/bin/python3
"""Checks that the program links only libraries whose licence goes with Apache-2.0 and with closed programs of users.

Reads the shared libraries that the program asks for itself (DT_NEEDED), finds the Debian package of each, and looks its
licence up below. Header-only libraries leave no trace in the binary: every -dev package of apt-packages.txt must be
listed, too. What those libraries load in turn is theirs and not looked at.

To add a library: read /usr/share/doc/PACKAGE/copyright; if it is under the GPL (FFTW, SuiteSparse, FFmpeg as Debian
builds them, ...) choose another; else add PACKAGE and its licence below, and PACKAGE-dev to apt-packages.txt.

Usage: licences.py PROGRAM APT_PACKAGES
"""
import os
import pathlib
import re
import subprocess
import sys

RUNTIME = "GPL-3 with the GCC runtime exception, which frees programs that GCC compiled"
# Packages by name without the version of the library's interface; patterns are matched whole.
ALLOWED = {
    r"libc6": "LGPL-2.1+, linked dynamically",
    r"libgcc-s1|libstdc\+\+6|libgomp1|libasan\d+|libubsan\d+|libtsan\d+|liblsan\d+": RUNTIME,
    r"libfmt\d+": "MIT with exception",
    r"libspdlog[\d.]+": "MIT",
    r"libyaml-cpp[\d.]+": "MIT",
    r"libhdf5-\d+(-\d+)?": "BSD-3-Clause",
    r"libtiff\d+": "libtiff (MIT-like)",
    r"libpng16-16": "libpng",
    r"libssl3": "Apache-2.0",
    r"zlib1g": "zlib",
    r"libblosc1": "BSD-3-Clause",
    r"libzstd1": "BSD-3-Clause (the other choice is the GPL-2)",
    r"liblz4-1": "BSD-2-Clause (the library; its command-line program is under the GPL)",
    r"libinsighttoolkit5[\d.]+": "Apache-2.0",
    r"libdnnl\d+": "Apache-2.0",
    r"libopenmpi\d+": "BSD-3-Clause; cathoscope-mpi only",
    r"libtorch[\d.]+": "BSD-3-Clause (it loads Debian's OpenCV and FFmpeg itself: see README)",
}
# -dev packages whose headers or libraries the build uses; the same rules.
ALLOWED_TO_COMPILE = {
    "libinsighttoolkit5-dev": "Apache-2.0; only the COMPONENTS named, never a bare find_package (FFTW, MINC)",
    "libeigen3-dev": "MPL-2.0",
    "libdnnl-dev": "Apache-2.0",
    "libxtensor-dev": "BSD-3-Clause",
    "libhdf5-dev": "BSD-3-Clause",
    "libcli11-dev": "BSD-3-Clause",
    "libspdlog-dev": "MIT",
    "libfmt-dev": "MIT with exception",
    "libyaml-cpp-dev": "MIT",
    "libtiff-dev": "libtiff (MIT-like)",
    "libpng-dev": "libpng",
    "nlohmann-json3-dev": "MIT",
    "libssl-dev": "Apache-2.0",
    "libnanoflann-dev": "BSD-2-Clause",
    "libopenmpi-dev": "BSD-3-Clause; cathoscope-mpi only",
    "libtorch-dev": "BSD-3-Clause",
    "zlib1g-dev": "zlib",
    "libblosc-dev": "BSD-3-Clause",
    "libzstd-dev": "BSD-3-Clause (the other choice is the GPL-2)",
    "liblz4-dev": "BSD-2-Clause",
    "libclang-rt-16-dev": "Apache-2.0 with LLVM exception; fuzz targets only",
}
# Known to be under the GPL in Debian: named so that the message says why.
GPL = re.compile(
    r"libfftw3.*|libsuitesparse.*|lib(cholmod|umfpack|klu|spqr|ccolamd)\d*|libav(codec|format|util|filter|device)\d*|"
    r"libsw(scale|resample)\d*|libpostproc\d*|libminc.*|libgsl\d*|libreadline\d*|libcgal.*|libx26[45].*")
WHAT_TO_DO = "see the head of tests/unit/licences/licences.py"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, check=False)


def needed_libraries(program):
    """Sonames of the direct dependencies."""
    result = run("readelf", "-d", str(program))
    if result.returncode:
        raise RuntimeError(f"readelf cannot read {program}: {result.stderr.strip()}")
    return re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", result.stdout)


def paths_of(program):
    """Path by soname, as the loader finds them."""
    return dict(re.findall(r"^\s*(\S+) => (\S+)", run("ldd", str(program)).stdout, re.MULTILINE))


def package_of(path):
    """The Debian package of a file, or None. The package may know it under /lib or under /usr/lib."""
    real = pathlib.Path(path).resolve()
    for name in dict.fromkeys([str(path), str(real), str(real).removeprefix("/usr"), "/usr" + str(path)]):
        found = run("dpkg", "-S", name)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    return None


def verdict(package, allowed):
    """None if the package may be used, else what is wrong."""
    if GPL.fullmatch(package.removesuffix("-dev")) or GPL.fullmatch(package):
        return f"{package} is under the GPL: choose another library, {WHAT_TO_DO}"
    if any(re.fullmatch(pattern, package) for pattern in allowed):
        return None
    return f"{package} is not in the list of licences: {WHAT_TO_DO}"


def check_program(program):
    paths = paths_of(program)
    for soname in needed_libraries(program):
        if soname.startswith("ld-linux"):
            continue
        package = package_of(paths[soname]) if soname in paths else None
        if package is None:
            yield f"{soname} ({paths.get(soname, 'not found')}) belongs to no Debian package: {WHAT_TO_DO}"
        elif error := verdict(package, ALLOWED):
            yield f"{soname}: {error}"


def check_packages(apt_packages):
    lines = (line.split("#")[0].strip() for line in pathlib.Path(apt_packages).read_text().splitlines())
    for package in filter(lambda name: name.endswith("-dev"), lines):
        if error := verdict(package, {re.escape(name) for name in ALLOWED_TO_COMPILE}):
            yield f"{apt_packages}: {error}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    errors = [*check_program(sys.argv[1]), *check_packages(sys.argv[2])]
    for error in errors:
        print("error:", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
