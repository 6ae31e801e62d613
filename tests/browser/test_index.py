"""A staff member tries another model: built, watched, compared, promoted; with scripts and without."""

import re

import pytest
from playwright.sync_api import Page, expect

from gallery import jobs
from gallery.models import Image, Job, Product
from search import generations
from search.indexing.loop import IndexLoop
from search.models import Generation, Tuning
from tests.browser.test_accessibility import expect_no_violations

LITE0 = "efficientnet-lite0"


@pytest.fixture
def desk(page: Page, staff, sign_in) -> Page:
    sign_in(page, staff)
    return page


def test_another_model_from_choice_to_promotion(desk: Page):
    desk.get_by_role("button", name="Account").click()
    desk.get_by_role("link", name="Search index").click()
    expect(desk.get_by_role("heading", name="Generation 1")).to_be_visible()
    desk.get_by_role("link", name="Build another").click()
    desk.get_by_label("Encoder").select_option(LITE0)
    plan = desk.locator("#plan")
    expect(plan).to_contain_text("not known: this encoder has not been used here yet")
    desk.get_by_label("Promote it by itself").check()
    expect(plan).to_contain_text("it takes over by itself")
    desk.get_by_label("Promote it by itself").uncheck()
    expect(plan).to_contain_text("it waits until it is promoted")
    plan.get_by_role("button", name="Start building").click()
    built = desk.get_by_role("article", name="Generation 2")
    expect(built).to_contain_text("Being built")
    IndexLoop().run_until_idle()
    expect(built).to_contain_text("Ready")  # the page has asked by itself
    built.get_by_role("link", name="Compare").click()
    expect(desk.get_by_role("heading", name=re.compile(r"\d+ of \d+ results the same"))).to_be_visible()
    before = desk.locator(".sample-asked img").first.get_attribute("src")
    desk.get_by_role("link", name="Other photos").click()
    expect(desk.locator(".sample-asked img").first).not_to_have_attribute("src", before or "")
    desk.get_by_role("button", name="Promote generation 2").click()
    expect(desk.get_by_text("Generation 2 answers searches now.")).to_be_visible()
    desk.get_by_role("button", name="Go back to this one").click()
    expect(desk.get_by_text("Generation 1 answers searches now.")).to_be_visible()
    assert Generation.objects.live().pk == 1


def test_tuning_from_the_button_to_the_verdict(desk: Page):
    desk.goto("/index/")
    section = desk.locator("#tuning")
    section.get_by_role("button", name="Tune").click()
    expect(section.get_by_role("progressbar")).to_be_visible()
    expect(section.get_by_role("button")).to_have_count(0)
    job = Job.objects.get()
    jobs.run(str(job.pk))
    # The page has asked by itself.
    expect(section.get_by_role("button", name="Tune again")).to_be_visible()
    tuning = Tuning.objects.get()
    expect(section.get_by_role("table", name="Products that it had not seen")).to_be_visible()
    # A network tells these shapes apart by itself, so there is nothing to gain.
    expect(section).to_contain_text("Refused")
    assert not tuning.is_better and not tuning.generations.exists()
    assert Generation.objects.live().pk == 1


def test_wrong_numbers_are_said_where_the_plan_would_be(desk: Page):
    desk.goto("/index/build/")
    desk.get_by_text("Index settings").click()
    desk.get_by_label("ef_construction").fill("99999")
    desk.get_by_label("ef_construction").press("Tab")
    expect(desk.locator("#plan")).to_contain_text("ef_construction")
    expect(desk.locator("#plan").get_by_role("button")).to_have_count(0)


def test_without_scripts(plain_page: Page, staff):
    plain_page.goto("/index/")
    plain_page.get_by_label("Username").fill(staff.username)
    plain_page.get_by_label("Password").fill("a password long enough")
    plain_page.locator("main").get_by_role("button", name="Sign in").click()
    plain_page.get_by_role("link", name="Build another").click()
    plain_page.get_by_label("Encoder").select_option(LITE0)
    plain_page.get_by_role("button", name="Show what it takes").click()
    plain_page.get_by_role("button", name="Start building").click()
    built = plain_page.get_by_role("article", name="Generation 2")
    built.get_by_role("button", name="Pause").click()
    expect(built).to_contain_text("Paused")
    built.locator("summary", has_text="Cancel").click()
    built.get_by_role("button", name="Give it up").click()
    expect(plain_page.get_by_text("Building generation 2 is given up.")).to_be_visible()


def in_every_state() -> None:
    """A live generation with failures of two kinds, one that is ready, one paused, and one that was dropped."""
    loop = IndexLoop()
    generations.build(encoder=LITE0)
    loop.run_until_idle()
    generations.cancel(generations.build())
    generations.pause(generations.build(encoder="efficientnet-lite1"))
    live = Generation.objects.live()
    for product in Product.objects.all()[:5]:
        for image in Image.objects.filter(product=product):
            live.placements.filter(key=image.pk).update(behind=True, attempts=5, reason="The file is damaged.")
    other = Image.objects.filter(product=Product.objects.all()[6])[0]
    live.placements.filter(key=other.pk).update(behind=True, attempts=1, reason="The encoder failed.")


PLAN = "encoder=efficientnet-lite0&type=flat&m=16&ef_construction=100&oversample=2"


@pytest.mark.parametrize("place", ["/index/", f"/index/build/?{PLAN}", "/index/compare/?right=2"])
def test_nothing_is_inaccessible_or_beyond_the_edge(desk: Page, place: str):
    in_every_state()
    for width in (390, 820, 1440):
        desk.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            desk.emulate_media(color_scheme=scheme)
            desk.goto(place)
            desk.wait_for_load_state("load")
            expect_no_violations(desk)
        assert desk.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
