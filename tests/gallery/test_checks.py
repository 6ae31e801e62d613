import pytest

from gallery.checks import check_limits


def test_the_defaults_are_right():
    assert check_limits(None) == []


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("MAX_IMAGE_BYTES", 0, "gallery.E001"),
        ("MAX_IMAGE_FRAMES", -1, "gallery.E001"),
        ("FILE_DELIVERY", "pigeon", "gallery.E002"),
        ("FILE_DELIVERY", "redirect", "gallery.E004"),
        ("SHOP_CURRENCY", "euro", "gallery.E003"),
    ],
)
def test_a_wrong_setting_names_itself_and_what_to_do(settings, name, value, id):
    setattr(settings, name, value)
    (error,) = check_limits(None)
    assert error.id == id
    assert name in error.msg
    assert error.hint
