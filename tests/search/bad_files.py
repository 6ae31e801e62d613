"""Files that are refused, whoever sends them: name, bytes and the status of the answer."""

from tests.pictures import jpeg

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><rect width="9" height="9"/></svg>'

REFUSED = {
    "empty": ("empty.jpg", b"", 400),
    "no picture": ("notes.jpg", b"Dear diary, today I drew nothing at all.", 400),
    "svg": ("drawing.svg", SVG, 400),
    "truncated": ("cut.jpg", jpeg()[:900], 400),
}
