import pytest
from django.core.exceptions import ValidationError

from social.networks.x.post_links import post_id_in


@pytest.mark.parametrize(
    "link",
    [
        "123",
        " 123 ",
        "https://x.com/acme/status/123",
        "https://twitter.com/acme/statuses/123/",
        "https://mobile.x.com/acme/status/123?s=20&t=x",
        "https://x.com/i/web/status/123#m",
        "x.com/acme/status/123/photo/1",
        "http://127.0.0.1:8100/x/acme/status/123",
    ],
)
def test_the_id_is_read_from_any_link_of_a_post(link: str) -> None:
    assert post_id_in(link) == "123"


@pytest.mark.parametrize("link", ["", "   "])
def test_nothing_is_nothing(link: str) -> None:
    assert post_id_in(link) == ""


@pytest.mark.parametrize(
    "link",
    ["hello", "https://x.com/acme", "https://x.com/acme/status/", "https://x.com/acme/status/12a", "1" * 21, "１２３"],
)
def test_anything_else_is_refused_beside_its_field(link: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        post_id_in(link)
    assert list(refusal.value.message_dict) == ["reply_to"]
