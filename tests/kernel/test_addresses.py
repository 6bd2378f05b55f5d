"""Whose address a request comes from: the proxy's word counts, anybody's claim does not."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory

from qms.access import address_of, looks_too_often
from qms.people.accounts import AccountAdapter

PROXY, CARA, BO = "172.20.0.5", "198.51.100.7", "203.0.113.9"


def asked(forwarded: str | None) -> Any:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=PROXY, headers=headers)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, PROXY),
        (0, CARA, PROXY),
        (1, None, PROXY),
        (1, "", PROXY),
        (1, CARA, CARA),
        (1, f"{BO}, {CARA}", CARA),
        (2, f"10.0.0.1, {CARA}, {BO}", CARA),
        (2, CARA, PROXY),
        (1, "not an address", PROXY),
        (1, "<script>", PROXY),
        (1, "2001:db8::1", "2001:db8::1"),
        (-1, CARA, PROXY),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(
    settings: Any, proxies: int, forwarded: str | None, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert address_of(asked(forwarded)) == address
    assert AccountAdapter().get_client_ip(asked(forwarded)) == address


def test_no_proxy_is_trusted_unless_somebody_says_so(settings: Any) -> None:
    assert settings.TRUSTED_PROXIES == 0


def test_behind_the_proxy_everybody_has_a_count_of_their_own(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    cache.clear()

    def looks(forwarded: str) -> bool:
        return looks_too_often(asked(forwarded), "page", most=2, seconds=60)

    assert [looks(CARA) for _ in range(3)] == [False, False, True]
    assert looks(BO) is False
    # Who writes another address before the proxy does gets no new count.
    assert looks(f"192.0.2.1, {CARA}") is True


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/copies/{}/", "/survey/{}/"])
@pytest.mark.slow
def test_a_public_page_counts_by_that_address(settings: Any, page: str) -> None:
    settings.TRUSTED_PROXIES = 1
    cache.clear()
    client = Client(REMOTE_ADDR=PROXY)
    path = page.format("no-such-token")
    codes = set()
    for _ in range(400):
        codes.add(client.get(path, headers={"X-Forwarded-For": CARA}).status_code)
        if 429 in codes:
            break
    assert 429 in codes
    assert client.get(path, headers={"X-Forwarded-For": BO}).status_code != 429
