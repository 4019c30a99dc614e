import pytest

from integrations.search.indexing import index_due
from integrations.search.services import find


@pytest.fixture
def hits(in_workspace):
    """What somebody finds now, as {kind: [titles]}."""

    def search(text, by, **options):
        index_due()
        return {group.kind: [hit.title for hit in group.hits] for group in find(text, by=by, **options)}

    return search
