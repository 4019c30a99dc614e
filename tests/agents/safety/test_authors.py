import pytest

from agents.safety.authors import Author, find_contact, has_opted_out, opt_out, why_not_answer
from compliance.consent import give_consent, withdraw_consent
from compliance.contacts import create_contact
from compliance.models import Contact

KARI = Author("x", "@Kari", "9")


@pytest.fixture(autouse=True)
def inside(in_workspace) -> None:
    """Each test inside Roastery."""


@pytest.mark.parametrize(
    ("author", "is_found"),
    [
        (Author("x", "kari"), True),
        (Author("x", "@KARI"), True),
        (Author("x", "", "9"), True),
        (Author("x", "renamed", "9"), True),
        (Author("telegram", "kari", "9"), False),
        (Author("x", "karin"), False),
        (Author("x"), False),
    ],
)
def test_a_person_is_known_by_id_or_handle_on_one_network(author, is_found, alice_actor, workspace):
    create_contact(by=alice_actor, network="x", remote_id="9", handle="kari")
    assert (find_contact(author, workspace) is not None) is is_found


def test_opting_out_holds_until_they_agree_again(alice_actor, workspace):
    opt_out(KARI, by=alice_actor)
    assert has_opted_out(KARI, workspace)
    assert not has_opted_out(Author("telegram", "kari", "9"), workspace)
    assert not has_opted_out(Author("x", "lena"), workspace)


def test_opting_out_twice_is_one_contact(alice_actor):
    assert opt_out(KARI, by=alice_actor) == opt_out(KARI, by=alice_actor)
    assert Contact.objects.count() == 1


def test_a_withdrawal_of_one_purpose_is_no_opt_out(alice_actor, workspace):
    contact = create_contact(by=alice_actor, network="x", remote_id="9", handle="kari")
    give_consent(contact, "newsletter", "x", by=alice_actor, method="form", evidence={"said": "yes"})
    withdraw_consent(contact, "newsletter", "x", by=alice_actor, method="form", evidence={"said": "no"})
    assert not has_opted_out(KARI, workspace)


def test_nobody_in_particular_is_not_counted(alice_actor):
    assert {why_not_answer(Author(), "same", by=alice_actor) for _ in range(20)} == {""}


def test_limits_are_each_workspaces_own(alice_actor, charlie_actor):
    ours = [why_not_answer(KARI, str(n), by=alice_actor) for n in range(8)]
    assert ours[5] == ""
    assert ours[7]
    assert why_not_answer(KARI, "0", by=charlie_actor) == ""


def test_a_conversation_is_limited_whoever_speaks(alice_actor):
    speakers = [Author("x", f"person{n}", conversation="c1") for n in range(12)]
    found = [why_not_answer(one, "hi", by=alice_actor) for one in speakers]
    assert found[9] == ""
    assert found[11]
