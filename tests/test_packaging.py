"""One distribution that holds everything, built alike from a checkout and from its own sdist."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PYPROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ADAPTERS = sorted(path.name for path in (ROOT / "adapters").iterdir() if (path / "__init__.py").is_file())
UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
BUILT_FROM = ("pyproject.toml", "uv.lock", "README.md", "LICENSE", "src", "adapters", "responses")

needs_uv = pytest.mark.skipif(
    UV is None and os.environ.get("IMCONNECT_TEST_ALL") != "1", reason="no uv here: python -m pip install uv"
)


@dataclass(frozen=True, slots=True)
class Builder:
    """The build backend, kept apart from what it builds."""

    site: Path

    def build(self, source: Path, target: Path, *kinds: str) -> Path:
        """Build *source* into *target*; the newest file there."""
        wanted = [part for kind in kinds for part in ("-t", kind)]
        command = [sys.executable, "-m", "hatchling", "build", "-d", str(target), *wanted]
        run(command, source, {"PYTHONPATH": str(self.site)})
        return max(target.iterdir(), key=lambda built: built.stat().st_mtime)


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> str:
    """What *command* says on standard output; what it complains of, if it fails, is the failure."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("IMCONNECT_", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, check=False, cwd=folder, env={**plain, **(environ or {})}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr[-2000:]}"
    return done.stdout


def copied(target: Path) -> Path:
    """What the distribution is built from, and nothing else."""
    target.mkdir()
    for name in BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)
    return target


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    site = tmp_path_factory.mktemp("backend")
    if find_spec("hatchling") is None:
        run([sys.executable, "-m", "pip", "install", "-q", "--target", str(site), "hatchling>=1.27"], ROOT)
    return Builder(site)


@pytest.fixture(scope="module")
def wheel(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builder.build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def sdist(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builder.build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


def contents(wheel: Path) -> dict[str, bytes]:
    """Every file of a wheel, but for the list of them."""
    with ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/RECORD")}


def kept(folder: Path, beneath: str) -> Iterator[str]:
    """The files of *folder* that belong to it, as the wheel names them."""
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{beneath}/{path.relative_to(folder).as_posix()}"


# ----------------------------------------------------------------------------------------------------------- channels


def test_there_are_channels_to_declare() -> None:
    assert ADAPTERS


@pytest.mark.parametrize("package", ADAPTERS)
def test_every_adapter_folder_is_declared_as_a_channel_and_to_the_linter(package: str) -> None:
    points: Mapping[str, str] = PYPROJECT["project"]["entry-points"]["imconnect.adapters"]
    linter = PYPROJECT["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in linter["contracts"]}

    assert package in {value.partition(":")[0] for value in points.values()}
    assert package in linter["root_packages"]
    assert package in contracts["The core knows no adapter"]["forbidden_modules"]
    assert package in contracts["An adapter knows the sockets and its vendor, not the desk"]["source_modules"]
    assert package in contracts["Adapters are independent of each other"]["modules"]


@pytest.mark.parametrize("package", ADAPTERS)
def test_every_adapter_has_the_same_files(package: str) -> None:
    files = {path.name for path in (ROOT / "adapters" / package).iterdir()}

    assert {"__init__.py", "adapter.py", "translate.py", "settings.py"} <= files


def test_folders_named_like_other_peoples_packages_are_no_packages() -> None:
    packages = [name for name in ("adapters", "responses", "docker", "docs") if (ROOT / name / "__init__.py").exists()]

    assert not packages


# -------------------------------------------------------------------------------------------------------- what is built


def test_the_wheel_holds_the_core_the_channels_and_the_pack_to_the_last_file(wheel: Path) -> None:
    expected = {
        *kept(ROOT / "src/imconnect", "imconnect"),
        *(name for package in ADAPTERS for name in kept(ROOT / "adapters" / package, package)),
        *kept(ROOT / "responses", "imconnect/responses"),
    }
    held = {name for name in contents(wheel) if ".dist-info/" not in name}

    assert held == expected


def test_the_wheel_holds_what_is_no_python(wheel: Path) -> None:
    held = contents(wheel)
    wanted = (
        "imconnect/py.typed",
        "imconnect/responses/pack.toml",
        "imconnect/responses/zh/labels.toml",
        "imconnect/web/templates/chat.html",
        "imconnect/web/static/chat.js",
        "imconnect/web/static/vendor/htmx.min.js",
        "imconnect/guard/tables/lists.json.gz",
        "imconnect/nlu/tables/english.txt",
        "imconnect/storage/migrations/versions/0001_first_tables.py",
        "imconnect/storage/migrations/script.py.mako",
    )

    assert [name for name in wanted if name not in held] == []


def test_the_sdist_builds_the_same_wheel(builder: Builder, sdist: Path, wheel: Path, tmp_path: Path) -> None:
    run([sys.executable, "-m", "tarfile", "-e", str(sdist), str(tmp_path)], tmp_path)
    unpacked = next(path for path in tmp_path.iterdir() if path.is_dir())

    again = builder.build(unpacked, tmp_path / "dist", "wheel")

    assert contents(again) == contents(wheel)


def test_the_version_stands_in_one_place() -> None:
    version = PYPROJECT["project"]["version"]
    elsewhere = [
        str(path.relative_to(ROOT))
        for folder in ("src", "adapters")
        for path in (ROOT / folder).rglob("*.py")
        if any(
            isinstance(node, ast.Constant) and node.value == version
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    ]

    assert elsewhere == []


def test_the_wheel_answers_without_its_sources(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as opened:
        opened.extractall(tmp_path / "site")
    code = "import imconnect.content as c; print(c.bundled_pack()); from imconnect.cli import main; main()"
    command = [sys.executable, "-c", code, "pack", "check"]

    said = run(command, tmp_path, {"PYTHONPATH": str(tmp_path / "site")})

    assert said.splitlines()[0] == str(tmp_path / "site/imconnect/responses")
    assert ": no fault; " in said


# ------------------------------------------------------------------------------------------------------------ the image


def dockerfile() -> list[list[str]]:
    """The instructions, each in its words."""
    text = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_image_copies_only_what_is_there_and_let_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied_in = {
        word.removeprefix("./")
        for name, *words in dockerfile()
        if name == "COPY" and not words[0].startswith("--from")
        for word in words[:-1]
    }

    assert copied_in == set(BUILT_FROM)
    assert copied_in <= let_through
    assert [name for name in copied_in if not (ROOT / name).exists()] == []


def test_the_image_runs_as_nobody_in_particular() -> None:
    users = [words[0] for name, *words in dockerfile() if name == "USER"]

    assert users == ["imconnect"]


@needs_uv
def test_what_the_image_installs_answers_once_the_sources_are_gone(tmp_path: Path) -> None:
    assert UV is not None
    installs = [words for name, *words in dockerfile() if name == "RUN" and words[:2] == ["uv", "sync"]]
    source = copied(tmp_path / "build")
    environment = {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "env"), "UV_SYSTEM_CERTS": "1", "UV_PYTHON": sys.executable}
    for words in installs:
        run([UV, *words[1:], "--quiet"], source, environment)
    shutil.rmtree(source)

    said = run([str(tmp_path / "env/bin/imconnect"), "explain", "人工"], tmp_path)

    assert '"topic": "human"' in said
    assert len(installs) == 2


@pytest.mark.parametrize("name", ["compose.yaml", "compose.postgres.yaml"])
def test_every_container_runs_a_command_of_ours(name: str) -> None:
    services: Mapping[str, Any] = yaml.safe_load((ROOT / "docker" / name).read_text(encoding="utf-8"))["services"]
    ours = [service for service in services.values() if service["image"] == "imconnect"]
    commands = [" ".join(service.get("command", ["run"])) for service in ours]

    assert ours
    assert [
        words for words in commands if not re.fullmatch(r"migrate|run( --only (web|workers|connectors))?", words)
    ] == []
    assert all(
        (ROOT / "docker" / service["build"]["context"] / service["build"]["dockerfile"]).is_file() for service in ours
    )
