"""Prices as people and programs write them."""

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from gallery.importing.errors import RowError

# 1,250 and 1.250.000, 1 250, 1'250, and 12,34,567 as India writes it; 12.10.2024 and 12 90 are no numbers.
_GROUPED = re.compile(r"[1-9]\d{0,2}([.,\s'’])\d{3}(?:\1\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}")
_DECIMALS = re.compile(r"(.*)([.,])(\d*)", re.DOTALL)
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
    if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", number):
        raise RowError(
            _("price “%(value)s” may mean two things. Write it with two decimals, like 1250.00.") % {"value": text}
        )
    number = _plain(number)
    if not re.fullmatch(r"\d{1,10}(\.\d*)?|\.\d+", number, re.ASCII):
        raise _no_price(text)
    return Decimal(number).quantize(Decimal("0.01")), currency


def _plain(number: str) -> str:
    """Without marks between groups of digits, and with a point before the decimals, as far as it is a number."""
    if _GROUPED.fullmatch(number):
        return re.sub(r"\D", "", number)
    found = _DECIMALS.fullmatch(number)
    if found is None:
        return number
    # "12,50" is how much of Europe writes it; "1,250.00" and "1.250,00" are told apart by what comes last.
    whole, point, decimals = found.groups()
    if _GROUPED.fullmatch(whole) and point not in whole:
        whole = re.sub(r"\D", "", whole)
    return f"{whole}.{decimals}"


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
