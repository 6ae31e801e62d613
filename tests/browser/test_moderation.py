"""A moderator works through the queue by keys alone, and how long the next photo takes."""

import os
import statistics

import pytest
from playwright.sync_api import Page, expect

from gallery import signals
from gallery.keys import new_key
from gallery.models import Claim, Image, User
from search.indexing.loop import IndexLoop
from search.models import SafetyScore
from search.safety import nudity

# A run by hand asks for more: MODERATION_PENDING=1000 MODERATION_DECISIONS=100.
PENDING = int(os.environ.get("MODERATION_PENDING", "24"))
DECISIONS = int(os.environ.get("MODERATION_DECISIONS", "12"))
MOST_MS = 500  # half of the times, on a machine that is busy with other tests; the target of 19 in 20 is 200
FIRST_LOOK_MS = 30_000  # the first evidence of a process loads its models

# From the key to the frame after the one in which another photo is there, decoded and uncovered.
_TIME = """
window.times = [];
addEventListener("keydown", ({ timeStamp, key }) => {
  if (key !== "a") return;
  const shown = () => document.querySelector("[data-judge]:not([hidden])");
  const before = shown().dataset.photo;
  const look = () => {
    const judge = shown();
    const picture = judge?.querySelector(".judge-photo img");
    const there = judge && judge.dataset.photo !== before && judge.querySelector("[data-safety=safe]");
    if (there && picture.complete && picture.naturalWidth) {
      requestAnimationFrame(() => window.times.push(performance.now() - timeStamp));
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}, true);
"""


@pytest.fixture
def desk(page: Page, moderator: User, queue: list[Image], sign_in) -> Page:
    sign_in(page, moderator)
    page.goto("/moderation/")
    return page


def shown(page: Page):
    return page.locator("[data-judge]:not([hidden])")


def expect_photo(page: Page, image: Image) -> None:
    expect(shown(page)).to_have_attribute("data-photo", str(image.pk))
    # What is decided on can be seen, and what comes next is there.
    expect(shown(page).locator("[data-safety=safe]")).to_be_attached(timeout=FIRST_LOOK_MS)


def expect_taken(page: Page, image: Image) -> None:
    """The next photo is shown before the server has the decision; the decided one leaves the page after it."""
    expect(page.locator(f'[data-judge][data-photo="{image.pk}"]')).to_have_count(0)


def expect_status(image: Image, status: str) -> None:
    image.refresh_from_db()
    assert image.status == status


def test_the_queue_by_keyboard(desk: Page, queue: list[Image]):
    first, second, third, fourth, fifth, sixth = queue
    expect_photo(desk, first)
    pending = desk.locator("[data-count=pending]")
    expect(pending).to_have_text("6")
    desk.keyboard.press("a")
    expect_photo(desk, second)
    expect(pending).to_have_text("5")
    desk.keyboard.press("2")
    expect_photo(desk, third)
    desk.keyboard.press("c")
    expect(shown(desk).get_by_label("Words to the contributor")).to_be_focused()
    desk.keyboard.type("a2s: show all of it, please.")  # letters are words here, and no keys
    desk.keyboard.press("Enter")
    expect_photo(desk, fourth)
    desk.keyboard.press("s")
    expect_photo(desk, fifth)
    desk.keyboard.press("1")
    expect_photo(desk, sixth)
    expect(pending).to_have_text("2")
    for image, status in ((first, "approved"), (second, "rejected"), (third, "changes_requested"), (fourth, "pending")):
        expect_status(image, status)
    assert (second.fault, third.status_reason) == ("poor", "a2s: show all of it, please.")
    for image in (fifth, third, second, first):
        desk.keyboard.press("z")
        expect_photo(desk, image)
        expect_status(image, "pending")
    expect(desk.get_by_role("button", name="Undo")).to_be_disabled()
    desk.keyboard.press("?")
    expect(desk.get_by_text("ask for a change: write a sentence, then Enter")).to_be_visible()
    desk.keyboard.press("?")
    expect(desk.get_by_text("ask for a change: write a sentence, then Enter")).to_be_hidden()


def test_the_focus_goes_on_with_the_photo(desk: Page, queue: list[Image]):
    expect_photo(desk, queue[0])
    desk.locator("[data-waits] [data-safety]").first.wait_for(state="attached", timeout=FIRST_LOOK_MS)
    shown(desk).get_by_role("button", name="Approve").focus()
    desk.keyboard.press("Enter")
    expect_photo(desk, queue[1])
    expect(shown(desk)).to_be_focused()
    undo = desk.get_by_role("button", name="Undo")
    expect(undo).to_be_enabled()
    undo.focus()
    desk.keyboard.press("Enter")
    expect_photo(desk, queue[0])
    expect(undo).to_be_disabled()
    expect(shown(desk)).to_be_focused()


def test_keys_can_be_turned_off(desk: Page, queue: list[Image]):
    expect_photo(desk, queue[0])
    desk.get_by_role("button", name="Appearance and keys").click()
    desk.get_by_role("button", name="Single-key shortcuts").click()
    desk.reload()
    expect(desk.locator("[data-keys-switch]")).to_have_attribute("aria-pressed", "false")
    expect_photo(desk, queue[0])
    for key in ("a", "2", "/"):
        desk.keyboard.press(key)
    expect(desk.locator("#field-words")).not_to_be_focused()
    shown(desk).get_by_role("button", name="Approve").click()  # of the first photo, which the keys left alone
    expect_photo(desk, queue[1])
    expect_taken(desk, queue[0])
    expect_status(queue[0], "approved")
    expect_status(queue[1], "pending")


def test_the_end_of_the_queue(desk: Page, queue: list[Image]):
    for image in queue:
        expect_photo(desk, image)
        desk.keyboard.press("a")
    expect(desk.get_by_text("Nothing is waiting for you.")).to_be_visible()
    desk.keyboard.press("z")
    expect_photo(desk, queue[-1])


def test_a_photo_that_another_decided_on_is_refused_in_a_sentence(desk: Page, queue: list[Image], complaints):
    complaints.expect_status(409)
    expect_photo(desk, queue[0])
    other = User.objects.create_user("other", "other@example.com", "x")
    queue[0].approve(other)
    desk.keyboard.press("2")
    refusal = "other has decided on “sent-0.jpg” meanwhile: Approved. Nothing was changed."
    expect(desk.get_by_text(refusal)).to_be_visible()
    expect_photo(desk, queue[1])
    expect_status(queue[0], "approved")


def test_look_alikes_go_along_with_one_click_and_come_back(desk: Page, queue: list[Image]):
    expect_photo(desk, queue[0])
    boxes = shown(desk).locator("[data-look-alikes] input")
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        box.check()
    desk.keyboard.press("5")
    expect_photo(desk, queue[3])
    for image in queue[:3]:
        expect_status(image, "rejected")
    desk.keyboard.press("z")
    expect_photo(desk, queue[0])
    for image in queue[:3]:
        expect_status(image, "pending")


def test_an_unsafe_photo_is_covered_until_a_key_is_held(desk: Page, queue: list[Image]):
    SafetyScore.objects.update_or_create(sha256=queue[0].sha256, model=nudity.MODEL, defaults={"score": 0.97})
    desk.reload()
    picture = shown(desk).locator(".judge-photo img")
    expect(shown(desk).locator("[data-safety=unsafe]")).to_be_attached()
    expect(picture).to_have_css("filter", "blur(40px) grayscale(1)")
    desk.keyboard.down("v")
    expect(picture).to_have_css("filter", "none")
    desk.keyboard.up("v")
    expect(picture).to_have_css("filter", "blur(40px) grayscale(1)")
    hold = desk.get_by_role("button", name="Hold to see it")
    box = hold.bounding_box()
    assert box is not None
    desk.mouse.move(box["x"] + 5, box["y"] + 5)
    desk.mouse.down()
    expect(picture).to_have_css("filter", "none")
    desk.mouse.up()
    expect(picture).to_have_css("filter", "blur(40px) grayscale(1)")


def test_the_next_photo_is_there_at_once(desk: Page, queue: list[Image]):
    many(queue, PENDING)
    waiting = Image.objects.pending().count()
    desk.add_init_script(_TIME)
    desk.goto("/moderation/")
    for number in range(DECISIONS):
        # Somebody looks at a photo for longer than the next one takes to load.
        desk.locator("[data-judge]:not([hidden]) [data-safety=safe]").wait_for(state="attached", timeout=FIRST_LOOK_MS)
        desk.locator("[data-waits] [data-safety]").first.wait_for(state="attached")
        desk.keyboard.press("a")
        desk.wait_for_function("(n) => window.times.length > n", arg=number)
    times = sorted(desk.evaluate("window.times"))
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    print(
        f"\nfrom a key to the next photo, {DECISIONS} decisions, {waiting} waiting:"
        f" median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, most {times[-1]:.0f} ms"
    )
    assert statistics.median(times) <= MOST_MS
    # The next photo is there before the server has the last decision.
    expect(desk.locator("[data-count=pending]")).to_have_text(f"{waiting - DECISIONS:,}")
    assert Image.objects.filter(status="approved", moderated_by__username="moderator").count() == DECISIONS
    assert Claim.objects.filter(image__status="approved").count() == 0


def many(queue: list[Image], count: int) -> None:
    """More photos that wait, of the same files under other names."""
    copies = []
    for number in range(count - len(queue)):
        copy = Image.objects.get(pk=queue[number % len(queue)].pk)
        copy.pk, copy.source_name, copy.position = new_key(), f"more-{number}.jpg", 100 + number
        copies.append(copy)
    Image.objects.bulk_create(copies)
    signals.announce([copy.pk for copy in copies])
    IndexLoop().run_until_idle()
