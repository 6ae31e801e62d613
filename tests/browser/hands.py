"""Three ways of working with a page: a mouse, a finger, and keys alone."""

from typing import Literal

from playwright.sync_api import CDPSession, FilePayload, FloatRect, Locator, Page, expect

Way = Literal["mouse", "touch", "keys"]
WAYS: tuple[Way, ...] = ("mouse", "touch", "keys")
_MOST_TABS = 300
_STEPS = 6
# What has the focus, also where it lies in the shadow of a custom element.
_HAS_FOCUS = "(element) => element === document.activeElement || element.contains(document.activeElement)"


class Hand:
    """Presses, types, draws and scrolls in one way only. Keys reach everything by Tab, from where the focus is."""

    def __init__(self, page: Page, way: Way):
        self.page = page
        self.way = way
        self._touch: CDPSession | None = None

    def reach(self, target: Locator) -> None:
        """Go on with Tab until the target has the focus."""
        expect(target).to_be_visible()
        for _press in range(_MOST_TABS):
            if target.evaluate(_HAS_FOCUS):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{_MOST_TABS} times Tab did not lead to {target}")

    def press(self, target: Locator) -> None:
        if self.way == "touch":
            target.tap()
        elif self.way == "mouse":
            target.click()
        else:
            self.reach(target)
            self.page.keyboard.press("Enter")

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

    def _swipe(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._touch = self._touch or self.page.context.new_cdp_session(self.page)
        for step in range(_STEPS + 1):
            x, y = (a + (b - a) * step / _STEPS for a, b in zip(start, end, strict=True))
            kind = "touchMove" if step else "touchStart"
            self._touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            self.page.wait_for_timeout(20)  # slow enough that the browser does not take it for a fling
        self.page.wait_for_timeout(120)
        self._touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
