"""PowerShell parses, and follows the rules of ScriptAnalyzer that can be checked where there is no Windows."""

import json
import re
from pathlib import Path

import pytest
from tests.windows.powershell import FILES, MODULE, ROOT, Function, commands, errors, functions, parse, text, walk


def words(name: str) -> set[str]:
    """The words of a file beside this one, one on a line."""
    return set((Path(__file__).parent / name).read_text().split())


PUBLIC = {path.stem: path for path in sorted((MODULE / "Public").glob("*.ps1"))}
EVERY_FUNCTION = [(path, each) for path in FILES for each in functions(path.read_text())]
# Source: "Approved verbs for PowerShell commands", Microsoft Learn.
APPROVED = words("verbs.txt")
CHANGING = ("New", "Set", "Remove", "Start", "Stop", "Restart", "Reset", "Update")  # PSUseShouldProcess…
# Source: `Get-Alias` of Windows PowerShell 5.1.
ALIASES = words("aliases.txt")
FORBIDDEN = {"Write-Host", "Invoke-Expression", "Get-WmiObject", "Invoke-WmiMethod", "Set-WmiInstance"}
AUTOMATIC = {"home", "input", "args", "matches", "host", "error", "event", "profile", "pid", "this", "sender", "pwd"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_powershell_to_check() -> None:
    assert {"New-S3RcloneDrive", "Remove-S3RcloneDrive", "Get-S3RcloneDrive"} == set(PUBLIC)
    assert len(EVERY_FUNCTION) > 15


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_file_parses(path: Path) -> None:
    assert errors(path.read_text()) == []


@pytest.mark.parametrize("source", ["function A {", "if ($x -eq) { 1 }", "param([string $x)", "Get-Item | | Out-Null"])
def test_what_is_no_powershell_is_noticed(source: str) -> None:
    assert errors(source) != []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_windows_powershell_reads_every_file_as_it_was_written(path: Path) -> None:
    content = path.read_bytes()
    assert content.isascii(), "without a byte order mark, version 5.1 reads any other letter wrongly"
    assert b"\t" not in content and b"\r" not in content and content.endswith(b"\n")
    assert [line for line in content.decode().splitlines() if line != line.rstrip() or len(line) > 120] == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_operator_of_a_newer_powershell_is_used(path: Path) -> None:
    kinds = {node.type for node in walk(parse(path.read_text()))}
    assert not kinds & {"ternary_expression", "null_coalesce_expression", "class_statement"}
    assert re.findall(r"\?\?|\?\.|&&|\|\||ConvertFrom-Json -AsHashtable|-Parallel\b", path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_commands_are_called_by_their_names_with_named_parameters(path: Path) -> None:
    called = list(commands(parse(path.read_text())))
    assert [each for each in called if each.name.lower() in ALIASES] == []
    assert [each for each in called if each.name in FORBIDDEN] == []
    named = [each for each in called if re.fullmatch(r"[A-Z]\w+-\w+", each.name)]
    assert [each for each in named if any(not value.startswith("@") for value in each.positional)] == []
    assert [each for each in called if re.fullmatch(r"\w+", each.name)] == [], "programs are called by their path"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_nothing_is_assigned_to_an_automatic_variable_and_no_error_is_swallowed(path: Path) -> None:
    tree = parse(path.read_text())
    assigned = {text(node).lower().lstrip("$") for node in walk(tree) if node.type == "left_assignment_expression"}
    assert assigned & AUTOMATIC == set()
    assert re.findall(r"\$global:", path.read_text(), re.IGNORECASE) == []
    caught = [node for node in walk(tree) if node.type == "catch_clause"]
    assert [text(node) for node in caught if not any(each.type == "statement_list" for each in walk(node))] == []


@pytest.mark.parametrize(("path", "function"), EVERY_FUNCTION, ids=lambda each: getattr(each, "name", ""))
def test_every_function_has_an_approved_verb_a_singular_noun_and_a_file_of_its_own(
    path: Path, function: Function
) -> None:
    verb, _, noun = function.name.partition("-")
    assert verb in APPROVED
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", noun) and not re.search(r"[^s]s$", noun)
    if MODULE in path.parents:
        assert path.stem == function.name
    if verb in CHANGING:
        assert "SupportsShouldProcess = $true" in function.attributes
    assert ("SupportsShouldProcess" in function.attributes) == ("ShouldProcess(" in text(function.node))
    assert "[CmdletBinding(" in function.attributes
    assert len(text(function.node).splitlines()) <= 100
    assert re.sub(r"\s", "", function.help["SYNOPSIS"])


@pytest.mark.parametrize(("path", "function"), EVERY_FUNCTION, ids=lambda each: getattr(each, "name", ""))
def test_every_parameter_is_used_and_every_call_gives_those_that_exist_and_all_that_must_be(
    path: Path, function: Function
) -> None:
    body = text(function.node).partition("param(")[2]
    for name in function.parameters:
        assert len(re.findall(rf"\$(?:{name}\b|{{{name}}})", body, re.IGNORECASE)) > 1, (
            f"-{name} is declared and not used"
        )
    ours = {each.name: each for _, each in EVERY_FUNCTION}
    for command in function.commands:
        if command.name in ours:
            given = {each.lstrip("-") for each in command.parameters}
            assert given <= {*ours[command.name].parameters, "ErrorAction"}, f"line {command.line}"
            assert ours[command.name].by_sets or set(ours[command.name].mandatory) <= given, f"line {command.line}"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_exported_function_tells_what_it_does_with_each_parameter_and_an_example(name: str) -> None:
    (function,) = functions(PUBLIC[name].read_text())
    assert {"SYNOPSIS", "DESCRIPTION", "EXAMPLE"} <= function.help.keys()
    assert {each for each in function.help if each.startswith("PARAMETER")} == {
        f"PARAMETER {each}" for each in function.parameters
    }
    assert all(function.help.values()), "a section without words"
    assert name in function.help["EXAMPLE"]


@pytest.mark.parametrize("name", ["New-S3RcloneDrive", "Remove-S3RcloneDrive"])
def test_what_changes_the_machine_first_looks_whether_the_session_is_elevated(name: str) -> None:
    (function,) = functions(PUBLIC[name].read_text())
    assert function.commands[0].name == "Assert-Elevated"
    assert "ShouldProcess(" in text(function.node)


def test_remove_takes_a_letter_or_a_bucket_and_never_both() -> None:
    (function,) = functions(PUBLIC["Remove-S3RcloneDrive"].read_text())
    sets = {
        name: re.findall(r"ParameterSetName = '(\w+)'", function.declarations[name]) for name in function.parameters
    }
    assert sets == {"DriveLetter": ["ByLetter"], "BucketName": ["ByBucket"]}
    assert set(function.mandatory) == {"DriveLetter", "BucketName"}


def test_the_manifest_the_module_and_the_folder_name_the_same_commands() -> None:
    listed = [
        re.findall(r"'([A-Z]\w+-\w+)'", next(line for line in source.splitlines() if key in line))
        for source, key in [
            ((MODULE / "Strongroom.psd1").read_text(), "FunctionsToExport"),
            ((MODULE / "Strongroom.psm1").read_text(), "Export-ModuleMember"),
        ]
    ]
    assert listed == [sorted(PUBLIC)] * 2
    assert "Set-StrictMode -Version 3.0" in (MODULE / "Strongroom.psm1").read_text()


def test_every_command_that_is_not_ours_is_one_of_windows_powershell() -> None:
    known = words("cmdlets.txt")
    ours = {each.name for _, each in EVERY_FUNCTION}
    called = {each.name for path in FILES for each in commands(parse(path.read_text()))}
    assert {each for each in called if "-" in each} - ours - known == set()


def test_every_refusal_has_a_name_of_its_own_and_a_way_out() -> None:
    thrown = [
        each for _, function in EVERY_FUNCTION for each in function.commands if each.name == "ConvertTo-DriveError"
    ]
    assert len(thrown) > 15
    assert all({"-Id", "-Message", "-WayOut"} <= set(each.parameters) for each in thrown)
    refusals = json.loads((MODULE / "refusals.json").read_text())["refusals"]
    assert all(each["says"].endswith(".") and each["way_out"].endswith(".") for each in refusals)


def test_the_powershell_of_the_guide_parses_and_its_commands_take_such_parameters() -> None:
    page = (ROOT / "docs" / "guide" / "mounting-windows.md").read_text()
    blocks = re.findall(r"^```powershell\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ours = {name: functions(path.read_text())[0].parameters for name, path in PUBLIC.items()}
    called = [each for block in blocks for each in commands(parse(block))]
    assert [errors(block) for block in blocks if errors(block)] == []
    assert set(ours) <= {each.name for each in called}
    for each in called:
        assert {name.lstrip("-") for name in each.parameters} <= {*ours.get(each.name, each.parameters), "WhatIf"}
    assert set(re.findall(r"^\| `-(\w+)", page, re.MULTILINE)) <= {*ours["New-S3RcloneDrive"], "WhatIf"}
