"""The first things a fresh machine meets: requirements, make, configuration, container.

Read and run, never trusted to be right.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

pytestmark = pytest.mark.long

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("run", "test", "check", "bench", "load", "fuzz", "soak", "clean", "help")
THEMES = ("light", "dark")
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")


def requirements(name: str) -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as a person would, not as a child of the make that may run these tests."""
    dropped = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "HOST", "PORT", "PYTHON"}
    environment = {key: value for key, value in os.environ.items() if key not in dropped}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


# Requirements


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_has_a_lower_and_an_upper_bound(name: str) -> None:
    for requirement in requirements(name):
        assert sorted(bound.operator for bound in requirement.specifier) == ["<", ">="], requirement


def test_run_time_requirements_hold_no_test_tools() -> None:
    run_time = {requirement.name for requirement in requirements("requirements.txt")}
    assert not run_time & {requirement.name for requirement in requirements("requirements-dev.txt")}
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text()


def test_torch_and_torchvision_may_be_as_old_as_each_other() -> None:
    lowest = {
        requirement.name: Version(next(bound.version for bound in requirement.specifier if bound.operator == ">="))
        for requirement in requirements("requirements.txt")
    }
    # torchvision 0.24 was built with torch 2.9; both have counted up by one since.
    assert lowest["torchvision"].minor - lowest["torch"].minor == 24 - 9
    assert lowest["torch"] >= Version("2.9")


# make


@needs_make
@pytest.mark.parametrize("target", TARGETS)
def test_target_exists_and_is_explained(target: str) -> None:
    assert make(ROOT, "-n", target).returncode == 0
    assert re.search(rf"^ +make {target} +\w", make(ROOT, "help").stdout, re.MULTILINE)


@needs_make
def test_run_starts_the_server_and_hands_host_and_port_on() -> None:
    assert (
        "HOST='127.0.0.1' PORT='8501' exec .venv/bin/python -m pages.ui.frame.server" in make(ROOT, "-n", "run").stdout
    )
    assert "HOST='0.0.0.0' PORT='9000'" in make(ROOT, "-n", "run", "HOST=0.0.0.0", "PORT=9000").stdout


@needs_make
def test_test_runs_the_three_checks_in_order() -> None:
    recipe = make(ROOT, "-n", "test").stdout
    assert recipe.index("-m ruff") < recipe.index("-m mypy") < recipe.index("-m pytest")


@needs_make
@pytest.mark.slow
def test_a_stamp_is_left_only_by_a_finished_install(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    expected = tmp_path / "requirements.txt"
    stamp = tmp_path / ".venv" / ".run"
    expected.write_text("./not-there\n")
    assert make(tmp_path, ".venv/.run", f"PYTHON={sys.executable}").returncode != 0
    assert not stamp.exists()
    expected.write_text("# nothing\n")
    assert make(tmp_path, ".venv/.run", f"PYTHON={sys.executable}").returncode == 0
    assert stamp.exists()
    assert "up to date" in make(tmp_path, ".venv/.run").stdout
    (tmp_path / ".venv" / "bin" / "python").unlink()  # as after an upgrade of the system's Python
    assert "Making .venv" in make(tmp_path, ".venv/.run", f"PYTHON={sys.executable}").stdout


@needs_make
def test_a_python_that_is_too_old_is_a_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    message = make(tmp_path, ".venv/.run", "PYTHON=false").stderr
    assert "Whybox needs Python 3.10 or newer with its venv module" in message
    assert "false is not one. Name one like this: make run PYTHON=/path/to/python3" in message


def test_ci_runs_make_test_and_wants_the_browser() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if not line.startswith("#")]
    assert lines == ['cd "$(dirname "$0")/.." && CI=true exec make test']
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


# Streamlit's configuration


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in table.items():
        result.update(flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return result


def test_streamlit_knows_every_option(config: dict[str, Any]) -> None:
    from streamlit import config as streamlit_config

    known = set(streamlit_config.get_config_options())
    assert set(flat(config)) <= known


def test_options_that_keep_the_server_quick_private_and_safe(config: dict[str, Any]) -> None:
    options = flat(config)
    assert options["server.fileWatcherType"] == "none"
    assert options["runner.postScriptGC"] is False, (
        "a third of a second without any map being made, after every look of every page"
    )
    assert options["server.enableXsrfProtection"] is True
    assert options["server.maxUploadSize"] == 2000
    assert options["global.maxCachedMessageAge"] >= 1000, (
        "a click beside a running job can meet a message that the browser has forgotten"
    )
    assert options["browser.gatherUsageStats"] is False
    assert options["client.showErrorDetails"] == "none"
    assert not [value for value in options.values() if isinstance(value, str) and "//" in value], (
        "something would be fetched"
    )


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio, 1 (none) to 21 (black on white)."""
    dark, bright = sorted((luminance(first), luminance(second)))
    return (bright + 0.05) / (dark + 0.05)


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", ["textColor", "linkColor", "primaryColor"])
@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_can_be_read_in_both_themes(config: dict[str, Any], theme: str, text: str, ground: str) -> None:
    colours = config["theme"][theme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_white_marks_on_the_primary_colour_can_be_seen(config: dict[str, Any], theme: str) -> None:
    assert contrast(config["theme"][theme]["primaryColor"], "#ffffff") >= 3


# The container


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """(instruction, argument) pairs, continued lines joined, comments dropped."""
    lines = (line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#"))
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest) for word, _, rest in (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    ]


def test_container_runs_the_server_as_nobody_special(dockerfile: list[tuple[str, str]]) -> None:
    words = [word for word, _ in dockerfile]
    last_user = [rest for word, rest in dockerfile if word == "USER"][-1]
    assert last_user not in {"root", "0"}
    assert words.index("USER") > max(i for i, word in enumerate(words) if word in {"RUN", "COPY"})
    assert json.loads(dict(dockerfile)["CMD"]) == ["python", "-m", "pages.ui.frame.server"]
    assert re.fullmatch(r"python:3\.\d+-slim", dict(dockerfile)["FROM"])


def test_container_is_for_the_cpu_unless_told_otherwise(dockerfile: list[tuple[str, str]]) -> None:
    assert dict(dockerfile)["ARG"].startswith("TORCH_INDEX=") and dict(dockerfile)["ARG"].endswith("/cpu")
    assert any('"$TORCH_INDEX"' in rest and "-r requirements.txt" in rest for word, rest in dockerfile if word == "RUN")


def test_container_answers_for_its_health(dockerfile: list[tuple[str, str]]) -> None:
    command = json.loads(dict(dockerfile)["HEALTHCHECK"].partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    assert "/_stcore/health" in command[2]
    compile(command[2], "health check", "exec")


def test_container_gets_only_what_the_server_needs() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    stored = {rule[1:].split("/")[0] for rule in rules if rule.startswith("!")}
    assert stored == {"app.py", "pages", "xai_core", "assets", ".streamlit", "requirements.txt", "LICENSE"}
