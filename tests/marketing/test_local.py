import base64
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketing.local import (
    PortTaken,
    is_given,
    keep_secrets,
    listen,
    local_environment,
    port_of,
    publish_environment,
    read_values,
    reserve_port,
    running_environment,
    sandbox_addresses,
)
from marketing.processes import lock_file


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_port_of_the_environment_is_used(taken: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with reserve_port("PORT", taken, {"PORT": str(free)}) as server:
        assert port_of(server) == free


def test_taken_port_of_the_environment_is_refused_by_name(taken: int) -> None:
    with pytest.raises(PortTaken, match=f"PORT={taken}: another program"):
        reserve_port("PORT", 8000, {"PORT": str(taken)})


def test_next_free_port_is_chosen_when_none_was_asked_for(taken: int) -> None:
    with reserve_port("PORT", taken, {}) as server:
        assert taken < port_of(server) < taken + 200


def test_reserved_port_cannot_be_reserved_twice(taken: int) -> None:
    with reserve_port("PORT", taken, {}) as first, reserve_port("PORT", taken, {}) as second:
        assert port_of(first) != port_of(second)


def test_port_shared_by_reuseport_counts_as_taken() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert listen(other.getsockname()[1]) is None


def test_port_of_a_server_on_all_addresses_counts_as_taken() -> None:
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        assert listen(other.getsockname()[1]) is None


@pytest.mark.skipif(not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")
def test_port_taken_only_on_ipv6_counts_as_taken() -> None:
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", 0))
        other.listen()
        assert listen(other.getsockname()[1]) is None


def test_secrets_are_kept_over_restarts(tmp_path: Path) -> None:
    assert keep_secrets(tmp_path) == keep_secrets(tmp_path)


def test_secrets_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    keep_secrets(tmp_path)
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.env"]


def test_field_key_has_256_bits(tmp_path: Path) -> None:
    assert len(base64.urlsafe_b64decode(keep_secrets(tmp_path)["FIELD_KEYS"])) == 32


def test_two_folders_have_different_secrets(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert not set(keep_secrets(tmp_path).values()) & set(keep_secrets(tmp_path / "other").values())


def test_missing_secret_is_added_without_touching_the_others(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("FIELD_KEYS=kept=\n")
    assert keep_secrets(tmp_path)["FIELD_KEYS"] == "kept="
    assert read_values(tmp_path / "secrets.env").keys() == {"FIELD_KEYS", "SECRET_KEY"}


def test_folder_without_secrets_has_none(tmp_path: Path) -> None:
    assert read_values(tmp_path / "secrets.env") == {}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    publish_environment(tmp_path, {"PORT": "8001", "HOME": "/home/alice"}, {"HOME": "/home/alice"})
    (tmp_path / "children.lock").touch()
    return tmp_path


def test_other_commands_find_what_a_running_up_has_added(published: Path) -> None:
    held = lock_file(published / "children.lock")
    assert held is not None
    assert running_environment(published) == {"PORT": "8001"}
    os.close(held)


def test_other_commands_ignore_what_an_ended_up_has_left(published: Path) -> None:
    assert running_environment(published) == {}


def test_folder_in_which_nothing_ever_ran_adds_nothing(tmp_path: Path) -> None:
    assert running_environment(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_published_environment_is_readable_by_the_owner_only(published: Path) -> None:
    assert (published / "run.env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("environ", [{"NAME": "value"}, {"NAME_FILE": "/run/secrets/name"}])
def test_setting_is_given_directly_or_as_a_file(environ: dict[str, str]) -> None:
    assert is_given("NAME", environ)


@pytest.mark.parametrize("environ", [{}, {"NAME": ""}, {"OTHER": "value"}])
def test_empty_setting_is_not_given(environ: dict[str, str]) -> None:
    assert not is_given("NAME", environ)


def test_networks_point_at_the_sandbox_by_default() -> None:
    found = sandbox_addresses(8111, {})
    assert found["X_API_BASE_URL"] == "http://127.0.0.1:8111/x"
    assert found["TELEGRAM_API_BASE_URL"] == "http://127.0.0.1:8111/tg"


def test_own_x_keys_are_never_sent_to_the_sandbox() -> None:
    assert not [name for name in sandbox_addresses(8111, {"X_CLIENT_ID": "mine"}) if name.startswith("X_")]


def test_given_address_wins_over_the_sandbox() -> None:
    assert "X_API_BASE_URL" not in sandbox_addresses(8111, {"X_API_BASE_URL": "http://127.0.0.1:1/x"})


def test_children_get_the_operators_settings_unchanged(tmp_path: Path) -> None:
    given = {"DEBUG": "0", "SECRET_KEY": "mine", "LOG_LEVEL": "ERROR"}
    env = local_environment(tmp_path, 8000, 8100, {}, given)
    assert given.items() <= env.items()


def test_a_run_on_one_machine_shows_no_source_code(tmp_path: Path) -> None:
    env = local_environment(tmp_path, 8000, 8100, {}, {})
    assert "DEBUG" not in env
    assert env["STATIC_FROM_SOURCE"] == "1"


def test_secret_mounted_as_a_file_is_not_shadowed(tmp_path: Path) -> None:
    env = local_environment(tmp_path, 8000, 8100, {}, {"SECRET_KEY_FILE": "/run/secrets/key"})
    assert "SECRET_KEY" not in env


def test_children_get_the_chosen_ports_and_stores(tmp_path: Path) -> None:
    env = local_environment(tmp_path, 8003, 8104, {"REDIS_URL": "unix:///here"}, dict(os.environ))
    assert (env["PORT"], env["SANDBOX_PORT"], env["REDIS_URL"]) == ("8003", "8104", "unix:///here")
    assert env["APP_DATA"] == str(tmp_path)
