import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READERS = {"text", "integer", "number", "flag", "words"}
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| (.+?) \| .+ \|$", re.MULTILINE)
UP = [ROOT / "marketing/local.py", ROOT / "marketing/local_run.py"]
# Not for the operator: set for child processes whatever the environment says.
INTERNAL = {"PYTHONUNBUFFERED", "INFO"}


def documented() -> dict[str, str]:
    return dict(ROW.findall((ROOT / "docs/settings.md").read_text()))


def env_calls() -> list[ast.Call]:
    sources = [path for path in (ROOT / "marketing").glob("*.py") if path.name != "env.py"]
    calls = [node for path in sources for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [call for call in calls if is_reader(call.func)]


def is_reader(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and getattr(func.value, "id", "") == "env" and func.attr in READERS


def name_of(call: ast.Call) -> str:
    return ast.literal_eval(call.args[0])


def names_of_up() -> set[str]:
    """Variables that `manage.py up` reads or completes: names in capitals that stand alone in its source."""
    strings = re.findall(r'"([A-Z][A-Z0-9_]{3,})"', "".join(path.read_text() for path in UP))
    return set(strings) - INTERNAL


def constant_defaults() -> dict[str, object]:
    return {
        name_of(call): call.args[1].value
        for call in env_calls()
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    }


def as_written(value: object) -> str:
    if value == "":
        return "empty"
    return f"`{int(value) if isinstance(value, bool) else value}`"


def test_every_reader_names_its_variable_as_a_literal():
    assert len(env_calls()) > 40
    assert all(isinstance(call.args[0], ast.Constant) for call in env_calls())


def test_every_setting_is_documented():
    assert {name_of(call) for call in env_calls()} <= documented().keys()


def test_everything_that_up_reads_is_documented():
    assert {"SANDBOX_PORT", "WEB_CONCURRENCY"} <= names_of_up()
    assert names_of_up() <= documented().keys()


def test_nothing_is_documented_that_nothing_reads():
    assert documented().keys() <= {name_of(call) for call in env_calls()} | names_of_up()


def test_no_variable_is_documented_twice():
    names = [name for name, _default in ROW.findall((ROOT / "docs/settings.md").read_text())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(constant_defaults()))
def test_documented_default_is_the_one_in_the_source(name):
    assert documented()[name] == as_written(constant_defaults()[name])


def test_every_check_is_documented():
    ids = set(re.findall(r'id="(rostrum\.[EW]\d+)"', (ROOT / "marketing/checks.py").read_text()))
    assert ids
    assert ids == set(re.findall(r"rostrum\.[EW]\d+", (ROOT / "docs/settings.md").read_text()))
