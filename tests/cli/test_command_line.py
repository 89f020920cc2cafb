"""The command line itself: commands, help, version, and exit code 64 for what it does not know."""
import re

import pytest

COMMANDS = ["run", "check", "init", "status", "export", "info", "verify"]
USAGE = 64

# What each command promises; scripts of users rely on these names.
OPTIONS = {
    "run": ["--output", "--from", "--until", "--only", "--force", "--dry-run", "--set", "--threads", "--memory",
            "--json-log"],
    "init": ["--schema"],
    "status": ["--why"],
    "export": ["--stage", "--format"],
    "info": ["--json"],
}


def test_version_is_one_line_on_stdout(cathoscope):
    result = cathoscope("--version")
    assert result.returncode == 0
    assert re.fullmatch(r"(cathoscope )?\d+\.\d+\.\d+\S*( .*)?\n", result.stdout)


def test_help_lists_every_command(cathoscope):
    result = cathoscope("--help")
    assert result.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\b", result.stdout, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(cathoscope, command):
    result = cathoscope(command, "--help")
    assert result.returncode == 0
    for option in OPTIONS.get(command, []):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", result.stdout), option


@pytest.mark.parametrize("args", [
    ["no-such-command"],
    ["--no-such-option"],
    [],
    *[[command, "--no-such-option"] for command in COMMANDS],
    ["run"],
    ["run", "a.yaml", "b.yaml"],
    ["run", "a.yaml", "--threads", "many"],
    ["run", "a.yaml", "--threads", "-1"],
    ["run", "a.yaml", "--threads"],
    ["run", "a.yaml", "--memory", "nan"],
    ["check"],
    ["status"],
    ["export"],
    ["export", "runs/a", "--stage", "attributes", "--format", "docx"],
    ["verify", "no-such-module"],
], ids=" ".join)
def test_a_wrong_command_line_exits_64(cathoscope, tmp_path, args):
    result = cathoscope(*args, cwd=tmp_path)
    assert result.returncode == USAGE, result.stderr
    assert result.stdout == ""
    assert result.stderr.strip()
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_command_is_named(cathoscope):
    assert "exprot" in cathoscope("exprot").stderr


def test_a_mistyped_option_is_named(cathoscope):
    assert "--threds" in cathoscope("run", "a.yaml", "--threds", "2").stderr


@pytest.mark.parametrize("args", [["info", "absent.tif"], ["run", "absent.yaml"], ["check", "absent.yaml"]],
                         ids=" ".join)
def test_a_file_that_is_not_there_exits_66(cathoscope, tmp_path, args):
    result = cathoscope(*args, cwd=tmp_path)
    assert result.returncode == 66, result.stderr
    assert args[1] in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_locale_changes_the_output(cathoscope):
    plain = cathoscope("--help", env={"LC_ALL": "C"})
    assert cathoscope("--help", env={"LC_ALL": "de_DE.UTF-8"}).stdout == plain.stdout
