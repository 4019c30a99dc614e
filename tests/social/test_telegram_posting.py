import pytest

from social.networks.telegram.posting import may_post, what_to_do

ADMIN = {"status": "administrator", "can_post_messages": True}


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        ("channel", ADMIN),
        ("channel", {"status": "creator"}),
        ("group", {"status": "member"}),
        ("supergroup", {"status": "administrator"}),
        ("supergroup", {"status": "restricted", "is_member": True, "can_send_messages": True}),
    ],
)
def test_who_may_post(kind, member):
    assert may_post(kind, member)
    assert what_to_do(kind, member) == ""


@pytest.mark.parametrize(
    ("kind", "member", "words"),
    [
        ("channel", {"status": "member"}, "Make it one"),
        ("channel", {"status": "administrator"}, "Allow “Post messages”"),
        ("channel", {"status": "administrator", "can_post_messages": False}, "Allow “Post messages”"),
        ("channel", {"status": "kicked"}, "was removed"),
        ("supergroup", {"status": "kicked"}, "was removed"),
        ("supergroup", {"status": "left"}, "Add it as an admin"),
        ("supergroup", {"status": "restricted", "is_member": True}, "Lift the restriction"),
        ("supergroup", {"status": "restricted", "can_send_messages": True}, "Lift the restriction"),
        ("group", {}, "Add it as an admin"),
    ],
)
def test_who_may_not_reads_what_to_do(kind, member, words):
    assert not may_post(kind, member)
    assert words in what_to_do(kind, member)
