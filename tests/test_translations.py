"""Every collected text has a Chinese one that takes the same values."""

from pathlib import Path

from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).resolve().parent.parent / "locale"


def test_every_text_is_translated_and_keeps_its_placeholders():
    with (CATALOGUES / "zh_Hans" / "LC_MESSAGES" / "django.po").open("rb") as file:
        catalogue = read_po(file)
    texts = [message for message in catalogue if message.id]
    assert len(texts) > 100
    assert [message.id for message in texts if message.fuzzy] == []
    assert [message.id for message in texts if not all(_forms(message.string))] == []
    assert [message.id for message in texts if any(True for _error in message.check(catalogue))] == []


def _forms(text) -> tuple:
    return text if isinstance(text, tuple) else (text,)
