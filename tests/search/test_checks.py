"""Wrong settings are said by system checks, each with the variable's name and a hint."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("SEARCH_URL", "http://localhost:9200", "elasticsearch://"),
        ("SEARCH_INDEX_PREFIX", "Images", "small letters"),
        ("SEARCH_ENCODER", "resnet-9000", "efficientnet-lite2"),
        ("SEARCH_ENCODERS", {"mine": {"BACKEND": "nowhere.Network"}}, "docs/encoders.md"),
        ("ENCODER_DEVICE", "tpu", "cuda"),
        ("SEARCH_INDEX_OPTIONS", {"type": "ivf"}, "docs/engines.md"),
        ("SEARCH_WINDOW", 0, "1 or more"),
        ("SEARCH_WINDOW", 20_000, "10000 or less"),
        ("SEARCH_BATCH", 0, "1 or more"),
        ("LINK_SECONDS", 0, "at most 60"),
        ("RECOGNITION_CONFIDENCE", 0.0, "from 0.05"),
        ("RECOGNITION_CONFIDENCE", 50.0, "to 1"),
        ("LINK_PORTS", [80, 70_000], "80,443"),
        ("LINK_AT_ONCE", 0, "1 or more"),
        ("LINK_REFUSED_NETWORKS", ["10.0.0.0/8", "inner"], "203.0.113.0/24"),
        ("MAX_IMAGE_BYTES", 0, "1 or more"),
        ("FILE_DELIVERY", "pigeon", "stream, x-accel"),
        ("SHOP_CURRENCY", "euro", "three capital letters"),
    ],
)
def test_a_wrong_setting_is_named_with_a_hint(settings, name, value, hint):
    setattr(settings, name, value)
    with pytest.raises(SystemCheckError) as error:
        call_command("check")
    assert name in str(error.value)
    assert hint in str(error.value)


@pytest.mark.django_db
def test_the_embedded_engine_says_when_to_move_on(settings, capsys):
    settings.EMBEDDED_WARN_AT = -1
    call_command("check", databases=["default"])
    assert "Move to Elasticsearch" in capsys.readouterr().err


def test_right_settings_pass():
    call_command("check")
