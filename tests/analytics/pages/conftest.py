from tests.analytics.results_fixtures import busy, channel, noon, roastery, spring, week  # noqa: F401 fixtures
