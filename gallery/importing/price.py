"""Prices as people and programs write them."""

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from gallery.importing.errors import RowError

# Signs that mean one currency; "$" and "¥" mean several.
_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₫": "VND", "₪": "ILS"}
_SIGN = "".join(_SIGNS)


def read_price(text: str) -> tuple[Decimal | None, str]:
    """``12.50``, ``12,50``, ``1.250,00 €`` and ``12.90 EUR``, as a number and the currency that stands beside it.

    :raises RowError: for what is no price, or may mean two
    """
    number, currency = _taken_apart(text)
    if not number:
        if currency:
            raise _no_price(text)
        return None, ""
    # "12,50" is how much of Europe writes it; "1,250.00" and "1.250,00" are told apart by what comes last.
    number = re.sub(r"[\s'’]", "", number)
    if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", number):
        raise RowError(
            _("price “%(value)s” may mean two things. Write it with two decimals, like 1250.00.") % {"value": text}
        )
    if "," in number and "." in number:
        thousands = "." if number.rfind(",") > number.rfind(".") else ","
        number = number.replace(thousands, "")
    elif number.count(",") > 1 or number.count(".") > 1:
        number = number.replace(",", "").replace(".", "")
    number = number.replace(",", ".")
    if not re.fullmatch(r"\d{1,10}(\.\d*)?|\.\d+", number, re.ASCII):
        raise _no_price(text)
    return Decimal(number).quantize(Decimal("0.01")), currency


def _taken_apart(text: str) -> tuple[str, str]:
    """The number, and the currency before or after it."""
    text = text.strip()
    for pattern in (rf"([{_SIGN}]|[A-Z]{{3}})(.*)", rf"(.*?)([{_SIGN}]|[A-Z]{{3}})"):
        if found := re.fullmatch(pattern, text, re.DOTALL):
            one, other = found.groups()
            sign, number = (one, other) if pattern.startswith("([") else (other, one)
            return number.strip(), _SIGNS.get(sign, sign)
    return text, ""


def _no_price(text: str) -> RowError:
    return RowError(
        _("price “%(value)s”: use a number like 12.50, and name the currency by three letters, like EUR.")
        % {"value": text}
    )
