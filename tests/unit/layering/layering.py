#!/usr/bin/python3
"""Holds the includes of src/ and include/ to the dependency table in src/CMakeLists.txt.

A row `cathoscope_module(NAME USES ... LIBRARIES ...)` allows NAME the headers of the modules it USES and of the libraries
it links. Beyond the rows: stage modules never include each other; a public header includes no library but xtensor and
fmt; ITK and Eigen never meet in one translation unit (ITK brings an older Eigen of its own); some libraries have one
door, a single file through which a module reaches them.

Usage: layering.py SOURCE_DIR        prints every violation as FILE:LINE: error: ..., exits 1 if there is one
"""
import pathlib
import re
import sys
from dataclasses import dataclass, field

# A library: how its headers are spelled, how src/CMakeLists.txt links it, and in how many files of a module it may be
# included (None: any). To add a library, add its line here, its row in src/CMakeLists.txt, and its package in
# apt-packages.txt and tests/unit/licences/licences.py.
LIBRARIES = {
    "HDF5": (r"(H5\w*|hdf5(_hl)?)\.h", r"HDF5::", 1),
    "libtiff": (r"(tiff\w*|xtiffio)\.hx?", r"TIFF::", None),
    "libpng": (r"png\w*\.h", r"PNG::", None),
    "OpenSSL": (r"openssl/.*", r"OpenSSL::", None),
    "zlib": (r"zlib\.h", r"ZLIB::", None),
    "Zstandard": (r"zstd\.h", r"zstd_library", 1),
    "LZ4": (r"lz4\.h", r"lz4_library", 1),
    "Blosc": (r"blosc\.h", r"blosc_library", 1),
    "nlohmann-json": (r"nlohmann/.*", r"nlohmann_json", None),
    "yaml-cpp": (r"yaml-cpp/.*", r"yaml-cpp", 1),
    "ITK": (r"(itk|vnl)\w*(/.*)?\.h(xx)?|itk.*", r"\$\{ITK_LIBRARIES\}|ITK\w+", 1),
    "Eigen": (r"(unsupported/)?Eigen/.*", r"Eigen3::", None),
    "nanoflann": (r"nanoflann\.hpp", r"nanoflann", None),
    "CLI11": (r"CLI/.*", r"CLI11::", None),
    "MPI": (r"mpi\.h", r"MPI::", 1),
    "spdlog": (r"spdlog/.*", r"spdlog::", None),
    "dnnl": (r"(oneapi/dnnl/)?dnnl.*", r"dnnl::dnnl", 1),
    "torch": (r"(torch|ATen|c10)/.*", r"\$\{TORCH_LIBRARIES\}|(cathoscope_)?torch", None),
    "Boost": (r"boost/.*", r"Boost::", None),
    "Catch2": (r"catch2/.*", r"Catch2::", None),
}
EVERYWHERE = re.compile(r"(xtensor|xtl|fmt)/.*")
STANDARD = re.compile(r"[a-z_]+")
SYSTEM = re.compile(
    r"(sys|linux|bits|arpa|netinet)/\w+\.h|"
    r"(unistd|fcntl|sched|signal|errno|glob|fnmatch|dirent|dlfcn|execinfo|cpuid|\w+intrin|pthread|termios|pwd|time|"
    r"poll|link|malloc|spawn|cxxabi)\.h")
NO_STAGE = {"core", "config", "io", "pipeline", "app"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')


@dataclass
class Row:
    """What a module may use."""
    modules: set = field(default_factory=set)
    libraries: set = field(default_factory=set)


@dataclass
class Include:
    """One line of a file: the header it names, and the project file that is, if it is one."""
    line: int
    header: str
    target: pathlib.Path | None


def libraries_linked(words):
    return {name for name, (_, target, _) in LIBRARIES.items() for word in words if re.match(target, word)}


def read_table(cmake):
    """Rows by module name, from the calls in src/CMakeLists.txt; `app` is the executable."""
    text = re.sub(r"#.*", "", cmake.read_text())
    table = {}
    for call in re.findall(r"cathoscope_module\(([^)]*)\)", text):
        name, *words = call.split()
        lists, place = {"USES": [], "LIBRARIES": [], "HEADERS": []}, None
        for word in words:
            if word in lists:
                place = lists[word]
            else:
                place.append(word)
        table[name] = Row(set(lists["USES"]), libraries_linked(lists["LIBRARIES"]))
    for name, call in re.findall(r"target_link_libraries\(cathoscope_(\w+)\s([^)]*)\)", text):
        if name in table:
            table[name].libraries |= libraries_linked(call.split())
    # the program, its objects, and the program for ranks
    words = [word for call in re.findall(r"target_link_libraries\(cathoscope(?:_app|-mpi)?\s([^)]*)\)", text) for word in call.split()]
    linked = {word.removeprefix("cathoscope_") for word in words if word.startswith("cathoscope_")}
    reached = set().union(linked, *(table[name].modules for name in linked if name in table))
    table["app"] = Row(reached, libraries_linked(words))
    return table


def module_of(root, file):
    """The module a project file belongs to, and whether it is a public header."""
    parts = file.relative_to(root).parts
    if parts[0] == "src":
        return parts[1], False
    return (parts[2] if len(parts) > 3 else parts[2].removesuffix(".hpp")), True


def read_includes(root, file):
    """The include lines of a file, without headers that the build itself writes into a folder `generated`."""
    generated = set(re.findall(r"/generated/(\S+?\.hpp)", (root / "src/CMakeLists.txt").read_text()))
    result = []
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(1) or match.group(2)
        if header in generated:
            continue
        places = [root / "include", root / "src"] if match.group(1) else [file.parent, root / "include", root / "src"]
        found = [(place / header).resolve() for place in places if (place / header).is_file()]
        target = found[0] if found and found[0].is_relative_to(root) else None
        result.append(Include(number, header, target))
    return result


def library_of(header):
    """The library a header belongs to, "" for those allowed everywhere, None for an unknown one."""
    for name, (pattern, _, _) in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            return name
    known = EVERYWHERE.fullmatch(header) or STANDARD.fullmatch(header) or SYSTEM.fullmatch(header)
    return "" if known else None


def module_errors(module, target, table):
    """What is wrong with including a header of module `target` in `module`."""
    if target == module:
        return
    if target not in table:
        yield f"includes '{target}', which is no module of src/CMakeLists.txt"
    elif target not in table[module].modules:
        yield f"module '{module}' reaches into '{target}', which its row in src/CMakeLists.txt does not name"
    if not {module, target} & NO_STAGE:
        yield f"stage module '{module}' includes stage module '{target}'; stages meet only in the pipeline"


def library_errors(module, public, header, table):
    library = library_of(header)
    if library is None:
        yield f"<{header}> belongs to no library that tests/unit/layering/layering.py knows"
    elif library and public:
        yield f"public header includes {library}; only xtensor and fmt may show in public headers"
    elif library and library not in table[module].libraries:
        yield f"module '{module}' includes {library}, which its row in src/CMakeLists.txt does not link"


def check_file(root, file, includes, table):
    module, public = module_of(root, file)
    if module not in table:
        yield file, 1, f"'{module}' is no module of src/CMakeLists.txt"
        return
    for include in includes:
        if include.target is None:
            if include.header.startswith("cathoscope/"):
                yield file, include.line, f"{include.header} does not exist"
                continue
            errors = library_errors(module, public, include.header, table)
        else:
            target, target_is_public = module_of(root, include.target)
            if target != module and not target_is_public:
                yield file, include.line, f"private header {include.header} of module '{target}'"
            if public and not target_is_public:
                yield file, include.line, f"public header includes the private header {include.header}"
            errors = module_errors(module, target, table)
        for error in errors:
            yield file, include.line, error


def check_rows(root, table):
    """The table itself: rows of stages name no stage."""
    for name, row in table.items():
        if name in NO_STAGE:
            continue
        for other in sorted(row.modules - NO_STAGE):
            yield root / "src/CMakeLists.txt", 1, f"the row of stage module '{name}' names stage module '{other}'"


def check_doors(root, includes):
    """Libraries with one door are included by no second file of a module."""
    doors = {}
    for file, lines in includes.items():
        for include in lines:
            library = library_of(include.header) if include.target is None else ""
            if library and LIBRARIES[library][2] is not None:
                doors.setdefault((module_of(root, file)[0], library), {}).setdefault(file, include.line)
    for (module, library), files in doors.items():
        allowed = LIBRARIES[library][2]
        for file in sorted(files)[allowed:]:
            first = sorted(files)[0].relative_to(root)
            yield file, files[file], f"a second door to {library} in module '{module}'; the first is {first}"


def check_units(root, includes):
    """No translation unit sees ITK and Eigen."""
    for unit in includes:
        if unit.suffix != ".cpp":
            continue
        seen, todo, libraries = {unit}, [unit], set()
        while todo:
            for include in includes.get(todo.pop(), []):
                if include.target is None:
                    libraries.add(library_of(include.header))
                elif include.target not in seen:
                    seen.add(include.target)
                    todo.append(include.target)
        if {"ITK", "Eigen"} <= libraries:
            yield unit, 1, "ITK and Eigen in one translation unit; ITK brings an older Eigen of its own"


def check(root):
    """Every violation as (file, line, message)."""
    root = pathlib.Path(root).resolve()
    table = read_table(root / "src/CMakeLists.txt")
    files = sorted(f for top in ("src", "include") for f in (root / top).rglob("*") if f.suffix in (".cpp", ".hpp", ".h"))
    includes = {file: read_includes(root, file) for file in files}
    violations = list(check_rows(root, table))
    for file, lines in includes.items():
        violations += check_file(root, file, lines, table)
    violations += check_doors(root, includes)
    violations += check_units(root, includes)
    return violations


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1]).resolve()
    violations = check(root)
    for file, line, message in violations:
        print(f"{file.relative_to(root)}:{line}: error: {message}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
