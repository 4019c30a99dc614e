from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import plans
from campaigns.models import MediaAsset
from tests.campaigns.cast import add_asset
from tests.media_files import noise

pytestmark = pytest.mark.django_db
URL = "/api/media"


@pytest.fixture
def bob_api(api, bob, in_workspace):
    return api(bob)


def png(width: int = 60) -> bytes:
    out = BytesIO()
    noise(width, 40).save(out, "PNG")
    return out.getvalue()


def upload(client, content: bytes, name: str = "bag.png", **headers):
    return client.post(URL, {"file": SimpleUploadedFile(name, content)}, format="multipart", **headers)


def test_picture_is_kept_and_described(bob_api, settings):
    answer = upload(bob_api, png())
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["kind"], body["mime"], body["width"], body["height"]) == (
        "bag.png",
        "image",
        "image/png",
        60,
        40,
    )
    assert (settings.MEDIA_ROOT / MediaAsset.objects.get().file).read_bytes()


def test_same_bytes_are_the_same_file(bob_api):
    content = png()
    assert upload(bob_api, content).json()["id"] == upload(bob_api, content, "again.png").json()["id"]


def test_media_of_a_plan_fill_up_and_what_is_there_may_come_again(bob_api, in_workspace, settings):
    in_workspace.plan = "free"
    in_workspace.save(update_fields=["plan"])
    content = png()
    first = upload(bob_api, content).json()
    MediaAsset.objects.update(size_bytes=500_000_000)
    assert plans.used_of(in_workspace, "storage_mb") == 500
    stored = list(settings.MEDIA_ROOT.rglob("*"))
    refusal = upload(bob_api, png(61))
    assert (refusal.status_code, refusal.json()["code"]) == (403, "plan_limit")
    # Nothing lies in the storage that no row names.
    assert list(settings.MEDIA_ROOT.rglob("*")) == stored
    assert upload(bob_api, content).json()["id"] == first["id"]


def test_large_upload_with_a_key_is_taken(bob_api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    content = png(400)
    assert len(content) > 10_000
    answers = [upload(bob_api, content, HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert MediaAsset.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evil.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("half.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 90),
        ("text.png", b"no picture"),
    ],
)
def test_what_is_no_usable_file_is_refused_with_the_reason(bob_api, name, content):
    answer = upload(bob_api, content, name)
    assert answer.status_code == 400
    assert answer.json()["errors"]["detail"][0].startswith(f"{name}: ")
    assert not MediaAsset.objects.exists()


def test_file_over_the_limit_is_refused(bob_api, settings):
    settings.MEDIA_UPLOAD_MAX_BYTES = 100
    assert "larger than" in upload(bob_api, png()).json()["errors"]["detail"][0]


def test_request_without_a_file_is_refused(bob_api):
    answer = bob_api.post(URL, {"other": "x"}, format="multipart")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["file"])


def test_json_is_not_taken(bob_api):
    answer = bob_api.post(URL, {"file": "x"}, format="json")
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")


def test_viewer_cannot_upload(api, vic, in_workspace):
    assert upload(api(vic), png()).status_code == 403
    assert not MediaAsset.objects.exists()


def test_list_and_detail_show_the_same(bob_api, in_workspace):
    asset = add_asset(in_workspace)
    (row,) = bob_api.get(URL).json()["results"]
    assert row == bob_api.get(f"{URL}/{asset.pk}").json()
    assert "file" not in row
