"""PowerShell as its grammar reads it: functions, their parameters and help, and the commands they run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "clients" / "powershell" / "Strongroom"
FILES = sorted(path for folder in ("clients", "src") for path in (ROOT / folder).rglob("*.ps*1"))
_PARSER = Parser(Language(tree_sitter_powershell.language()))


def parse(source: str) -> Node:
    """The whole tree."""
    return _PARSER.parse(source.encode()).root_node


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """As it stands in the source."""
    return (node.text or b"").decode()


def errors(source: str) -> list[str]:
    """Where the grammar was lost, with line numbers."""
    lost = (node for node in walk(parse(source)) if node.is_error or node.is_missing)
    return [f"line {node.start_point.row + 1}: {text(node)[:60]!r}" for node in lost]


@dataclass(frozen=True)
class Command:
    """One command as called: `name`, `-Parameters`, and the values that no parameter stands before."""

    name: str
    parameters: tuple[str, ...]
    positional: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Function:
    """One function, with its node."""

    name: str
    node: Node

    @cached_property
    def help(self) -> dict[str, str]:
        """The sections of its comment-based help; `.PARAMETER` sections by `PARAMETER Name`."""
        comments = [text(each) for each in walk(self.node) if each.type == "comment" and text(each).startswith("<#")]
        return sections(comments[0]) if comments else {}

    @cached_property
    def declarations(self) -> dict[str, str]:
        """Each parameter as it is declared, by its name, in order."""
        found = [each for each in walk(self.node) if each.type == "script_parameter"]
        return {text(variable_of(each)).lstrip("$"): text(each) for each in found}

    @property
    def parameters(self) -> list[str]:
        """Their names, in order."""
        return list(self.declarations)

    @property
    def mandatory(self) -> list[str]:
        """Those that every call must give, or every call of one parameter set."""
        return [name for name, said in self.declarations.items() if "Mandatory = $true" in said]

    @property
    def by_sets(self) -> bool:
        """Whether parameters come in sets, of which a call takes one."""
        return "ParameterSetName" in text(self.node)

    @cached_property
    def commands(self) -> list[Command]:
        """What it runs, in order."""
        return list(commands(self.node))

    @cached_property
    def attributes(self) -> str:
        """What stands before `param(…)`."""
        blocks = [each for each in walk(self.node) if each.type == "param_block"]
        return text(blocks[0]).partition("param(")[0] if blocks else ""


def functions(source: str) -> list[Function]:
    """Every function of a file."""
    found = (node for node in walk(parse(source)) if node.type == "function_statement")
    return [
        Function(text(next(each for each in node.children if each.type == "function_name")), node) for node in found
    ]


def variable_of(parameter: Node) -> Node:
    """The variable that a parameter is."""
    return next(each for each in parameter.children if each.type == "variable")


def sections(comment: str) -> dict[str, str]:
    """The keywords of comment-based help, with what follows each. Source: about_Comment_Based_Help."""
    parts = re.split(r"^\s*\.([A-Z]+(?: +\w+)?)[ \t]*$", comment.strip("<#>"), flags=re.MULTILINE)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def commands(node: Node) -> Iterator[Command]:
    """Every command below a node, called by name. Programs that are called with `&` have no name here."""
    for each in walk(node):
        if each.type == "command" and (names := [child for child in each.children if child.type == "command_name"]):
            yield _command(each, text(names[0]))


def _command(node: Node, name: str) -> Command:
    elements = [
        element
        for block in node.children
        if block.type == "command_elements"
        for element in block.children
        if element.type != "command_argument_sep"
    ]
    parameters, positional, takes = [], [], False
    for element in elements:
        if element.type == "command_parameter":
            parameters.append(text(element).rstrip(":"))
            takes = True
        elif element.type == "redirection":
            continue
        else:
            if not takes:
                positional.append(text(element))
            takes = False
    return Command(name, tuple(parameters), tuple(positional), node.start_point.row + 1)
