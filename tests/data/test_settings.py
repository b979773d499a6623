"""Settings: environment over file over default, and one sentence for whatever is wrong."""

import socket

import pytest

from data import settings
from data.errors import RapportError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in ("RAPPORT_HOME", "RAPPORT_HOST", "RAPPORT_SECRET_KEY", "RAPPORT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_init_makes_a_commented_file_and_a_secret_that_only_the_owner_reads(tmp_path):
    assert settings.make_home(tmp_path / "new") is True
    assert settings.make_home(tmp_path / "new") is False
    loaded = settings.load(tmp_path / "new")
    assert len(loaded.secret_key) >= 48
    assert (tmp_path / "new" / "secret.key").stat().st_mode & 0o077 == 0


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / "rapport.toml").write_text('organisation = "File Ltd"\ndashboard_port = 9000\n')
    monkeypatch.setenv("RAPPORT_ORGANISATION", "Environment Ltd")
    loaded = settings.load(tmp_path)
    assert (loaded.organisation, loaded.dashboard_port) == ("Environment Ltd", 9000)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('dashboard_port = "many"', "The setting dashboard_port is not usable: .*integer"),
        ("dashboard_prt = 1", "The setting dashboard_prt is not usable: "),
        ('database_url = "mysql://x"', "expected a postgresql:// URL"),
        ('secret_key = "' + "x" * 40 + '"', "belongs in the environment or secret.key"),
        ("host = ", "not valid TOML"),
    ],
)
def test_a_bad_setting_stops_with_one_sentence(tmp_path, text, sentence):
    (tmp_path / "rapport.toml").write_text(text)
    with pytest.raises(RapportError, match=sentence) as refused:
        settings.load(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_bad_value_is_never_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "too short and secret")
    with pytest.raises(RapportError) as refused:
        settings.load(tmp_path)
    assert "too short and secret" not in str(refused.value)


def test_settings_are_frozen(tmp_path):
    with pytest.raises(Exception, match="frozen"):
        settings.load(tmp_path).host = "0.0.0.0"


@pytest.mark.parametrize(
    ("host", "behind_proxy", "is_served"),
    [("127.0.0.1", False, True), ("0.0.0.0", False, False), ("0.0.0.0", True, True)],
)
def test_plain_http_is_for_loopback(tmp_path, host, behind_proxy, is_served):
    loaded = settings.Settings(home=tmp_path, host=host, behind_proxy=behind_proxy)
    if is_served:
        settings.refuse_plain_http(loaded)
    else:
        with pytest.raises(RapportError, match="proxy with TLS"):
            settings.refuse_plain_http(loaded)


def test_a_taken_port_is_one_sentence_that_names_the_setting(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = settings.Settings(home=tmp_path, dashboard_port=holder.getsockname()[1])
        with pytest.raises(RapportError, match="set dashboard_port to a free port"):
            settings.refuse_taken_port(taken, "dashboard_port")
    settings.refuse_taken_port(taken, "dashboard_port")
