"""Where requests may go: to no address of the house's own network, whatever a name says or becomes (SSRF)."""

import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]
"""Host and port to addresses, as text. Raises OSError."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Forbidden(Exception):
    """The guard does not let a request go there."""


def resolve(host: str, port: int) -> list[str]:
    """The system's own resolver, which also reads an address in decimal, octal or hexadecimal."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


@dataclass(frozen=True)
class Allowed:
    """Hosts inside that an operator lets through: `host`, `host:port`, an address or a network."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Allowed":
        """From a list with commas. Raises ValueError with a sentence."""
        hosts, networks = set(), []
        for word in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(ipaddress.ip_network(word))
            except ValueError:
                if "/" in word or any(sign.isspace() for sign in word):
                    raise ValueError(f"“{word}” is neither a host, host:port, an address nor a network") from None
                hosts.add(word.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    @classmethod
    def only(cls, url: str) -> "Allowed":
        """The one server of this address, wherever it stands."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(frozenset({f"{(parts.hostname or '').lower()}:{port}"}))

    def check(self, host: str, port: int, address: str) -> None:
        """Raises Forbidden. A host that is let through by its name still leads to no link-local address: there
        clouds keep their machines' credentials."""
        ip = _plain(ipaddress.ip_address(address.partition("%")[0]))
        if any(ip in network for network in self.networks if network.version == ip.version):
            return
        name = host.lower().rstrip(".")
        is_named = name in self.hosts or f"{name}:{port}" in self.hosts
        if is_named and not ip.is_link_local and not ip.is_multicast and not ip.is_unspecified:
            return
        if not ip.is_global or ip.is_multicast or ip.is_reserved:
            raise Forbidden(f"{host} leads to {ip}, which is no public address, and nobody has allowed it")


def _plain(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip


_deadline: ContextVar[float] = ContextVar("_deadline", default=float("inf"))


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Of everything that is read and written inside, together: a server that trickles wins nothing."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left(timeout: float | None, otherwise: type[Exception]) -> float | None:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise otherwise("the time is up")
    return min(left, float("inf") if timeout is None else timeout) if left < float("inf") else timeout


class _GuardedStream(httpcore.NetworkStream):
    """A connection that keeps to the time limit."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _GuardedStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # Any: httpcore's own
        return self._inner.get_extra_info(info)


class _GuardedBackend(httpcore.NetworkBackend):
    """Looks a host up once, checks every address, and connects to what was checked: no second look-up can differ."""

    def __init__(self, allowed: Allowed, look_up: Resolve) -> None:
        self._allowed = allowed
        self._look_up = look_up
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: httpcore's own
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._look_up(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address: {error}") from error
        for address in addresses:
            self._allowed.check(host, port, address)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                left = _left(timeout, httpcore.ConnectTimeout)
                return _GuardedStream(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> Any:
        raise Forbidden("no sockets of this machine")

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def guarded_client(
    allowed: Allowed, look_up: Resolve = resolve, connections: int = 256, verify: ssl.SSLContext | None = None
) -> httpx.Client:
    """A client that follows no redirect, asks no proxy of the environment, and goes where the guard lets it."""
    transport = httpx.HTTPTransport(trust_env=False)
    transport._pool.close()
    # httpx has no door for a network backend of one's own; its pool is the one place to put it.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=verify or httpx.create_ssl_context(),
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=30.0,
        network_backend=_GuardedBackend(allowed, look_up),
    )
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False)
