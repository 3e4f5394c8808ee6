"""Where requests may go. Names are looked up in a list of the test's own; servers are real and on loopback."""

import httpx
import pytest

from graders.http.guard import Allowed, Forbidden, guarded_client, resolve
from tests.judges import Asked, Said, said, serving


def ok(_: Asked) -> Said:
    return said({"fine": True})


INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_of_the_house_is_let_through(address: str) -> None:
    with pytest.raises(Forbidden, match="no public address"):
        Allowed().check("judge.example", 443, address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_let_through(address: str) -> None:
    Allowed().check("judge.example", 443, address)


def test_an_operator_lets_hosts_ports_addresses_and_networks_through() -> None:
    allowed = Allowed.read("judge.internal, other:8001, 10.0.0.0/8, ::1")
    allowed.check("judge.internal", 443, "192.168.0.1")
    allowed.check("JUDGE.internal.", 80, "192.168.0.1")
    allowed.check("other", 8001, "127.0.0.1")
    allowed.check("whatever", 1, "10.9.9.9")
    allowed.check("whatever", 1, "::ffff:10.9.9.9")
    allowed.check("whatever", 1, "::1")
    for host, port, address in [("other", 8002, "127.0.0.1"), ("whatever", 1, "127.0.0.1"), ("x", 1, "::2")]:
        with pytest.raises(Forbidden):
            allowed.check(host, port, address)


def test_an_allowed_name_still_leads_to_no_cloud_credentials() -> None:
    with pytest.raises(Forbidden):
        Allowed.read("judge.internal").check("judge.internal", 80, "169.254.169.254")
    Allowed.read("169.254.169.254").check("judge.internal", 80, "169.254.169.254")


@pytest.mark.parametrize("text", ["10.0.0.0/99", "a b", "http://x/"])
def test_what_an_operator_cannot_mean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a host"):
        Allowed.read(text)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:7f00:1]"],
)
def test_every_spelling_of_loopback_is_loopback(host: str) -> None:
    with serving(ok) as server, guarded_client(Allowed()) as http:
        with pytest.raises((Forbidden, httpx.ConnectError, httpx.InvalidURL)):
            http.post(f"http://{host}:{server.port}/", json={})
        assert server.asked == []


def test_an_allowed_host_is_reached() -> None:
    with serving(ok) as server, guarded_client(Allowed.read(f"localhost:{server.port},127.0.0.1")) as http:
        assert http.post(f"http://localhost:{server.port}/", json={}).json() == {"fine": True}


def test_the_address_that_was_checked_is_the_one_that_is_connected_to() -> None:
    """A name whose second look-up would lead inside: there is no second look-up."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    looked_up = []

    def changing(host: str, port: int) -> list[str]:
        looked_up.append((host, port))
        return next(answers)

    with serving(ok) as server, guarded_client(Allowed.read("127.0.0.1"), changing) as http:
        assert http.post(f"http://rebinding.example:{server.port}/", json={}).status_code == 200
        assert server.asked[0].headers["host"] == f"rebinding.example:{server.port}"
    assert looked_up == [("rebinding.example", server.port)]


def test_a_name_that_has_moved_inside_is_refused_at_the_next_connection() -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    def close(_: Asked) -> Said:
        return said({}, Connection="close")

    with serving(close) as server, guarded_client(Allowed.read("127.0.0.1"), lambda *_: next(answers)) as http:
        assert http.post(f"http://rebinding.example:{server.port}/", json={}).status_code == 200
        with pytest.raises(Forbidden):
            http.post(f"http://rebinding.example:{server.port}/", json={})


def test_a_name_with_one_address_inside_is_refused_whole() -> None:
    with guarded_client(Allowed(), lambda *_: ["93.184.216.34", "127.0.0.1"]) as http, pytest.raises(Forbidden):
        http.post("http://mixed.example/", json={})


def test_a_name_without_an_address_is_not_reached() -> None:
    with guarded_client(Allowed(), lambda *_: []) as http, pytest.raises(httpx.ConnectError, match="no address"):
        http.post("http://nowhere.example/", json={})


def test_redirects_are_not_followed() -> None:
    with serving(ok) as inside, serving(lambda _: said({}, 302, Location=inside.url)) as server:
        with guarded_client(Allowed.read("127.0.0.1")) as http:
            assert http.post(server.url, json={}).status_code == 302
        assert inside.asked == []


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ok) as proxy, serving(ok) as server, guarded_client(Allowed.read("127.0.0.1")) as http:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert http.post(server.url, json={}).status_code == 200
        assert (len(proxy.asked), len(server.asked)) == (0, 1)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "unix:///run/x"])
def test_only_http_is_spoken(url: str) -> None:
    with guarded_client(Allowed()) as http, pytest.raises(httpx.UnsupportedProtocol):
        http.post(url, json={})


def test_the_systems_resolver_reads_odd_spellings() -> None:
    assert resolve("2130706433", 80) == ["127.0.0.1"]
