"""Files that people bring to a page: dropped, pasted or chosen."""

import base64
import re

from playwright.sync_api import FilePayload, JSHandle, Page, expect

from tests.browser.shop import FIRST_PHOTO
from tests.pictures import draw, encode, jpeg

RED_CIRCLE = FilePayload(name="mine.jpg", mimeType="image/jpeg", buffer=FIRST_PHOTO)
BLUE_SQUARE = FilePayload(name="square.jpg", mimeType="image/jpeg", buffer=jpeg("square", "blue"))
LARGE = FilePayload(
    name="large.jpg", mimeType="image/jpeg", buffer=encode(draw("circle", "red", size=(4000, 3000)), "JPEG", quality=92)
)
TEXT = FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"Dear diary, today I drew nothing at all.")
BROKEN = FilePayload(name="cut.jpg", mimeType="image/jpeg", buffer=jpeg()[:900])

_CARRY = """(files) => {
  const transfer = new DataTransfer();
  for (const { name, type, bytes } of files)
    transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
  return transfer;
}"""


def carried(page: Page, *files: FilePayload) -> JSHandle:
    """A DataTransfer of the page that holds the files."""
    return page.evaluate_handle(
        _CARRY,
        [
            {"name": f["name"], "type": f["mimeType"], "bytes": base64.b64encode(f["buffer"]).decode("ascii")}
            for f in files
        ],
    )


def drag_over(page: Page, carried: JSHandle) -> None:
    for kind in ("dragenter", "dragover"):
        page.dispatch_event("main", kind, {"dataTransfer": carried})


def drop(page: Page, *files: FilePayload) -> None:
    """Drag the files over the page and let go, once its scripts listen."""
    page.wait_for_load_state()
    transfer = carried(page, *files)
    drag_over(page, transfer)
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})


def search_by(page: Page, *files: FilePayload) -> None:
    """Drop the files, and wait for the results."""
    drop(page, *files)
    page.wait_for_url(re.compile(r"/search/\?.*photo="))
    expect(page.locator(".query-photo img")).to_be_visible()


def paste(page: Page, picture: bytes) -> None:
    """Put a PNG on the clipboard and press the keys, once the page's scripts listen."""
    page.wait_for_load_state()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (bytes) => {
          const png = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
        }""",
        base64.b64encode(picture).decode("ascii"),
    )
    page.keyboard.press("Control+V")
