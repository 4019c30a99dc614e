import shutil

import pytest

from campaigns.models import Delivery, Post, Source
from campaigns.source_scan import ScanReport
from campaigns.sources import create_source, scan_source
from tests.campaigns.cast import add_connection, folder_of, items_of, post_of, texts_of
from tests.campaigns.test_sources_scan import codes, counts
from tests.media_files import SAMPLES

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample folders are not here"),
]


@pytest.fixture
def source(in_workspace, bob_actor) -> Source:
    source = create_source(
        by=bob_actor, name="All", folder="content", connections=[add_connection(in_workspace, is_premium=True).pk]
    )
    shutil.copytree(SAMPLES, folder_of(source), dirs_exist_ok=True)
    return source


@pytest.fixture
def report(source, bob_actor) -> ScanReport:
    return scan_source(source, by=bob_actor)


def test_every_broken_file_is_reported_and_stops_nothing_else(source, report):
    broken = {path for path in codes(report) if path.startswith("broken/")}
    assert broken == {f"broken/{file.name}" for file in (SAMPLES / "broken").iterdir()}
    assert not [path for path in items_of(source) if path.startswith("broken/") and items_of(source)[path].post]
    assert all(problem.message for problem in report.problems)


def test_every_good_pair_is_a_post(source, report):
    used = {path for path, item in items_of(source).items() if item.status == "used"}
    assert {"spring-launch/hero.jpg", "spring-launch/roastery.mp4", "spring-launch/brew guide (final).png"} <= used
    assert {"clinic-zh/护肤小课堂.mp4", "clinic-zh/海报.jpg"} <= used
    assert report.created == Post.objects.count() == len(used)


def test_thread_of_the_video_is_a_thread(source, report):
    texts = texts_of(post_of(source, "spring-launch/roastery.mp4"))
    assert len(texts) == 4
    assert texts[1].startswith("The beans")


def test_named_time_is_planned(source, report):
    row = Delivery.objects.get(post=post_of(source, "spring-launch/brew guide (final).png"))
    planned = row.scheduled_at is not None
    assert planned is ("spring-launch/brew guide (final).png" not in codes(report))


def test_second_scan_of_the_samples_changes_nothing(source, report, bob_actor):
    again = scan_source(source, by=bob_actor)
    assert counts(again) == (0, 0, report.created, 0, 0)
    assert {path for path in codes(again) if path.startswith("broken/")} == {
        path for path in codes(report) if path.startswith("broken/")
    }
    assert Post.objects.count() == report.created


def test_nothing_of_a_scan_is_approved(source, report):
    assert set(Delivery.objects.values_list("state", flat=True)) == {"draft"}
