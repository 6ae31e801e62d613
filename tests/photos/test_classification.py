"""Classifiers on 1,000 real photographs: how right they are on held-out products, and that wrong labels come first."""

import json

import pytest

pytestmark = pytest.mark.photos

# Gives one product in twenty another category, drawn at random; prints their keys.
CORRUPT = """
import json, random, django
django.setup()
from gallery.models import Category, Product
draw = random.Random(1)
products = list(Product.objects.exclude(category=None).order_by("sku"))
categories = sorted(set(product.category_id for product in products))
wrong = draw.sample(products, len(products) // 20)
for product in wrong:
    product.category_id = draw.choice([one for one in categories if one != product.category_id])
    product.save()
print(json.dumps([str(product.pk) for product in wrong]))
"""

# The products of the page, in its order, by each classifier.
FIRST_DOUBTED = """
import json, django
django.setup()
from search.models import Classifier
print(json.dumps({one.kind: [str(doubt.product_id) for doubt in one.doubts.open()[:50]]
                  for one in Classifier.objects.order_by("pk")}))
"""


def test_held_out_products_get_their_category(site):
    figures = json.loads(site.manage("classify", "--json"))
    print(json.dumps(figures))
    assert all(one["n"] >= 990 and one["folds"] == 5 for one in figures.values())
    assert figures["linear"]["top1"] >= 0.82 and figures["linear"]["top3"] >= 0.96
    assert figures["neighbours"]["top1"] >= 0.77 and figures["neighbours"]["top3"] >= 0.93
    assert figures["forest"]["top1"] >= 0.74 and figures["forest"]["top3"] >= 0.91
    assert all(one["calibration_error"] <= 0.05 for one in figures.values())


def test_wrong_labels_come_first(site, tmp_path):
    copy = site.copy(tmp_path)
    wrong = set(json.loads(copy.run("-c", CORRUPT).splitlines()[-1]))
    copy.manage("classify", "--json")
    doubted = json.loads(copy.run("-c", FIRST_DOUBTED).splitlines()[-1])
    found = {kind: len(wrong.intersection(keys)) / 50 for kind, keys in doubted.items()}
    print(json.dumps({"wrong": len(wrong), "precision_at_50": found}))
    assert found["linear"] >= 0.68  # by chance: 0.05
    assert found["neighbours"] >= 0.62 and found["forest"] >= 0.58
