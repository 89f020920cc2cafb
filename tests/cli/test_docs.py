"""What the documentation says can be typed: commands and options exist, links lead somewhere, generated pages are fresh."""
import os
import pathlib
import re
import shlex

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PAGES = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md"))]
HIDDEN = {("init", "--docs")}  # for maintainers: not in the help
FENCE = re.compile(r"^```(sh|shell|bash|console)\s*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def words_of(line):
    """Simple commands of one shell line, as lists of words; comments and redirections are dropped."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    command = []
    for word in lexer:
        if set(word) <= set("|&;()"):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def commands_in(text):
    """Commands of every shell block, without prompts and leading assignments."""
    for _, block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for words in words_of(line.strip().removeprefix("$ ")):
                while words and re.fullmatch(r"\w+=.*", words[0]):
                    words = words[1:]
                if words:
                    yield words


def documented():
    """(page, words) of every use of the program or of a script."""
    for page in PAGES:
        for words in commands_in(page.read_text()):
            yield pytest.param(words, id=f"{page.name}: {' '.join(words)}")


def test_the_reader_of_pages_finds_commands():
    text = "```sh\n$ A=1 cathoscope run a.yaml --set x=1 \\\n  --force | tee log && scripts/demo.sh  # why\n```\n```\nno\n```"
    assert list(commands_in(text)) == [["cathoscope", "run", "a.yaml", "--set", "x=1", "--force"], ["tee", "log"],
                                       ["scripts/demo.sh"]]


@pytest.mark.parametrize("words", documented())
def test_documented_commands_exist(cathoscope, words):
    program = words[0]
    if program.startswith(("scripts/", ".ci/")):
        assert os.access(SOURCE / program, os.X_OK), f"{program} is no script of the project"
    if pathlib.PurePath(program).name != "cathoscope":
        return
    command = [word for word in words[1:2] if not word.startswith("-")]
    help_text = cathoscope(*command, "--help")
    assert help_text.returncode == 0, help_text.stderr
    for option in (word.split("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)):
        if (*command, option) in HIDDEN:
            continue
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_text.stdout), f"{option} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_architecture_page_has_the_dependency_table():
    """The rows of src/CMakeLists.txt, in the words of docs/architecture.md: | module | ... | uses | ... |."""
    built = re.sub(r"#.*", "", (SOURCE / "src/CMakeLists.txt").read_text())
    page = (SOURCE / "docs/architecture.md").read_text()
    documented_rows = dict(re.findall(r"^\| (\w+) \| [^|]+ \| ?([\w ]*?) ?\| [^|]*\|$", page, re.MULTILINE))
    rows = re.findall(r"cathoscope_module\((\w+)\s*(?:HEADERS \w+\s*)?(?:USES ([^)]*?))?(?:\s*LIBRARIES [^)]*)?\)", built)
    assert len(rows) == built.count("cathoscope_module(")
    for module, uses in rows:
        assert module in documented_rows, f"the page has no row for {module}"
        assert sorted(documented_rows[module].split()) == sorted(uses.split()), module


def test_configuration_page_is_what_the_program_writes(cathoscope):
    """`cathoscope init --docs` prints docs/configuration.md from the description that also reads the YAML."""
    result = cathoscope("init", "--docs")
    assert result.returncode == 0, result.stderr
    page = SOURCE / "docs/configuration.md"
    assert page.exists() and page.read_text() == result.stdout, f"run: cathoscope init --docs > {page.relative_to(SOURCE)}"


def test_the_page_of_attributes_names_every_column(study):
    assert study.run("--until", "attributes").returncode == 0
    columns = (study.output / "e1/attributes.csv").read_text().splitlines()[0].split(",")
    known = set(re.findall(r"\w+", (SOURCE / "docs/attributes.md").read_text()))
    assert [name for name in columns if name not in known] == []
