"""What the documents say is so."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel
from typer._click import Command, Context
from typer.core import TyperGroup

from imconnect.cli.main import app
from imconnect.registry import installed, load
from imconnect.settings import CoreSettings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "adapters/README.md",
        ROOT / "responses/README.md",
    )
    if path.is_file()
)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
LEFT_OUT = "…"


def named(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------------------- settings


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key an operator can set."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def all_keys() -> list[str]:
    points = installed()
    return [*keys(CoreSettings), *(key for name in points for key in keys(load(name, points).Settings, f"{name}."))]


def test_every_setting_is_in_the_list_and_the_list_has_no_other() -> None:
    listed = re.findall(r"^\| `([a-z_.]+)` \|", text_of(ROOT / "docs/configuration.md"), re.MULTILINE)

    assert sorted(listed) == sorted(all_keys())


@pytest.mark.parametrize("key", all_keys())
def test_every_setting_says_what_it_is_for(key: str) -> None:
    section, _, rest = key.partition(".")
    points = installed()
    model: type[BaseModel] = load(section, points).Settings if section in points else CoreSettings
    *sections, name = (rest if section in points else key).split(".")
    for part in sections:
        inner = model.model_fields[part].annotation
        assert isinstance(inner, type)
        assert issubclass(inner, BaseModel)
        model = inner

    assert model.model_fields[name].description


def test_the_defaults_in_the_list_are_the_defaults() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| `([^`]+)` \|", text_of(ROOT / "docs/configuration.md"), re.MULTILINE)
    core = CoreSettings().model_dump()
    said = {key: default for key, default in rows if key.count(".") == 1 and key.split(".")[0] in core}
    said.pop("web.public_url")  # there the list shows how it is made up

    assert said == {key: str(core[key.split(".")[0]][key.split(".")[1]]) for key in said}
    assert len(said) >= 5


def test_the_example_file_names_only_settings() -> None:
    section = ""
    found: list[str] = []
    for line in (ROOT / "imconnect.example.toml").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"(?:# )?\[(\w+)\]", line):
            section = heading[1] + "."
        elif setting := re.match(r"# (\w+) = ", line):
            found.append(section + setting[1])

    assert set(found) <= set(all_keys())
    assert len(found) >= 8


# ---------------------------------------------------------------------------------------------------------------- links


def anchors(document: Path) -> set[str]:
    """The fragments that lead to the headings of *document*, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> list[tuple[Path, str]]:
    found = {
        (document, link)
        for document in DOCUMENTS
        for pair in LINK.findall(text_of(document))
        for link in pair
        if link and not link.startswith(("http://", "https://", "mailto:"))
    }
    return sorted(found)


@pytest.mark.parametrize(("document", "link"), [pytest.param(*one, id=f"{named(one[0])}:{one[1]}") for one in links()])
def test_every_relative_link_leads_somewhere(document: Path, link: str) -> None:
    path, _, fragment = link.partition("#")
    target = (document.parent / path).resolve() if path else document

    assert target.exists(), "there is no such file"
    assert not fragment or fragment in anchors(target), "there is no such heading"


# ------------------------------------------------------------------------------------------------------------- commands


def commands() -> list[tuple[str, tuple[str, ...]]]:
    """Every `imconnect …` of the documents, in code blocks and between backticks, in its words."""
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    for document in DOCUMENTS:
        text = text_of(document)
        blocks = re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for said in [*lines, *re.findall(r"`([^`\n]+)`", prose)]:
            line = re.sub(r"^(\$ )?((\w+=\S+|\.venv/bin/|echo .* \|)\s*)*", "", said.strip())
            if re.match(r"imconnect [a-z-]", line) and LEFT_OUT not in line and "[" not in line and "{" not in line:
                words = tuple(shlex.split(re.split(r"\s[|><]\s?", line)[0], comments=True)[1:])
                found[named(document), words] = None
    return list(found)


@pytest.mark.parametrize(("document", "words"), commands())
def test_every_command_in_the_documents_is_one(document: str, words: tuple[str, ...]) -> None:
    """The line is taken apart as if it were to run, as far as the command it names; that command is not run."""
    command: Command | None = typer.main.get_command(app)
    above: Context | None = None
    name: str | None = "imconnect"
    rest = list(words)
    while isinstance(command, TyperGroup):
        above = command.make_context(name, rest, parent=above)
        told: list[str] = above._protected_args  # pyright: ignore[reportPrivateUsage] - a group parses no further itself
        name, command, rest = command.resolve_command(above, [*told, *above.args])
    assert command is not None
    if rest:  # prose may name a command without what it needs
        command.make_context(name, rest, parent=above)  # raises what a mistyped line would be told

    assert above is not None


def test_the_documents_show_commands() -> None:
    assert len(commands()) >= 15


# ---------------------------------------------------------------------------------------------------------------- lines


@cache
def lines_of_the_program() -> tuple[str, ...]:
    """Every piece of text in the sources, with … for what is filled in."""
    found: list[str] = []
    for folder in ("src", "adapters"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    parts = [str(part.value) if isinstance(part, ast.Constant) else LEFT_OUT for part in node.values]
                    found.append("".join(parts))
    return tuple(found)


def pieces(line: str) -> list[str]:
    return [piece.strip() for piece in line.split(LEFT_OUT) if piece.strip()]


def lines_in_the_operators_table() -> list[str]:
    section = text_of(ROOT / "docs/operating.md").partition("## What a line means")[2]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def follows(line: str, said: str) -> bool:
    """Whether the fixed pieces of *line* stand in *said*, in their order."""
    return bool(re.search(".*".join(re.escape(piece) for piece in pieces(line)), said, re.DOTALL))


@pytest.mark.parametrize("line", lines_in_the_operators_table())
def test_every_line_explained_to_operators_is_one_the_program_says(line: str) -> None:
    assert any(follows(line, said) for said in lines_of_the_program())


def test_lines_are_explained_to_operators() -> None:
    assert len(lines_in_the_operators_table()) >= 20


@pytest.mark.parametrize(
    "told", ["store unavailable", "channel not listening", "event failed", "turn failed", "sends recovered"]
)
def test_every_line_of_the_log_explained_to_operators_is_one_the_program_writes(told: str) -> None:
    assert f"`{told}`" in text_of(ROOT / "docs/operating.md")
    assert told in lines_of_the_program()


# ------------------------------------------------------------------------------------------------------------ the rest


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text_of(folder / "README.md"))

    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def test_every_room_of_the_house_plan_is_there() -> None:
    plan = text_of(ROOT / "README.md").partition("## The house")[2].partition("## Read on")[0]
    rooms = [
        room for row in re.findall(r"^\| (`[^|]+`) \|", plan, re.MULTILINE) for room in re.findall(r"`([^`]+)`", row)
    ]
    missing = [room for room in rooms if not (ROOT / room).exists() and not (ROOT / "src/imconnect" / room).exists()]

    assert rooms
    assert missing == []


def test_the_floors_in_the_readme_are_the_floors() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    floors = re.findall(r'"([^"]+)"', pyproject.partition("\nlayers = [")[2].partition("]")[0])
    shown = " → ".join(f"{{{floor}}}" if "|" in floor else floor for floor in floors)

    assert shown in " ".join(text_of(ROOT / "README.md").replace("`", "").split())
