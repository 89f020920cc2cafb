"""Shell completion and citation: made from the command line and from CITATION.cff, so nothing can be forgotten."""
import re
import shutil
import subprocess

import pytest
import yaml


@pytest.fixture(scope="module")
def options(cathoscope):
    """The options of every command, as its help lists them."""
    text = cathoscope("--help").stdout
    commands = re.findall(r"^  ([a-z]+) ", text[text.index("Subcommands:"):], re.MULTILINE)
    assert "run" in commands and "completion" in commands
    return {command: set(re.findall(r"^  (?:-\w,)?(--[a-z][a-z-]+)", cathoscope(command, "--help").stdout, re.MULTILINE))
            for command in commands}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_option_can_be_completed(cathoscope, options, shell):
    result = cathoscope("completion", shell)
    assert result.returncode == 0, result.stderr
    for command, its in options.items():
        for option in its:
            written = f"-l {option[2:]} " if shell == "fish" else option
            assert written in result.stdout, (command, option)
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed: its script was not parsed")
    parsed = subprocess.run([shell, "-n"], input=result.stdout, text=True, capture_output=True, check=False)
    assert parsed.returncode == 0, parsed.stderr


@pytest.fixture(scope="module")
def bash_script(cathoscope):
    return cathoscope("completion", "bash").stdout


@pytest.mark.parametrize("line, offered", [
    ("cathoscope ru", ["run"]),
    ("cathoscope run --for", ["--force"]),
    ("cathoscope -v run s.yaml --until vol", ["volume"]),
    ("cathoscope export out --format t", ["tiff"]),
    ("cathoscope completion b", ["bash"]),
    ("cathoscope check stu", ["study.yaml"]),
    ("cathoscope run study.yaml --output ou", ["out"]),
    ("cathoscope nothing --", ["--help", "--version", "--verbose", "--quiet"]),
])
def test_bash_offers_what_fits(bash_script, tmp_path, line, offered):
    (tmp_path / "study.yaml").write_text("")
    (tmp_path / "out").mkdir()
    words = " ".join(f"'{w}'" for w in line.split(" "))
    ask = f'COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _cathoscope; printf "%s\\n" "${{COMPREPLY[@]}}"'
    result = subprocess.run(["bash", "-c", bash_script + "\n" + ask], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == offered


def test_another_shell_is_refused(cathoscope):
    assert cathoscope("completion", "cmd").returncode == 64


def test_cite_says_what_the_citation_file_says(cathoscope, source):
    file = source / "CITATION.cff"
    facts = yaml.safe_load(file.read_text())
    assert cathoscope("cite", "--format", "cff").stdout.strip() == file.read_text().strip()
    text, bibtex = cathoscope("cite").stdout, cathoscope("cite", "--format", "bibtex").stdout
    for out in (text, bibtex):
        assert facts["title"] in out and facts["version"] in out
        for work in facts["references"]:
            assert work["title"] in out and work["doi"] in out
            assert all(author["family-names"] in out for author in work["authors"])
    assert bibtex.count("@") == 1 + len(facts["references"]) and bibtex.count("{") == bibtex.count("}")
    assert cathoscope("cite", "--format", "ris").returncode == 64
