"""The design itself: who imports whom, migrations, settings and their page."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires

import pytest
from django.conf import settings
from django.core.management import call_command
from packaging.requirements import Requirement

from audit.models import Event

ROOT = settings.BASE_DIR


def lint_imports(folder):
    """Run import-linter over the packages in a folder."""
    tool = os.path.join(os.path.dirname(sys.executable), "lint-imports")  # noqa: PTH118, PTH120
    return subprocess.run(
        [tool, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_point_one_way():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module", ["portal/views/home.py", "portal/management/commandline.py", "config/guard.py"]
)
def test_only_operations_import_the_journal(tmp_path, module):
    for app in ("bench", "config", "portal", "provisioning", "audit"):
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write("\nfrom audit import journal\n")
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert "Only operations import the journal BROKEN" in done.stdout


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=1)


def test_production_passes_the_deployment_checks(tmp_path):
    variables = {
        "PATH": os.environ["PATH"],
        "ALTA_DATA_DIR": str(tmp_path),
        "PUBLIC_URL": "https://alta.example.com",
    }
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def variables_read():
    """Return the names of the variables that settings.py and supervise.py read."""
    found = set()
    for name in ("settings.py", "supervise.py"):
        tree = ast.parse((ROOT / "config" / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                function = node.func
                called = function.attr if isinstance(function, ast.Attribute) else function.id
                if called in ("read", "_secret", "_checked"):
                    found.add(node.args[0].value)
    return found


def test_every_setting_is_on_its_page():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| `([A-Z_]+)`", page, flags=re.MULTILINE))
    assert variables_read() - written == set()


def test_nothing_names_a_registry_or_a_machine():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        odd = [line for line in lines if "://" in line or line.startswith("--")]
        assert odd == []
        assert sum("--hash=sha256:" in line for line in lines) > 100


def pins():
    """Return {name: extras} of every package that is pinned for the tests."""
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.rstrip(" \\").split(" --hash")[0]) for line in lines if "==" in line]
    return {pin.name: (pin.extras, pin.marker) for pin in found}


def test_pins_name_the_extras_that_packages_ask_for():
    """Else pip takes `coverage[toml]` for another package, and its newest release has no hash."""
    pinned = pins()
    here = [name for name, (_, marker) in pinned.items() if marker is None or marker.evaluate()]
    asked = [Requirement(line) for name in here for line in requires(name) or ()]
    missing = [
        str(one)
        for one in asked
        if one.extras
        and (one.marker is None or one.marker.evaluate({"extra": ""}))
        and not one.extras <= pinned[one.name][0]
    ]
    assert missing == []


def english_rules(path):
    """Return the lines of a module that raise something with a text that is not translated."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    bare = (ast.Constant, ast.JoinedStr)
    return [
        f"{path.name}:{call.lineno}"
        for call in calls
        if isinstance(call, ast.Call) and any(isinstance(arg, bare) for arg in call.args)
    ]


RULES = sorted(ROOT.glob("p*/operations/*.py"))


@pytest.mark.parametrize("path", RULES, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_a_broken_rule_is_told_in_the_reader_s_language(path):
    assert english_rules(path) == []


def test_the_modules_that_use_django_scim2_are_those_that_its_page_names():
    page = (ROOT / "docs/decisions/0002-what-django-scim2-does.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+(?:/\w+)+\.py)`", page.split("**Consequences.**")[1]))
    using = {
        str(path.relative_to(ROOT))
        for app in ("config", "portal", "provisioning", "audit")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"^\s*(?:from|import) django_scim", path.read_text("utf-8"), re.MULTILINE)
    }
    assert using == named


def test_the_model_names_the_migration_that_guards_it():
    (number,) = re.findall(r"\(migration (\d{4})\)", Event.__doc__)
    (migration,) = (ROOT / "audit/migrations").glob(f"{number}_*.py")
    assert "append_only.install" in migration.read_text(encoding="utf-8")
