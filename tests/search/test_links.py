"""Searching with a link: what is fetched, and from where nothing ever is."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.template import RequestContext, Template
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from gallery.links import addresses, fetch
from gallery.links.addresses import is_public
from gallery.links.errors import LinkRefused
from gallery.models import User
from search.models import QueryPhoto
from tests.gallery import files
from tests.internet import PUBLIC, PUBLIC_6, Answer, Canary, Host, Internet, gives, internet, redirects, serving
from tests.pictures import draw, encode, jpeg
from tests.search.hostile_links import HOSTILE, LOOPBACK
from tests.servers.certificates import self_signed

pytestmark = pytest.mark.django_db

LINK = "http://photos.example/picture.jpg"
SECONDS = 1.0  # that a fetch may take in tests of slow hosts
SLACK = 1.5  # for a busy machine


@pytest.fixture
def net(monkeypatch) -> Iterator[Internet]:
    with internet(monkeypatch.setattr) as net:
        net.names |= {
            "photos.example": [[PUBLIC]],
            "rebind.example": [[PUBLIC], ["127.0.0.1"]],
            "mixed.example": [[PUBLIC, "127.0.0.1"]],
            "inner.example": [["127.0.0.1"]],
            "metadata.example": [["169.254.169.254"]],
        }
        yield net


@pytest.fixture
def host_of(net) -> Iterator[Callable[..., Host]]:
    """Starts the server of ``photos.example``, with these answers beside its picture."""
    with ExitStack() as stack:

        def start(routes: dict[str, Answer] | None = None, certificate: tuple[str, str] | None = None) -> Host:
            usual = {"/picture.jpg": gives(jpeg()), "/to": redirects}
            return stack.enter_context(serving(net, PUBLIC, usual | (routes or {}), certificate))

        yield start


@pytest.fixture
def canary() -> Iterator[Canary]:
    with closing(Canary()) as canary:
        yield canary


def send(client: Client, url: str, **fields: str):
    return client.post(reverse("search-link"), {"url": url, **fields}, headers={"accept": "application/json"})


def refused(client: Client, url: str, status: int, code: str) -> str:
    """The sentence of a link of which nothing came."""
    answer = send(client, url)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not QueryPhoto.objects.exists()
    return answer.json()["error"]


# --- What is fetched ----------------------------------------------------------------------------------------
def test_a_link_leads_to_the_results_of_its_picture(client, shop, host_of):
    host_of()
    answer = send(client, LINK)
    assert answer.status_code == 201
    photo = QueryPhoto.objects.get()
    assert answer.json()["url"] == f"/search/?photo={photo.pk}"
    assert answer.json()["photo"]["width"] == 240
    assert client.get(answer.json()["photo"]["url"]).status_code == 200
    assert client.get(answer.json()["url"]).context["page"].bands[0].cards[0].product.sku == "RED-CIRCLE"


def test_without_a_script_the_browser_is_led_on(client, host_of):
    host_of()
    response = client.post(reverse("search-link"), {"url": f" {LINK}\n", "next": "?brand=7&q=red&page=3"})
    assert response.status_code == 303
    assert response["Location"] == f"/search/?q=red&photo={QueryPhoto.objects.get().pk}&brand=7"


def test_the_link_itself_is_not_kept_as_words(client, host_of):
    host_of()
    answer = send(client, LINK, next=f"brand=7&q={LINK}")
    assert answer.json()["url"] == f"/search/?photo={QueryPhoto.objects.get().pk}&brand=7"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (files.HEIC, "image/heic"),
        (encode(draw(), "PNG"), "image/jpeg"),  # the content counts
        (jpeg(), "application/octet-stream"),
        (jpeg(), None),
    ],
)
def test_pictures_are_known_by_their_content(client, host_of, body, content_type):
    host_of({"/picture.jpg": gives(body, content_type)})
    assert send(client, LINK).status_code == 201


def test_a_host_learns_nothing_of_the_person(client, host_of, settings):
    settings.SITE_NAME = "Contact (Sheet)\r\n布"
    host = host_of({"/a b": gives(jpeg())})
    client.cookies["other"] = "secret"
    send(client, "http://photos.example/to?http://photos.example/picture.jpg?size=%C3%A4#part")
    assert [path for path, _headers in host.requests][1] == "/picture.jpg?size=%C3%A4"
    for _path, headers in host.requests:
        assert headers == {
            "Host": "photos.example",
            "User-Agent": "visual-product-search (Contact Sheet)",
            "Accept": "image/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }


def test_proxies_of_the_environment_are_not_used(client, host_of, canary, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    host_of()
    assert send(client, LINK).status_code == 201
    assert canary.count() == 0


@pytest.mark.parametrize(
    "location", ["http://photos.example/other.jpg", "//photos.example/other.jpg", "/other.jpg", "other.jpg"]
)
def test_redirects_are_followed(client, host_of, net, location):
    host_of({"/other.jpg": gives(jpeg())})
    assert send(client, f"http://photos.example/to?{location}").status_code == 201
    assert net.connected == [PUBLIC, PUBLIC]


def test_redirects_may_be_written_in_any_letters(client, host_of):
    def leads(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write("HTTP/1.1 301 Moved\r\nLocation: /rote Kreise/größer.jpg\r\n\r\n".encode())

    host = host_of({"/moved": leads, "/rote%20Kreise/gr%C3%B6%C3%9Fer.jpg": gives(jpeg())})
    assert send(client, "http://photos.example/moved").status_code == 201
    assert len(host.requests) == 2


def test_five_redirects_are_followed_and_no_more(client, host_of):
    def count_down(request: BaseHTTPRequestHandler) -> None:
        left = int(request.path.partition("?")[2])
        gives(b"", None, 307, Location=f"/count?{left - 1}" if left > 1 else "/picture.jpg")(request)

    host = host_of({"/count": count_down})
    assert send(client, "http://photos.example/count?5").status_code == 201
    QueryPhoto.objects.all().delete()
    host.requests.clear()
    refused(client, "http://photos.example/count?6", 502, "link-redirects")
    assert len(host.requests) == 6


def test_names_in_other_scripts_are_looked_up_as_the_network_knows_them(client, host_of, net):
    net.names["xn--bcher-kva.example"] = [[PUBLIC]]
    host = host_of()
    assert send(client, "http://Bücher.example/picture.jpg").status_code == 201
    assert host.requests[0][1]["Host"] == "xn--bcher-kva.example"


def test_the_next_address_is_tried_where_one_does_not_answer(client, host_of, net):
    net.names["photos.example"] = [[PUBLIC_6, PUBLIC]]
    host_of()
    assert send(client, LINK).status_code == 201
    assert net.connected == [PUBLIC_6, PUBLIC]


def test_a_secure_host_must_show_a_certificate_of_its_name(client, host_of, net, tmp_path: Path, monkeypatch):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    self_signed(certificate, key, "photos.example")
    host_of(certificate=(str(certificate), str(key)))
    net.names["other.example"] = [[PUBLIC]]
    refused(client, "https://photos.example/picture.jpg", 502, "link-certificate")  # nobody vouches for it
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    refused(client, "https://other.example/picture.jpg", 502, "link-certificate")
    assert send(client, "https://photos.example/picture.jpg").status_code == 201


# --- From where nothing is fetched --------------------------------------------------------------------------
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_links_connect_to_public_addresses_alone(client, host_of, net, canary, settings, kind):
    settings.LINK_PORTS = [80, 443, canary.port]
    host_of({"/circle": gives(b"", None, 302, Location="/circle")})
    link = HOSTILE[kind].replace("{port}", str(canary.port))
    answer = send(client, link)
    assert 400 <= answer.status_code < 505
    assert answer.json()["error"]
    assert set(net.connected) <= ({PUBLIC} if kind.startswith("redirect") else set())
    assert canary.count() == 0
    assert not QueryPhoto.objects.exists()


@pytest.mark.parametrize("kind", LOOPBACK)
def test_the_canary_would_be_reached_without_the_check(client, net, canary, settings, monkeypatch, kind):
    if "[" in LOOPBACK[kind] and not canary.has_ipv6:
        pytest.skip("This machine has no IPv6.")
    monkeypatch.setattr(addresses, "is_public", lambda address: True)
    settings.LINK_PORTS = [canary.port]
    with canary.hanging_up():
        answer = send(client, LOOPBACK[kind].replace("{port}", str(canary.port)))
    # Cut off within the handshake, a secure connection may also end as one with a bad certificate.
    codes = {"link-unreachable", "link-certificate"} if kind == "https" else {"link-unreachable"}
    assert answer.json()["code"] in codes
    assert canary.count() > 0


def test_a_name_is_looked_up_once_for_each_connection(client, host_of, net, canary, settings):
    """It is loopback from the second look-up on, and nothing looks a second time."""
    settings.LINK_PORTS = [80, canary.port]
    host_of()
    assert send(client, f"http://rebind.example:{canary.port}/picture.jpg").status_code == 201
    assert (net.looked_up.count("rebind.example"), net.connected) == (1, [PUBLIC])
    assert send(client, f"http://rebind.example:{canary.port}/picture.jpg").json()["code"] == "link-host"
    assert canary.count() == 0


def test_inner_names_are_told_apart_from_none_by_nobody(client, net):
    sentences = {
        refused(client, f"http://{host}.example/", 400, "link-host").replace(host, "")
        for host in ("inner", "nowhere", "mixed")
    }
    assert len(sentences) == 1


PUBLIC_ADDRESSES = (PUBLIC, PUBLIC_6, "8.8.8.8", "1.1.1.1", "2001:4860:4860::8888", "2a00:1450:4001::1")


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_addresses_are_public_unless_the_operator_refuses_them(settings, address):
    assert is_public(ipaddress.ip_address(address))
    settings.LINK_REFUSED_NETWORKS = [address]
    assert not is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_notation_of_ipv6_hides_an_ipv4_address(address):
    number = int(address)
    wrapped = [
        number,  # compatible
        0xFFFF << 32 | number,  # mapped
        0xFFFF << 48 | number,  # translated
        0x64FF9B << 96 | number,  # NAT64
        0x2002 << 112 | number << 80,  # 6to4
        0x20010000 << 96 | number << 64 | ~number & 0xFFFFFFFF,  # Teredo: its server, and its client
    ]
    assert not any(is_public(ipaddress.IPv6Address(one)) for one in wrapped)


@given(st.one_of(st.text(), st.text().map("http://{}".format), st.text().map("https://photos.example{}".format)))
def test_whatever_is_sent_gets_a_sentence(link):
    with pytest.MonkeyPatch.context() as patch, internet(patch.setattr) as net:
        with pytest.raises(LinkRefused) as error:
            fetch.fetch(link)
        assert error.value.message
        assert net.connected == []


# --- What is not taken --------------------------------------------------------------------------------------
@pytest.mark.parametrize("body", [b"<!DOCTYPE html><title>A shop</title>", b"\xef\xbb\xbf\n <HTML lang=en>"])
@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "image/jpeg", None])
def test_a_web_page_is_told_from_a_picture(client, host_of, body, content_type):
    host_of({"/picture.jpg": gives(body, content_type)})
    sentence = refused(client, LINK, 400, "link-web-page")
    assert sentence == "That link leads to a web page. Open the picture itself and copy its address."


def test_other_files_are_named(client, host_of):
    host_of({"/picture.jpg": gives(b"%PDF-1.7", "application/pdf")})
    assert "(application/pdf)" in refused(client, LINK, 400, "link-type")


@pytest.mark.parametrize(
    ("body", "code"), [(jpeg()[:900], "damaged"), (b"no picture", "not-a-picture"), (b"<svg></svg>", "svg")]
)
def test_what_arrives_is_verified_like_an_upload(client, host_of, body, code):
    host_of({"/picture.jpg": gives(body)})
    assert "picture.jpg" in refused(client, LINK, 400, code)


@pytest.mark.parametrize(
    ("status", "code"), [(404, "link-missing"), (403, "link-answer"), (500, "link-answer"), (304, "link-answer")]
)
def test_errors_of_the_host_are_told(client, host_of, status, code):
    host_of({"/picture.jpg": gives(b"", status=status)})
    refused(client, LINK, 502, code)


def test_a_declared_gigabyte_is_not_read(client, host_of):
    host_of({"/picture.jpg": gives(b"", Content_Length=str(1 << 30))})
    assert "25.0\xa0MB" in refused(client, LINK, 413, "too-large")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_gigabyte_that_was_not_declared_is_cut(client, host_of, settings, chunked):
    settings.MAX_IMAGE_BYTES = 1 << 20
    sent, ended = [0], threading.Event()
    block = bytes(1 << 16)

    def pours(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "image/jpeg")
        if chunked:
            request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        try:
            while sent[0] < 1 << 30:
                request.wfile.write(b"10000\r\n" + block + b"\r\n" if chunked else block)
                sent[0] += len(block)
        finally:
            ended.set()

    host_of({"/picture.jpg": pours})
    refused(client, LINK, 413, "too-large")
    assert ended.wait(10)
    assert sent[0] < 32 << 20  # the limit, and what the system keeps in its buffers


def test_a_body_that_unfolds_is_not_unfolded(client, host_of):
    host_of({"/picture.jpg": gives(b"\x1f\x8b" + bytes(100), Content_Encoding="gzip")})
    refused(client, LINK, 502, "link-compressed")


def test_a_chunk_that_never_says_its_size_is_not_kept_in_memory(client, host_of):
    def sizes(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            request.wfile.write(b"1" * (1 << 16))

    host_of({"/picture.jpg": sizes})
    refused(client, LINK, 502, "link-incomplete")


def test_a_body_that_ends_early_is_told(client, host_of):
    host_of({"/picture.jpg": gives(jpeg()[:500], Content_Length="5000")})
    refused(client, LINK, 502, "link-incomplete")


@pytest.mark.parametrize("answer", [b"", b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"])
def test_what_is_no_http_is_told(client, host_of, answer):
    host_of({"/picture.jpg": lambda request: request.wfile.write(answer)})
    refused(client, LINK, 502, "link-unreachable")


def test_a_host_that_is_down_is_told(client, net):
    assert "photos.example" in refused(client, LINK, 502, "link-unreachable")


# --- How long it takes --------------------------------------------------------------------------------------
def _drips(head: bytes, drop: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        for _drop in range(500):
            request.wfile.write(drop)
            time.sleep(0.02)

    return answer


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        _drips(_HEAD + b"\r\n", b"x"),
        _drips(_HEAD + b"Content-Length: 20000\r\n\r\n", b"x"),
        _drips(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        _drips(_HEAD + b"X-Long: ", b"x"),
        _drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        _drips(b"H", b""),
    ],
    ids=["body", "body of known length", "chunks", "header", "interim answers", "nothing"],
)
@pytest.mark.parametrize("secure", [False, True])
def test_slow_hosts_are_left_when_time_is_up(client, host_of, settings, tmp_path, monkeypatch, answer, secure):
    settings.LINK_SECONDS = SECONDS
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    self_signed(certificate, key, "photos.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    host = host_of({"/picture.jpg": answer}, (str(certificate), str(key)) if secure else None)
    begun = time.monotonic()
    refused(client, LINK.replace("http:", "https:") if secure else LINK, 504, "link-slow")
    assert SECONDS / 2 < time.monotonic() - begun < SECONDS + SLACK
    assert len(host.requests) == 1


def test_a_handshake_that_never_ends_is_left(client, net, settings):
    settings.LINK_SECONDS = SECONDS
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        net.servers[PUBLIC] = silent.getsockname()[1]
        begun = time.monotonic()
        refused(client, "https://photos.example/picture.jpg", 504, "link-slow")
    assert time.monotonic() - begun < SECONDS + SLACK


def test_a_slow_look_up_is_left(client, net, settings, monkeypatch):
    settings.LINK_SECONDS = SECONDS
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answered.wait(30) and [])
    begun = time.monotonic()
    try:
        refused(client, LINK, 504, "link-slow")
    finally:
        answered.set()
    assert time.monotonic() - begun < SECONDS + SLACK
    assert net.connected == []


def test_time_is_counted_over_all_redirects(client, host_of, settings):
    settings.LINK_SECONDS = SECONDS

    def late(request: BaseHTTPRequestHandler) -> None:
        time.sleep(SECONDS / 2)
        gives(b"", None, 302, Location="/late")(request)

    host = host_of({"/late": late})
    refused(client, "http://photos.example/late", 504, "link-slow")
    assert len(host.requests) <= 3


def test_only_so_many_are_fetched_at_once(client, host_of):
    host_of()
    taken = 0
    try:
        while fetch._turns.acquire(blocking=False):
            taken += 1
        answer = send(client, LINK)
    finally:
        for _turn in range(taken):
            fetch._turns.release()
    assert (answer.status_code, answer.json()["code"]) == (503, "link-busy")
    assert answer["Retry-After"] == "5"
    assert taken == 2  # every turn before was given back
    assert send(client, LINK).status_code == 201


# --- The page -----------------------------------------------------------------------------------------------
def test_errors_stand_on_the_home_page_without_a_script(client, net):
    response = client.post(reverse("search-link"), {"url": "http://169.254.169.254/"})
    assert response.status_code == 400
    assert "169.254.169.254" in response.context["error"]
    assert "search/home.html" in [template.name for template in response.templates]


def test_links_can_be_turned_off(client, host_of, net, settings):
    settings.LINK_SEARCH = False
    host_of()
    assert refused(client, LINK, 404, "link-off").startswith("Links are turned off")
    assert net.looked_up == net.connected == []
    assert b"data-link" not in client.get("/").content
    assert offered(client, LINK) == ""


def test_fetching_needs_a_post_with_the_token(client, net):
    assert client.get(reverse("search-link"), {"url": LINK}).status_code == 405
    assert Client(enforce_csrf_checks=True).post(reverse("search-link"), {"url": LINK}).status_code == 403
    assert net.connected == []


def test_links_are_throttled_with_photos(client, host_of, settings):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"photo": "1/min"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    host = host_of()
    client.force_login(User.objects.create_user("ada", "ada@example.com", "x"))
    assert send(client, LINK).status_code == 201
    answer = send(client, LINK)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_often")
    assert len(host.requests) == 1


def offered(client: Client, text: str) -> str:
    """What the results page shows of the link among its words, where no script took it."""
    request = client.get("/", {"q": text}).wsgi_request
    return Template("{% load links %}{% link_offer %}").render(RequestContext(request)).strip()


def test_a_link_among_the_words_can_be_fetched_without_a_script(client, net):
    offer = offered(client, f" {LINK}?a=%22&b=<b>")
    assert f'action="{reverse("search-link")}"' in offer
    assert f'value="{LINK}?a=%22&amp;b=&lt;b&gt;"' in offer
    assert "csrfmiddlewaretoken" in offer
    assert net.connected == []


@pytest.mark.parametrize("text", ["", "red circle", "see http://photos.example/a.jpg", "ftp://photos.example/a.jpg"])
def test_words_are_no_link(client, text):
    assert offered(client, text) == ""
