"""Prices as people read them."""

from decimal import Decimal

from django.utils.formats import number_format

from gallery.models import Product

NO_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"})  # ISO 4217


def money(amount: Decimal | float, currency: str) -> str:
    """An amount in the active language's notation, with its currency's code: ``1,234.50 EUR``."""
    decimals = 0 if currency in NO_MINOR_UNIT else 2
    return f"{number_format(amount, decimals, use_l10n=True, force_grouping=True)} {currency}"


def price_label(product: Product) -> str:
    """The product's price, or nothing where it has none."""
    return "" if product.price is None else money(product.price, product.currency)
