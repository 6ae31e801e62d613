"""Three ways of working with a page: a mouse, a finger, and keys alone."""

import time
from typing import Literal

from playwright.sync_api import CDPSession, FilePayload, FloatRect, Locator, Page, expect

from tests.browser.files import carried, drag_over, paste

Way = Literal["mouse", "touch", "keys"]
WAYS: tuple[Way, ...] = ("mouse", "touch", "keys")
_MOST_TABS = 300
_STEPS = 6
_LEAST_TARGET = 24  # pixels: WCAG 2.2, 2.5.8
_BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What has the focus, also where it lies in the shadow of a custom element.
_HAS_FOCUS = "(element) => element === document.activeElement || element.contains(document.activeElement)"
# Whether the focus is marked and not all of it is covered (WCAG 2.2, 2.4.11).
# What is drawn for a field may be what the field lies in.
_IS_SEEN = """(element) => {
  const places = [element, element.parentElement, element.closest(".field")].filter(Boolean);
  const marked = places.some((one) => getComputedStyle(one).outlineStyle !== "none");
  const box = element.getBoundingClientRect();
  const points = [4, box.width / 2, box.width - 4].map((x) => [box.x + x, box.y + box.height / 2]);
  const tops = points.map(([x, y]) => document.elementFromPoint(x, y));
  const shown = tops.some((top) => top && (element.contains(top) || top.contains(element)));
  return (marked ? "" : "not marked ") + (shown ? "" : "covered");
}"""


class Hand:
    """Presses, types, draws and scrolls in one way only. Keys reach everything by Tab, from where the focus is."""

    def __init__(self, page: Page, way: Way):
        self.page = page
        self.way = way
        self._touch: CDPSession | None = None

    def reach(self, target: Locator, key: str = "Tab") -> None:
        """Go on with Tab, or back with Shift+Tab, until the target has the focus, and can be seen to have it."""
        expect(target).to_be_visible()
        element = target.element_handle()
        for _press in range(_MOST_TABS):
            if element.evaluate(_HAS_FOCUS):
                hidden = element.evaluate(_IS_SEEN)
                assert not hidden, f"{hidden}: {target}"
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{_MOST_TABS} times {key} did not lead to {target}")

    def press(self, target: Locator) -> None:
        self.expect_no_overflow()
        if self.way == "touch":
            self._expect_large(target)
            target.tap()
        elif self.way == "mouse":
            target.click()
        else:
            self.reach(target)
            self.page.keyboard.press("Enter")

    def expect_no_overflow(self) -> None:
        assert self.page.evaluate(_BEYOND) <= 0, "something lies beyond the edge"

    def type(self, field: Locator, text: str) -> None:
        if self.way == "keys":
            self.reach(field)
        else:
            self.press(field)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose_file(self, target: Locator, *files: FilePayload) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.press(target)
        chooser.value.set_files(list(files))

    def bring(self, photo: FilePayload, png: bytes, field: Locator) -> None:
        """Give the page a photo: dropped by the mouse, pasted by keys, and chosen where neither is possible."""
        if self.way == "mouse":
            transfer = carried(self.page, photo)
            drag_over(self.page, transfer)
            invitation = self.page.get_by_text("Drop the photo to search with it")
            expect(invitation).to_be_visible()
            box, size = self._box(self.page.locator("#drop")), self.page.viewport_size
            assert size is not None
            assert (box["width"], box["height"]) == (size["width"], size["height"]), "the whole window says so"
            self.page.dispatch_event("main", "drop", {"dataTransfer": transfer})
        elif self.way == "touch":
            self.choose_file(field, photo)
        else:
            paste(self.page, png)

    def draw_box(self, canvas: Locator, part: tuple[float, float, float, float]) -> None:
        """Draw a box over a picture: left, top, right and bottom as shares of it. Keys move the one in the middle."""
        box = self._box(canvas)
        left, top, right, bottom = part
        start = (box["x"] + left * box["width"], box["y"] + top * box["height"])
        end = (box["x"] + right * box["width"], box["y"] + bottom * box["height"])
        if self.way == "mouse":
            self.page.mouse.move(*start)
            self.page.mouse.down()
            self.page.mouse.move(*end, steps=_STEPS)
            self.page.mouse.up()
        elif self.way == "touch":
            self._swipe(start, end)
        else:
            for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
                self.page.keyboard.press(key)

    def scroll_down(self) -> None:
        """By about a window."""
        size = self.page.viewport_size
        assert size is not None
        middle, height = size["width"] / 2, size["height"]
        if self.way == "mouse":
            self.page.mouse.move(middle, height / 2)
            self.page.mouse.wheel(0, height * 0.8)
        elif self.way == "touch":
            self._swipe((middle, height * 0.9), (middle, height * 0.1))
        else:
            self.page.keyboard.press("PageDown")

    @staticmethod
    def _box(target: Locator) -> FloatRect:
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None
        return box

    def _expect_large(self, target: Locator) -> None:
        box = self._box(target)
        assert min(box["width"], box["height"]) >= _LEAST_TARGET, f"{target} is {box['width']} by {box['height']}"

    def _swipe(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Slow enough, by the times it tells, that the browser does not take it for a fling."""
        self._touch = self._touch or self.page.context.new_cdp_session(self.page)
        began = time.time()
        for step in range(_STEPS + 1):
            x, y = (a + (b - a) * step / _STEPS for a, b in zip(start, end, strict=True))
            kind = "touchMove" if step else "touchStart"
            self._send(kind, began + step * 0.1, [{"x": x, "y": y}])
        self._send("touchEnd", began + _STEPS * 0.1 + 0.5, [])

    def _send(self, kind: str, when: float, points: list[dict[str, float]]) -> None:
        assert self._touch is not None
        self._touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points, "timestamp": when})
