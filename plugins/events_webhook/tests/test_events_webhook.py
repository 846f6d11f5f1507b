"""Webhooks arrive, signed, again until they are taken, and at public or allowed addresses alone."""

from __future__ import annotations

import http.server
import ipaddress
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlcore_events_webhook.addresses import ForbiddenAddressError, may_reach, resolve
from mlcore_events_webhook.attempts import attempt
from mlcore_events_webhook.command import webhooks
from mlcore_events_webhook.failures import Failures
from mlcore_events_webhook.messages import message_of
from mlcore_events_webhook.plugin import event as hook
from mlcore_events_webhook.senders import Sender, finish, senders
from mlcore_events_webhook.settings import WebhookSettings
from standardwebhooks import Webhook
from webhook_receiver import PATIENCE_S, SIGNER, Receiver, receiving, variables, wait_until

from mlcore.errors import SettingsError
from mlcore.hookspecs import Event
from mlcore.testing import CommandContract, EventContract

SHORT, NO_BASE64, NOWHERE = "whsec_c2hvcnQ=", "whsec_***", "/nowhere/file"
MOVED = Event("alias_moved", 1_767_225_600_123, "wine", {"alias": "champion", "from": "2", "to": "3", "user": "ada"})


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in os.environ:
        if name.startswith("MLCORE_WEBHOOK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLCORE_WEBHOOK_STATE_DIR", str(tmp_path / "state"))
    senders.cache_clear()
    yield
    senders.cache_clear()


def sender_to(receiver: Receiver, **more: str) -> Sender:
    settings = WebhookSettings.load(variables(receiver.url, **more))
    return Sender(settings.endpoints[0], settings, Failures.of_user())


class TestTheListener(EventContract):
    plugin_module = "mlcore_events_webhook.plugin"

    @pytest.fixture
    def listener(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Event], object]]:
        with receiving() as receiver:
            for name, value in variables(receiver.url, EVENTS="*").items():
                monkeypatch.setenv(name, value)
            yield hook
            finish(senders(os.getpid()))


class TestTheCommand(CommandContract):
    plugin_module = "mlcore_events_webhook.plugin"

    @pytest.fixture
    def command(self) -> object:
        return webhooks


def test_a_receiver_verifies_what_happened_with_the_schemes_own_library() -> None:
    with receiving() as receiver:
        sender_to(receiver).take(MOVED)
        receiver.wait_for(1)

    headers, body = receiver.requests[0]
    assert Webhook(SIGNER).verify(body, headers) == {
        "type": "alias_moved",
        "timestamp": "2026-01-01T00:00:00.123Z",
        "data": {"subject": "wine", "alias": "champion", "from": "2", "to": "3", "user": "ada"},
    }
    assert headers["content-type"] == "application/json"
    assert receiver.paths == ["/hook?team=a"]


def test_while_keys_change_each_signs() -> None:
    other = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
    with receiving() as receiver:
        sender_to(receiver, SECRET=f"{other},{SIGNER}").take(MOVED)
        receiver.wait_for(1)

    headers, body = receiver.requests[0]
    assert Webhook(SIGNER).verify(body, headers) == Webhook(other).verify(body, headers)


def test_an_endpoint_that_fails_gets_the_same_message_again_until_it_takes_it() -> None:
    with receiving() as receiver:
        receiver.answers = [(500, {}), (429, {"retry-after": "0"}), (404, {})]
        sender = sender_to(receiver)
        sender.take(MOVED)
        receiver.wait_for(4)
        sender.finish()

    ids = {headers["webhook-id"] for headers, _ in receiver.requests}
    assert len(receiver.requests) == 4
    assert len(ids) == 1
    for headers, body in receiver.requests:
        Webhook(SIGNER).verify(body, headers)
    assert Failures.of_user().read() == []


def test_what_fails_for_good_is_noted_for_this_user_alone(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as receiver:
        receiver.answers = [(500, {})] * 3
        sender_to(receiver, ATTEMPTS="3").take(MOVED)
        wait_until(lambda: bool(Failures.of_user().read()))

    (failure,) = Failures.of_user().read()
    assert (failure["event"], failure["attempts"], failure["problem"]) == ("alias_moved", 3, "status 500")
    assert stat.S_IMODE(Failures.of_user().path.stat().st_mode) == 0o600
    assert "see: mlcore webhooks failures" in caplog.text
    assert "team=a" not in caplog.text + str(failure)


def test_redirects_are_not_followed() -> None:
    with receiving() as target, receiving() as receiver:
        receiver.answers = [(307, {"location": target.url})]
        sender_to(receiver).take(MOVED)
        wait_until(lambda: bool(Failures.of_user().read()))

        assert target.requests == []
    assert "redirects are not followed" in str(Failures.of_user().read()[0]["problem"])
    assert len(receiver.requests) == 1


def test_a_receiver_that_is_gone_is_left_alone() -> None:
    with receiving() as receiver:
        receiver.answers = [(410, {})]
        sender = sender_to(receiver)
        sender.take(MOVED)
        wait_until(lambda: bool(Failures.of_user().read()))
        sender.take(MOVED)
        sender.finish()

    assert len(receiver.requests) == 1


def test_nobody_waits_for_a_slow_receiver_and_its_queue_is_bounded() -> None:
    with receiving(held=True) as receiver:
        sender = sender_to(receiver, QUEUE="2")
        started = time.monotonic()
        sender.take(MOVED)
        receiver.wait_for(1)
        for _ in range(4):
            sender.take(MOVED)
        assert time.monotonic() - started < PATIENCE_S / 3

        problems = [failure["problem"] for failure in Failures.of_user().read()]
        receiver.hold.set()
        receiver.wait_for(3)

    assert problems == ["2 messages are waiting already"] * 2


def test_a_receiver_that_drips_holds_a_thread_no_longer_than_the_timeout() -> None:
    over = threading.Event()

    class Dripping(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            try:
                while not over.wait(0.05):
                    self.wfile.write(b"H")
            except OSError:
                over.set()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        settings = WebhookSettings.load(variables(url, TIMEOUT_S="0.5"))
        try:
            outcome = attempt(settings.endpoints[0], message_of(MOVED), settings)
        finally:
            over.set()
            server.shutdown()
            thread.join()

    assert outcome.problem
    assert not outcome.is_final


def test_events_that_are_not_wanted_are_not_sent() -> None:
    with receiving() as receiver:
        sender = sender_to(receiver, EVENTS="stage_*,run_ended")
        for name in ("alias_moved", "stage_moved", "run_started", "run_ended"):
            sender.take(Event(name, 0, "x"))
        receiver.wait_for(2)
        sender.finish()

    assert [json.loads(body)["type"] for _, body in receiver.requests] == ["stage_moved", "run_ended"]


def test_the_end_of_a_process_waits_for_what_is_left_but_not_for_ever(tmp_path: Path) -> None:
    program = (
        "from mlcore.hookspecs import Event; from mlcore_events_webhook.plugin import event\n"
        "event(Event('alias_moved', 0, 'wine'))\n"
    )

    def run(receiver: Receiver, **more: str) -> None:
        environ = {**os.environ, **variables(receiver.url, **more)}
        subprocess.run(
            [sys.executable, "-c", program], env=environ, check=True, timeout=PATIENCE_S, capture_output=True
        )

    with receiving() as receiver:
        run(receiver)
        assert len(receiver.requests) == 1
    with receiving(held=True) as receiver:
        run(receiver, EXIT_S="0.3")
    assert "process ended" in str(Failures.of_user().read()[0]["problem"])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2001:db8::1", "2001:0:7f00:1::",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_not_reached(address: str) -> None:
    assert not may_reach(ipaddress.ip_address(address), [])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_public_addresses_are_reached(address: str) -> None:
    assert may_reach(ipaddress.ip_address(address), [])


def test_an_allowed_network_is_reached_and_its_neighbours_are_not() -> None:
    allowed = [ipaddress.ip_network("10.1.0.0/16")]

    assert may_reach(ipaddress.ip_address("10.1.2.3"), allowed)
    assert may_reach(ipaddress.ip_address("::ffff:10.1.2.3"), allowed)
    assert not may_reach(ipaddress.ip_address("10.2.0.1"), allowed)
    assert not may_reach(ipaddress.ip_address("169.254.169.254"), allowed)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]", "0"])
def test_loopback_is_refused_under_every_name(host: str) -> None:
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        settings = WebhookSettings.load(variables(f"http://{host}:{port}/", ALLOW_NETWORKS=""))
        outcome = attempt(settings.endpoints[0], message_of(MOVED), settings)

    assert "no public address" in outcome.problem
    assert outcome.is_final
    assert receiver.requests == []


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *args: object, **kwargs: object) -> object:
        asked.append(host)
        if host == "rebind.example":  # public at the first look, loopback at every later one
            host = "127.0.0.2" if asked.count("rebind.example") == 1 else "127.0.0.1"
        return real(host, port, *args, **kwargs)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        allowed = variables(f"http://rebind.example:{port}/", ALLOW_NETWORKS="127.0.0.2/32")
        settings = WebhookSettings.load(allowed)
        outcome = attempt(settings.endpoints[0], message_of(MOVED), settings)

    assert asked.count("rebind.example") == 1
    assert receiver.requests == []  # it listens on 127.0.0.1 only, where no connection went
    assert "refused" in outcome.problem.lower()


def test_one_forbidden_address_of_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.215.14", "10.0.0.5")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)

    with pytest.raises(ForbiddenAddressError, match=r"hooks.example leads to 10.0.0.5, which is no public address"):
        resolve("hooks.example", 443, [])


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        sender_to(receiver).take(MOVED)
        receiver.wait_for(1)

        assert proxy.requests == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"URLS": "http://hooks.example/secret-path", "ALLOW_HTTP": "no"},
            "use https, or set MLCORE_WEBHOOK_ALLOW_HTTP",
        ),
        ({"URLS": "https://u:p4ss@hooks.example/"}, "with a user or password"),
        ({"URLS": "ftp://hooks.example/"}, "expected https://HOST"),
        ({"URLS": "https://"}, "expected https://HOST"),
        ({"URLS": "https://hooks.example:port/"}, "cannot be read"),
        ({"URLS": "https://hooks.example/ä"}, "percent-encoded"),
        ({"SECRET": ""}, "no secret to sign with"),
        ({"SECRET": SHORT}, "has 5 bytes"),
        ({"SECRET": NO_BASE64}, "cannot be used"),
        ({"SECRET_FILE": NOWHERE}, "both"),
        ({"SECRET": "", "SECRET_FILE": NOWHERE}, "cannot be read"),
        ({"ALLOW_NETWORKS": "10.0.0.1/8"}, "expected such as 10.1.0.0/16"),
        ({"ATTEMPTS": "0"}, "1 or more"),
        ({"ALLOW_HTTP": "perhaps"}, "true or false"),
        ({"URLS": ",".join(f"https://h{i}.example/" for i in range(17))}, "at most 16"),
    ],
)
def test_settings_that_cannot_be_are_named_without_their_secrets(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        WebhookSettings.load(variables("https://hooks.example/", **given))

    assert said in refused.value.message
    assert "secret-path" not in refused.value.message
    assert "p4ss" not in refused.value.message


def test_a_secret_comes_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SIGNER + "\n")
    given = variables("https://hooks.example/", SECRET="", SECRET_FILE=str(tmp_path / "secret"))

    assert WebhookSettings.load(given).secrets == (b"01234567890123456789012345678901",)
    assert "0123" not in repr(WebhookSettings.load(given))


def test_without_settings_nothing_happens() -> None:
    before = threading.active_count()

    hook(MOVED)

    assert threading.active_count() == before
    assert senders(os.getpid()) == ()
