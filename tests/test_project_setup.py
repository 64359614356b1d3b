"""The files around the code: pinned packages, server settings, what may be committed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest
import streamlit.config
from hypothesis import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONFIG = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_files = load_script("check_files")


def pinned(name: str) -> dict[str, str]:
    versions = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text and not text.startswith("-r "):
            requirement = Requirement(text)
            if requirement.marker is not None and not requirement.marker.evaluate():
                continue
            pins = [part.version for part in requirement.specifier if part.operator == "=="]
            assert len(pins) == len(requirement.specifier) == 1, f"not pinned: {text}"
            versions[canonicalize_name(requirement.name)] = pins[0]
    return versions


# ------------------------------------------------------------------------------- requirements


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_installed_as_pinned(name: str) -> None:
    versions = pinned(name)
    assert len(versions) > 10
    installed = {package: importlib.metadata.version(package) for package in versions}
    assert installed == versions


def test_no_requirement_of_the_app_is_left_unpinned() -> None:
    versions = pinned("requirements.txt")
    for package in versions:
        for text in importlib.metadata.requires(package) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed = canonicalize_name(requirement.name)
                assert needed in versions, f"{package} needs {needed}"


def test_every_package_that_the_app_imports_is_a_requirement_of_the_app() -> None:
    modules = importlib.metadata.packages_distributions()
    versions = pinned("requirements.txt")
    files = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "sts_core").rglob("*.py")]
    imported = {
        name
        for file in files
        if file.exists()
        for name in re.findall(
            r"^\s*(?:import|from) ([A-Za-z_]\w*)", file.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    outside = imported - set(sys.stdlib_module_names) - {"sts_core", "pages", "app"}
    third_party = {name for name in outside if name in modules}
    assert {"numpy", "pandas"} <= third_party
    for name in third_party:
        assert any(canonicalize_name(d) in versions for d in modules[name]), name


# ------------------------------------------------------------------------------ server settings


def flat(table: dict[str, object], prefix: str = "") -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            values |= flat(value, f"{prefix}{key}.")
        else:
            values[prefix + key] = value
    return values


def test_streamlit_knows_every_key() -> None:
    assert set(flat(CONFIG)) <= set(streamlit.config._config_options_template)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("server.address", "127.0.0.1"),
        ("server.headless", True),
        ("server.showEmailPrompt", False),
        ("server.fileWatcherType", "none"),
        ("server.maxUploadSize", 50),
        ("server.enableStaticServing", True),
        ("server.disconnectedSessionTTL", 3600),
        ("browser.gatherUsageStats", False),
        ("client.toolbarMode", "viewer"),
        ("client.showErrorDetails", "none"),
        ("client.showErrorLinks", False),
        ("client.disableDataExport", True),
    ],
)
def test_server_keeps_to_itself(key: str, value: object) -> None:
    assert flat(CONFIG)[key] == value


def test_fonts_are_local_files() -> None:
    faces = CONFIG["theme"]["fontFaces"]
    assert {face["family"] for face in faces} == {"IBM Plex Sans", "Noto Sans SC"}
    for face in faces:
        assert face["url"].startswith("app/static/")
        font = ROOT / face["url"].removeprefix("app/")
        assert font.read_bytes()[:4] == b"wOF2", font


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Contrast ratio of WCAG 2.1, from 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_theme_can_be_read(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    grounds = [
        theme["backgroundColor"],
        theme["secondaryBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
    ]
    for ground in grounds:
        for role in ("textColor", "primaryColor", "linkColor"):
            assert contrast(theme[role], ground) >= 4.5, (role, ground)
    for hue in ("blue", "green", "orange", "yellow", "red", "gray"):
        assert contrast(theme[f"{hue}TextColor"], theme[f"{hue}BackgroundColor"]) >= 4.5, hue
        assert contrast(theme[f"{hue}TextColor"], theme["backgroundColor"]) >= 4.5, hue
    # Streamlit ignores a list of fewer than ten.
    assert len(set(theme["chartCategoricalColors"])) >= 10
    for colour in theme["chartCategoricalColors"]:
        assert contrast(colour, theme["backgroundColor"]) >= 3, colour


# ---------------------------------------------------------------------------- committed files


@pytest.mark.parametrize(
    "name",
    [
        "patients.xlsx",
        "docs/Cohort.CSV",
        "tests/estimators/real.sav",
        "sts_core/reading/export.dta",
        "pages/cohort.csv.gz",
        "vocabulary/terms.csv",
        "tests/references/table.csv",
    ],
)
def test_data_files_are_refused(name: str) -> None:
    assert "data file" in check_files.refusal(PurePosixPath(name), b"")


@pytest.mark.parametrize(
    "name",
    [
        "sample_data/cohort.xlsx",
        "tests/reference/pancreatic.csv",
        "sts_core/reading/vocabulary/histotypes.csv",
        "app.py",
        "docs/methods.md",
    ],
)
def test_samples_references_and_code_are_accepted(name: str) -> None:
    assert check_files.refusal(PurePosixPath(name), b"text") is None


@pytest.mark.parametrize("signature", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_an_office_file_under_another_name_is_refused(signature: bytes) -> None:
    assert "another name" in check_files.refusal(PurePosixPath("docs/notes.txt"), signature + b"x")


@pytest.mark.parametrize(
    ("name", "size", "accepted"),
    [
        ("docs/screenshot.png", 1_000_000, True),
        ("docs/screenshot.png", 1_000_001, False),
        ("static/fonts/NotoSansSC-Regular.woff2", 8_000_000, True),
        ("static/fonts/NotoSansSC-Regular.woff2", 8_000_001, False),
        ("sample_data/cohort.xlsx", 1_000_001, False),
    ],
)
def test_big_files_are_refused(name: str, size: int, accepted: bool) -> None:
    assert (check_files.refusal(PurePosixPath(name), bytes(size)) is None) is accepted


def test_command_names_the_refused_file_and_fails(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "data").mkdir()
    script = tmp_path / "scripts" / "check_files.py"
    script.write_bytes((ROOT / "scripts" / "check_files.py").read_bytes())
    command = [sys.executable, str(script)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    (tmp_path / "data" / "patients.csv").write_text("id,sex\n1,F\n")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "data/patients.csv" in done.stderr


# --------------------------------------------------------------------------------- test settings


def test_random_examples_are_repeatable() -> None:
    profile = settings.get_profile("ci")
    assert profile.derandomize
    assert profile.deadline is None
    assert profile.max_examples == 50


def test_every_command_of_the_makefile_explains_itself() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert phony is not None
    targets = phony[1].replace("\\", " ").split()
    assert {"run", "test", "validate"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), target
