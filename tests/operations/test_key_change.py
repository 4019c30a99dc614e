"""SECRET_KEY is changed as the runbook says: the former one stays in SECRET_KEY_FALLBACKS for a while."""

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core import signing

from campaigns.autonomy import is_genuine, policy_hash
from campaigns.models import AutonomyPolicy
from lib.clock import now

FORMER, NEW = "the former key " * 4, "the new key " * 5


@pytest.fixture
def changed(settings):
    """Before, after with the former one still known, and after without."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = FORMER, []

    def change(*, is_former_known: bool) -> None:
        settings.SECRET_KEY = NEW
        settings.SECRET_KEY_FALLBACKS = [FORMER] if is_former_known else []

    return change


@pytest.mark.parametrize("is_former_known", [True, False])
def test_people_stay_logged_in_as_long_as_the_former_key_is_known(
    changed, client_of, alice, workspace, is_former_known
):
    client = client_of(alice)
    assert client.get(f"/w/{workspace.slug}/").status_code == 200
    changed(is_former_known=is_former_known)
    assert (client.get(f"/w/{workspace.slug}/").status_code == 200) == is_former_known


@pytest.mark.parametrize("is_former_known", [True, False])
def test_links_and_signatures_stay_good_as_long(changed, alice, is_former_known):
    link, signed = default_token_generator.make_token(alice), signing.dumps({"a": 1}, salt="test")
    policy = AutonomyPolicy(signed_at=now(), signed_by=alice)
    policy.hash = policy_hash(policy)
    changed(is_former_known=is_former_known)
    assert default_token_generator.check_token(alice, link) == is_former_known
    assert is_genuine(policy) == is_former_known
    if is_former_known:
        assert signing.loads(signed, salt="test") == {"a": 1}
    else:
        with pytest.raises(signing.BadSignature):
            signing.loads(signed, salt="test")


def test_what_is_new_needs_the_new_key_only(changed, settings, client_of, alice, workspace):
    changed(is_former_known=True)
    client = client_of(alice)
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(f"/w/{workspace.slug}/").status_code == 200
