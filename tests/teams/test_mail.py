"""Mail, tried against a server that runs here: what is sent, and what is said when nothing can be."""

from __future__ import annotations

import email
import email.policy
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from allauth.account import views as allauth_views
from allauth.account.models import EmailAddress
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import path
from pytest_django import Settings

import arena.urls
from arena import environment
from arena.teams import invitations
from arena.teams.models import Arena
from tests.servers import free_port

urlpatterns = [
    # The account library has this address where the process is started with a mail server.
    path("accounts/login/code/", allauth_views.request_login_code, name="account_request_login_code"),
    *arena.urls.urlpatterns,
]
handler404, handler500 = arena.urls.handler404, arena.urls.handler500
PASSWORD = "four-words-make-one"
SORRY = b"The mail was not sent"


class Box:
    """What has been delivered, and what the server says to the next ones."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.says = "250 OK"
        self.known = ("blindfold", "secret")
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.says.startswith("250"):
            self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.says

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self.known
        return AuthResult(success=right, handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself; with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("mail") / "both.pem"
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))
    return path


@pytest.fixture
def box(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """A server that wants STARTTLS and a password before it takes anything."""
    box, context = Box(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = Controller(
        box, hostname="127.0.0.1", port=free_port(), tls_context=context, authenticator=box.authenticate,
        auth_required=True,
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server.start()
    box.port = server.port
    yield box
    server.stop()


def configure(monkeypatch: pytest.MonkeyPatch, settings: Settings, url: str) -> None:
    """As the environment does for an instance that is started with EMAIL_URL."""
    monkeypatch.setenv("EMAIL_URL", url)
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    for name, value in environment.email("EMAIL_URL").items():
        setattr(settings, name, value)
    settings.HAS_MAIL = settings.ACCOUNT_LOGIN_BY_CODE_ENABLED = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def mail(box: Box, db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Box:
    cache.clear()
    configure(monkeypatch, settings, f"smtp+tls://blindfold:secret@127.0.0.1:{box.port}")
    return box


@pytest.fixture
def ines(db: None) -> User:
    user = User.objects.create_user("ines", "ines@example.org", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def ask_for_a_code(browser: Client, address: str = "ines@example.org") -> Any:
    return browser.post("/accounts/login/code/", {"email": address})


def test_a_code_arrives_and_signs_in(mail: Box, ines: User) -> None:
    browser = Client()
    assert b"Send me a code by e-mail" in browser.get("/accounts/login/").content
    assert ask_for_a_code(browser)["Location"] == "/accounts/login/code/confirm/"
    (letter,) = mail.letters
    assert (letter["To"], letter["From"]) == ("ines@example.org", "blindfold@localhost")
    (code,) = re.findall(r"^([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", letter.get_content(), re.MULTILINE)
    assert browser.get("/accounts/login/code/confirm/").status_code == 200
    browser.post("/accounts/login/code/confirm/", {"code": code})
    assert is_signed_in(browser)


def test_whose_address_is_unknown_learns_it_by_mail_and_not_on_the_page(mail: Box, ines: User) -> None:
    known, unknown = ask_for_a_code(Client()), ask_for_a_code(Client(), "nobody@example.org")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [letter["To"] for letter in mail.letters] == ["ines@example.org", "nobody@example.org"]


def test_an_address_is_confirmed_by_the_link_in_the_mail(mail: Box) -> None:
    arena = Arena.objects.create(slug="team", title="Team", kind="recorded", access="invite")
    browser = Client()
    browser.get(f"/join/{invitations.invite(arena, 'voter')[1]}/")
    browser.post("/accounts/signup/", {"email": "ines@example.org", "password1": PASSWORD})
    assert not is_signed_in(browser)
    (link,) = re.findall(r"http://testserver(\S+)", mail.letters[0].get_content())
    page = browser.get(link)
    assert page.status_code == 200 and b"people.css" in page.content
    browser.post(link)
    assert EmailAddress.objects.get().verified


def test_a_new_password_is_chosen_by_the_link_in_the_mail(mail: Box, ines: User) -> None:
    Client().post("/accounts/password/reset/", {"email": "ines@example.org"})
    (link,) = re.findall(r"http://testserver(\S+)", mail.letters[0].get_content())
    browser = Client()
    form = browser.get(link, follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": "another-four-words", "password2": "another-four-words"})
    ines.refresh_from_db()
    assert ines.check_password("another-four-words")


REFUSALS = {
    "a server that is not there": ("smtp+tls://blindfold:secret@127.0.0.1:9", ""),
    "a server that takes no mail": ("", "554 No"),
    "a server that is full": ("", "452 Later"),
    "a wrong password": ("smtp+tls://blindfold:wrong@127.0.0.1:{port}", ""),
    "no password": ("smtp+tls://127.0.0.1:{port}", ""),
    "a password in the clear": ("smtp://blindfold:secret@127.0.0.1:{port}", ""),
    "TLS from the start where it begins later": ("smtp+ssl://blindfold:secret@127.0.0.1:{port}", ""),
    "a certificate that nobody knows": ("smtp+tls://blindfold:secret@127.0.0.1:{port}", "unknown"),
}


@pytest.fixture(params=REFUSALS)
def refusing(request: pytest.FixtureRequest, mail: Box, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Box:
    url, says = REFUSALS[request.param]
    if says == "unknown":
        monkeypatch.delenv("SSL_CERT_FILE")
    else:
        mail.says = says or mail.says
    if url:
        configure(monkeypatch, settings, url.format(port=mail.port))
    return mail


def test_a_code_that_cannot_be_sent_is_said(refusing: Box, ines: User, caplog: pytest.LogCaptureFixture) -> None:
    browser = Client()
    answer = ask_for_a_code(browser)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60") and SORRY in answer.content
    assert refusing.letters == [] and not is_signed_in(browser)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("arena", "django"))]
    assert any("account/email/login_code was not sent" in said for said in ours)
    assert "ines@example.org" not in "\n".join(ours) + answer.content.decode()
    unknown = ask_for_a_code(Client(), "nobody@example.org")
    assert (unknown.status_code, SORRY in unknown.content) == (503, True), "it tells nobody who has an account"


def test_a_link_for_a_new_password_that_cannot_be_sent_is_said(refusing: Box, ines: User) -> None:
    answer = Client().post("/accounts/password/reset/", {"email": "ines@example.org"})
    assert answer.status_code == 503 and SORRY in answer.content
    ines.refresh_from_db()
    assert ines.check_password(PASSWORD)


def test_an_account_is_there_after_all_and_its_mail_goes_out_at_the_next_sign_in(mail: Box, settings: Settings) -> None:
    settings.SIGN_UP, mail.says = "open", "452 Later"
    browser, who = Client(), {"login": "new@example.org", "password": PASSWORD}
    answer = browser.post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})
    assert answer.status_code == 503 and SORRY in answer.content
    assert User.objects.get().email == "new@example.org" and not is_signed_in(browser)
    assert Client().post("/accounts/login/", who).status_code == 503, "still out"
    mail.says = "250 OK"
    assert Client().post("/accounts/login/", who).status_code == 302
    assert [letter["To"] for letter in mail.letters] == ["new@example.org"]


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_the_page_may(
    mail: Box, ines: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert 0 < settings.EMAIL_TIMEOUT <= 15
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configure(monkeypatch, settings, f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        settings.EMAIL_TIMEOUT = 0.3
        answer = ask_for_a_code(Client())
    assert answer.status_code == 503 and SORRY in answer.content


def test_passwords_open_while_no_mail_leaves(refusing: Box, ines: User) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": "ines@example.org", "password": PASSWORD})
    assert is_signed_in(browser)
