import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs/guard.md").read_text(encoding="utf-8")
SAID = "\n".join(
    path.read_text(encoding="utf-8")
    for path in [*(ROOT / "compliance/packs").glob("*.yaml"), *(ROOT / "compliance/guard/engines").glob("*.py")]
)
TABLE = DOC.partition("## Names of facts")[2].partition("\n## ")[0]
NAMES = sorted({name for row in TABLE.splitlines() if row.startswith("|") for name in re.findall(r"`(\w+)`", row)})


def test_the_table_has_names() -> None:
    assert len(NAMES) > 60


@pytest.mark.parametrize("name", NAMES)
def test_each_fact_in_the_docs_is_asked_for_somewhere(name: str) -> None:
    assert re.search(rf"(?<![a-z_]){name}(?![a-z_])", SAID)
