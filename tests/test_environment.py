"""Settings fail loudly: a word that is not understood names its variable, its value and what to write instead."""

from __future__ import annotations

import os
import runpy
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from arena import environment

SETTINGS = Path(__file__).resolve().parent.parent / "arena/settings.py"
READ = [
    "HOST",
    "PORT",
    "PUBLIC_URL",
    "TRUSTED_PROXIES",
    "DATABASE_URL",
    "DATABASE_POOL",
    "REDIS_URL",
    "WEB_PROCESSES",
    "SECRET_KEY",
    "VAR_DIR",
    "LOCAL_MODEL",
    "LOCAL_MODEL_URL",
    "ARENA_RATE_LIMITS",
    "EMAIL_URL",
    "BLINDFOLD_PROCESS",
]
Settings = Callable[..., dict[str, Any]]


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings module as it reads under an environment of these variables alone."""
    monkeypatch.setattr(environment, "mkdtemp", lambda prefix: str(tmp_path))

    def read(**variables: str) -> dict[str, Any]:
        for name in READ:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return read


REFUSED = [
    ("ARENA_RATE_LIMITS", "of", "on, off"),
    ("ARENA_RATE_LIMITS", "0", "on, off"),
    ("ARENA_RATE_LIMITS", "false", "on, off"),
    ("PORT", "banana", "from 1 to 65535"),
    ("PORT", "0", "from 1 to 65535"),
    ("PORT", "65536", "from 1 to 65535"),
    ("PORT", "-1", "from 1 to 65535"),
    ("PORT", "80.0", "from 1 to 65535"),
    ("HOST", "*", "127.0.0.1, 0.0.0.0"),
    ("HOST", ".example.org", "127.0.0.1, 0.0.0.0"),
    ("HOST", "http://example.org", "127.0.0.1, 0.0.0.0"),
    ("HOST", "127.0.0.1,10.0.0.1", "127.0.0.1, 0.0.0.0"),
    ("HOST", "127.0.0.1:8000", "127.0.0.1, 0.0.0.0"),
    ("PUBLIC_URL", "*", "https://host"),
    ("PUBLIC_URL", "https://*", "https://host"),
    ("PUBLIC_URL", "https://*.example.org", "https://host"),
    ("PUBLIC_URL", "https://.example.org", "https://host"),
    ("PUBLIC_URL", "example.org", "https://host"),
    ("PUBLIC_URL", "ftp://example.org", "https://host"),
    ("PUBLIC_URL", "https://", "https://host"),
    ("PUBLIC_URL", "https://example.org/arena", "no path"),
    ("PUBLIC_URL", "https://example.org?a=b", "no path"),
    ("PUBLIC_URL", "https://example.org#a", "no path"),
    ("PUBLIC_URL", "https://example.org:port", "https://host"),
    ("PUBLIC_URL", "https://example.org:0", "https://host"),
    ("PUBLIC_URL", "https://example.org:65536", "https://host"),
    ("PUBLIC_URL", "https://[::1", "https://host"),
    ("PUBLIC_URL", "https://a.org https://b.org", "https://host"),
    ("TRUSTED_PROXIES", "*", "IP addresses or networks"),
    ("TRUSTED_PROXIES", "proxy.example.org", "IP addresses or networks"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "IP addresses or networks"),
    ("TRUSTED_PROXIES", "300.0.0.1", "IP addresses or networks"),
    ("DATABASE_URL", "mysql://host/name", "postgres://"),
    ("DATABASE_URL", "banana", "sqlite:////"),
    ("DATABASE_URL", "sqlite://", "sqlite:////"),
    ("DATABASE_URL", "sqlite:///", "sqlite:////"),
    ("DATABASE_URL", "sqlite://:memory:", "sqlite:////"),
    ("DATABASE_URL", "sqlite:///:memory:", "sqlite:////"),
    ("DATABASE_URL", "sqlite:///relative.db", "sqlite:////"),
    ("DATABASE_POOL", "x", "from 1 to 500"),
    ("DATABASE_URL", "postgres://host", "postgres://"),
    ("DATABASE_URL", "postgres://host:port/name", "postgres://"),
    ("DATABASE_URL", "postgres://host:65536/name", "postgres://"),
    ("DATABASE_URL", "postgres://[::1/name", "postgres://"),
    ("REDIS_URL", "localhost:6379", "redis://"),
    ("REDIS_URL", "http://host", "redis://"),
    ("REDIS_URL", "redis://", "redis://"),
    ("REDIS_URL", "redis://host:port", "redis://"),
    ("REDIS_URL", "redis://host:65536/0", "redis://"),
    ("REDIS_URL", "redis://host/first", "redis://"),
    ("LOCAL_MODEL_URL", "127.0.0.1:8001", "http://host:port"),
    ("LOCAL_MODEL_URL", "http://127.0.0.1:port/v1", "http://host:port"),
]


@pytest.mark.parametrize(("variable", "value", "advice"), REFUSED)
def test_a_word_that_is_not_understood_names_itself_and_the_way_out(
    variable: str, value: str, advice: str, settings_of: Settings
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(**{variable: value})
    said = str(refused.value)
    assert "\n" not in said and said.endswith(".")
    assert said.startswith(variable) and advice in said
    shown = value.partition(":")[0] if "begins with" in said else value
    assert repr(shown) in said


@pytest.mark.parametrize("word", ["none", "0", "501"])
def test_the_pool_of_a_database_server_has_bounds(word: str, settings_of: Settings) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"DATABASE_POOL='{word}'.*from 1 to 500"):
        settings_of(DATABASE_URL="postgres://host/name", DATABASE_POOL=word)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PUBLIC_URL", "https://arena:open-sesame@example.org"),
        ("DATABASE_URL", "postgres://arena:open-sesame@host:port/name"),
        ("DATABASE_URL", "postgres://arena:open-sesame@host"),
        ("DATABASE_URL", "postgres://arena:open/open-sesame@host:port/name"),
        ("DATABASE_URL", "mysql://arena:open-sesame@host/name"),
        ("REDIS_URL", "redis://:open-sesame@host:port"),
        ("LOCAL_MODEL_URL", "ftp://arena:open-sesame@host"),
    ],
)
def test_no_refusal_repeats_a_password(variable: str, value: str, settings_of: Settings) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(**{variable: value})
    assert variable in str(refused.value) and "sesame" not in str(refused.value)


def test_an_empty_environment_means_this_machine_alone(settings_of: Settings, tmp_path: Path) -> None:
    read = settings_of()
    assert (read["HOST"], read["PORT"], read["PUBLIC_URL"], read["TRUSTED_PROXIES"]) == ("127.0.0.1", 8000, "", [])
    assert set(read["ALLOWED_HOSTS"]) == {"localhost", "127.0.0.1", "[::1]"}
    assert read["DEBUG"] is False and read["RATE_LIMITS"] is True
    assert read["CSRF_TRUSTED_ORIGINS"] == []
    assert read["DATABASES"]["default"]["NAME"] == str(tmp_path / "blindfold.sqlite3")
    assert read["CHANNEL_LAYERS"]["default"]["BACKEND"] == "channels.layers.InMemoryChannelLayer"


def test_blank_values_are_as_good_as_none(settings_of: Settings) -> None:
    names = [name for name in READ if name not in ("SECRET_KEY", "VAR_DIR")]
    blank, none = settings_of(**dict.fromkeys(names, "  ")), settings_of()
    for name in ("HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "RATE_LIMITS", "REDIS_URL", "DATABASES"):
        assert blank[name] == none[name], name


@pytest.mark.parametrize(("word", "limits"), [("on", True), ("off", False), (" OFF ", False), ("", True)])
def test_limits_are_lifted_by_one_word_alone(word: str, limits: bool, settings_of: Settings) -> None:
    assert settings_of(ARENA_RATE_LIMITS=word)["RATE_LIMITS"] is limits


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]"])
def test_on_all_interfaces_any_name_of_this_machine_will_do(host: str, settings_of: Settings) -> None:
    assert settings_of(HOST=host)["ALLOWED_HOSTS"] == ["*"]


def test_with_a_public_address_all_interfaces_answer_to_known_names_alone(settings_of: Settings) -> None:
    allowed = settings_of(HOST="0.0.0.0", PUBLIC_URL="https://arena.example.org")["ALLOWED_HOSTS"]
    assert "*" not in allowed and "arena.example.org" in allowed


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("10.1.2.3", "10.1.2.3"), ("Box.Local", "box.local"), ("fe80::1", "[fe80::1]"), ("[fe80::1]", "[fe80::1]")],
)
def test_the_address_we_listen_on_may_be_asked_for(host: str, allowed: str, settings_of: Settings) -> None:
    from django.http.request import validate_host

    read = settings_of(HOST=host)
    assert allowed in read["ALLOWED_HOSTS"] and validate_host(allowed, read["ALLOWED_HOSTS"])
    assert not validate_host("evil.example.org", read["ALLOWED_HOSTS"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://arena.example.org", "https://arena.example.org"),
        ("https://arena.example.org/", "https://arena.example.org"),
        ("HTTPS://Arena.Example.ORG", "https://arena.example.org"),
        ("https://arena.example.org:443", "https://arena.example.org"),
        ("http://arena.example.org:80", "http://arena.example.org"),
        ("https://arena.example.org:8443", "https://arena.example.org:8443"),
        ("http://arena.example.org:443", "http://arena.example.org:443"),
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000"),
        ("http://[FE80::1]:8000", "http://[fe80::1]:8000"),
    ],
)
def test_the_public_address_is_kept_as_browsers_send_it(written: str, meant: str, settings_of: Settings) -> None:
    """CSRF and socket checks compare it with `Origin` letter by letter."""
    from django.http.request import validate_host

    read = settings_of(PUBLIC_URL=written)
    assert read["PUBLIC_URL"] == meant and read["CSRF_TRUSTED_ORIGINS"] == [meant]
    name = meant.split("//")[1].removesuffix(":8443").removesuffix(":8000").removesuffix(":443")
    assert validate_host(name, read["ALLOWED_HOSTS"])


@pytest.mark.parametrize(("address", "secure"), [("https://arena.example.org", True), ("http://10.0.0.5:8000", False)])
def test_cookies_are_secure_exactly_when_the_public_address_is(
    address: str, secure: bool, settings_of: Settings
) -> None:
    read = settings_of(PUBLIC_URL=address)
    assert read["SESSION_COOKIE_SECURE"] is read["CSRF_COOKIE_SECURE"] is read["IS_SECURE"] is secure
    assert read["SESSION_COOKIE_HTTPONLY"] is True


def test_forwarding_headers_are_left_to_the_server_which_knows_who_sent_them(settings_of: Settings) -> None:
    read = settings_of(TRUSTED_PROXIES=" 127.0.0.1, 10.0.0.0/8 ,fd00::/8", PUBLIC_URL="https://arena.example.org")
    assert read["TRUSTED_PROXIES"] == ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]
    assert "SECURE_PROXY_SSL_HEADER" not in read and "USE_X_FORWARDED_HOST" not in read


@pytest.mark.parametrize("name", ["plain.sqlite3", "what?.sqlite3", "50%41#.sqlite3"])
def test_the_own_database_is_found_whatever_its_folder_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert environment.database(tmp_path / name)["NAME"] == str(tmp_path / name)


def test_sqlite_transactions_begin_immediately(settings_of: Settings) -> None:
    """Otherwise concurrent votes fail with "database is locked"."""
    for read in (settings_of(), settings_of(DATABASE_URL="sqlite:////some/where.sqlite3")):
        options = read["DATABASES"]["default"]["OPTIONS"]
        assert options["transaction_mode"] == "IMMEDIATE" and "journal_mode=WAL" in options["init_command"]
    assert read["DATABASES"]["default"]["NAME"] == "/some/where.sqlite3"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_database_server_gets_a_pool_and_keeps_the_options_of_its_address(scheme: str, settings_of: Settings) -> None:
    url = f"{scheme}://arena:a%2Fb@host:5433/name?sslmode=require"
    config = settings_of(DATABASE_URL=url, DATABASE_POOL="3")["DATABASES"]["default"]
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["USER"], config["PASSWORD"], config["NAME"], config["PORT"]) == ("arena", "a/b", "name", 5433)
    assert config["OPTIONS"]["sslmode"] == "require" and config["OPTIONS"]["pool"]["max_size"] == 3
    assert config["CONN_MAX_AGE"] == 0, "Django refuses a pool with lasting connections"


@pytest.mark.parametrize("url", ["redis://host", "rediss://:word@host:6380/3", "unix:///run/redis.sock"])
def test_redis_carries_the_layers_when_it_is_named(url: str, settings_of: Settings) -> None:
    layer = settings_of(REDIS_URL=url)["CHANNEL_LAYERS"]["default"]
    assert layer["BACKEND"] == "channels_redis.core.RedisChannelLayer" and url in layer["CONFIG"]["hosts"]


def test_the_folder_is_that_of_the_environment_but_in_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    assert environment.folder("VAR_DIR", Path("/default"), throwaway=False) == tmp_path
    assert environment.folder("VAR_DIR", Path("/default"), throwaway=True) != tmp_path
    monkeypatch.setenv("VAR_DIR", " ")
    assert environment.folder("VAR_DIR", Path("/default"), throwaway=False) == Path("/default")


def test_the_secret_key_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    file = tmp_path / "var" / "secret-key"
    key = environment.secret_key(file)
    assert len(key) >= 50 and environment.secret_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["secret-key"]
    assert environment.secret_key(tmp_path / "other" / "secret-key") != key


def test_the_secret_key_of_the_environment_goes_first_and_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", " given ")
    assert environment.secret_key(tmp_path / "secret-key") == "given"
    assert list(tmp_path.iterdir()) == []


def test_the_secret_key_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that finds the file half made would sign with an empty key."""
    monkeypatch.delenv("SECRET_KEY", raising=False)
    file, seen = tmp_path / "secret-key", list[bool]()

    def slow(size: int) -> str:
        seen.append(file.exists())
        return "k" * size

    monkeypatch.setattr("arena.environment.secrets.token_urlsafe", slow)
    environment.secret_key(file)
    assert seen == [False]


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    together, keys = threading.Barrier(8), list[str]()
    token = secrets.token_urlsafe

    def after_all_have_looked(size: int) -> str:
        together.wait(30)  # every one found no key and makes its own
        return token(size)

    monkeypatch.setattr("arena.environment.secrets.token_urlsafe", after_all_have_looked)
    threads = [
        threading.Thread(target=lambda: keys.append(environment.secret_key(tmp_path / "secret-key"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8 and len(set(keys)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_file_system_without_links_still_gets_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)

    def no_links(source: str, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    key = environment.secret_key(tmp_path / "secret-key")
    assert len(key) >= 50 and environment.secret_key(tmp_path / "secret-key") == key


def test_an_empty_key_file_is_refused_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    (tmp_path / "secret-key").write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="is empty: restore it from a backup, or remove it"):
        environment.secret_key(tmp_path / "secret-key")


def test_mail_with_links_is_sent_only_where_a_request_cannot_say_where_they_lead(settings_of: Settings) -> None:
    mail = {"EMAIL_URL": "smtp+tls://me:secret@mail.example.org:587"}
    with pytest.raises(ImproperlyConfigured, match="PUBLIC_URL"):
        settings_of(HOST="0.0.0.0", **mail)
    assert settings_of(HOST="0.0.0.0", PUBLIC_URL="https://arena.example.org", **mail)["HAS_MAIL"]
    assert settings_of(**mail)["HAS_MAIL"]
