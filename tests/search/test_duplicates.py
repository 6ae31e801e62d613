"""Duplicates: which pairs are found, what is remembered of them, and the page on which staff decide."""

import io
from itertools import combinations

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image as Picture
from PIL import ImageOps

from gallery import jobs
from gallery.intake import add_image, replace_file
from gallery.merging import MergeRefused, merge_images
from gallery.models import Image, ImageRedirect, Job, Product, ProductRedirect
from search.duplicates import deciding, scanning
from search.duplicates.finding import Finder, record
from search.duplicates.pixels import compare, pixels_of
from search.indexing.loop import IndexLoop
from search.models import DuplicateLook, DuplicatePair, ProductView, SafetyScore
from search.safety import nudity
from tests.catalogue import add_product
from tests.pictures import draw, encode

pytestmark = pytest.mark.django_db


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Picture.Image:
    """Soft light, a few shapes, as no other seed draws them: pictures that are not alike."""
    chance = np.random.default_rng(seed)
    light = Picture.fromarray(chance.integers(40, 255, (4, 5, 3), dtype=np.uint8))
    picture = light.resize(size, Picture.Resampling.BICUBIC)
    for n in range(5):
        width, height = (int(chance.integers(side // 8, side // 3)) for side in size)
        place = tuple(int(chance.integers(0, side - part)) for side, part in zip(size, (width, height), strict=True))
        color = tuple(chance.integers(0, 255, 3).tolist())
        shape = draw("circle" if n % 2 else "triangle", "black", size=(width, height)).convert("L")
        picture.paste(color, place, ImageOps.invert(shape))
    return picture


def cut(picture: Picture.Image) -> Picture.Image:
    width, height = picture.size
    return picture.crop((width // 10, height // 8, width // 10 + int(0.8 * width), height // 8 + int(0.8 * height)))


COPIES = {
    "re-encoded": ("same", lambda picture: encode(picture, quality=60)),
    "resized": ("same", lambda picture: encode(picture.resize((160, 120)), quality=90)),
    "mirrored": ("mirrored", lambda picture: encode(ImageOps.mirror(picture), quality=90)),
    "cropped": ("part", lambda picture: encode(cut(picture), quality=90)),
}


def add(sku: str, data: bytes, product: Product | None = None) -> Image:
    product = product or Product.objects.create(sku=sku, title=sku.title())
    return add_image(product, io.BytesIO(data), f"{sku.lower()}.jpg")


def scan() -> Job:
    job = scanning.start_scan(None)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    return job


def found() -> dict[frozenset[str], tuple[str, str]]:
    """SKUs of the open pairs, with kind and relation."""
    skus = dict(Image.objects.values_list("pk", "product__sku"))
    return {
        frozenset((skus[pair.first], skus[pair.second])): (pair.kind, pair.relation)
        for pair in DuplicatePair.objects.open()
    }


def recorded(one: Image, other: Image, kind: str = "same_photo") -> DuplicatePair:
    """A pair as a scan writes it."""
    first, second = sorted((one, other), key=lambda image: image.pk)
    return DuplicatePair.objects.create(
        first=first.pk,
        second=second.pk,
        first_sha256=first.sha256,
        second_sha256=second.sha256,
        kind=kind,
        relation="same" if kind == "same_photo" else "",
        score=0.9,
    )


@pytest.fixture
def catalogue(index):
    """Five pictures that have nothing in common, indexed: a scale of similarities needs some."""
    images = [add(f"SCENE-{seed}", encode(scene(seed), quality=90)) for seed in range(5)]
    index()
    return images


@pytest.fixture
def twins(index) -> tuple[Image, Image]:
    """A photo, and the same at half the size in another product; indexed, and found."""
    add("OTHER", encode(scene(2), quality=90))
    large, small = add("LARGE", encode(scene(1), quality=90)), add("SMALL", COPIES["resized"][1](scene(1)))
    index()
    assert scan().state == "done"
    return large, small


@pytest.fixture
def pair(twins) -> DuplicatePair:
    return DuplicatePair.objects.open().get()


class TestPixels:
    @pytest.mark.parametrize("name", COPIES)
    def test_copies_are_the_same_photo(self, name):
        relation, copy = COPIES[name]
        picture = scene(3)
        likeness = compare(pixels_of(picture), pixels_of(Picture.open(io.BytesIO(copy(picture))).convert("RGB")))
        assert likeness.is_same_photo and likeness.relation == relation

    def test_a_mirrored_part_is_found_either_way_round(self):
        picture = scene(4)
        piece = ImageOps.mirror(cut(picture))
        for one, other in ((picture, piece), (piece, picture)):
            likeness = compare(pixels_of(one), pixels_of(other))
            assert likeness.is_same_photo and likeness.relation == "mirrored-part"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (scene(1), scene(2)),
            (draw("circle", "red"), draw("circle", "blue")),  # one cut, another colour
            (draw("circle", "red"), draw("square", "red")),
            (draw("circle", "red"), draw("circle", "red", size=(180, 240))),  # another shape of the picture
        ],
    )
    def test_other_photos_are_not(self, one, other):
        likeness = compare(pixels_of(one), pixels_of(other))
        assert likeness is None or not likeness.is_same_photo

    def test_tiny_pictures_are_compared(self):
        dot = pixels_of(Picture.new("RGB", (1, 1), "red"))
        assert compare(dot, dot) is None or compare(dot, dot).structure <= 1
        line = pixels_of(Picture.new("RGB", (400, 2), "red"))
        compare(line, pixels_of(scene(1)))


class TestScan:
    def test_copies_in_other_products_are_found(self, catalogue, index):
        for seed, name in enumerate(COPIES):
            add(name, COPIES[name][1](scene(seed)))
        index()
        job = scan()
        assert (job.state, job.done, job.total, job.result) == ("done", 9, 9, {"found": 4})
        assert found() == {
            frozenset((f"SCENE-{seed}", name)): ("same_photo", COPIES[name][0]) for seed, name in enumerate(COPIES)
        }

    def test_the_same_bytes_are_the_same_file(self, catalogue, index):
        add("COPY", encode(scene(3), quality=90))
        index()
        scan()
        assert found() == {frozenset(("SCENE-3", "COPY")): ("exact", "")}

    def test_another_scan_finds_nothing_twice(self, catalogue, index):
        add("COPY", encode(scene(3), quality=60))
        index()
        assert [scan().result["found"] for _time in range(2)] == [1, 0]
        assert DuplicatePair.objects.count() == 1

    def test_a_killed_scan_goes_on_where_it_was(self, catalogue, index, monkeypatch):
        add("COPY", encode(scene(0), quality=60))
        index()
        monkeypatch.setattr(scanning, "_BATCH", 2)
        looked = []
        look_at = Finder.look_at

        def dies_at_the_third(self, keys):
            if len(looked) == 2:
                raise KeyboardInterrupt
            looked.append(list(keys))
            return look_at(self, keys)

        monkeypatch.setattr(Finder, "look_at", dies_at_the_third)
        job = scanning.start_scan(None)
        with pytest.raises(KeyboardInterrupt):
            jobs.run(str(job.pk))
        monkeypatch.setattr(Finder, "look_at", lambda self, keys: looked.append(list(keys)) or look_at(self, keys))
        assert scanning.start_scan(None) == job, "it is not started beside itself"
        jobs.run(str(job.pk))
        job.refresh_from_db()
        assert [key for keys in looked for key in keys] == list(
            Image.objects.order_by("pk").values_list("pk", flat=True)
        )
        assert (job.state, job.done, job.result) == ("done", 6, {"found": 1})

    def test_it_can_be_cancelled(self, catalogue, monkeypatch):
        monkeypatch.setattr(scanning, "_BATCH", 1)
        job = scanning.start_scan(None)
        look_at = Finder.look_at
        monkeypatch.setattr(
            Finder, "look_at", lambda self, keys: Job.objects.get(pk=job.pk).request_cancel() or look_at(self, keys)
        )
        jobs.run(str(job.pk))
        job.refresh_from_db()
        assert (job.state, job.done) == ("cancelled", 1)

    def test_what_stands_in_its_way_is_said(self, db):
        assert "Nothing is indexed yet" in scan().says

    def test_an_engine_that_is_down_is_said(self, engine_down):
        job = scan()
        assert job.state == "failed" and "does not answer" in job.says

    def test_a_damaged_original_is_not_called_the_same_photo(self, catalogue, index):
        copy = add("COPY", encode(scene(3), quality=60))
        index()
        with copy.original.storage.open(copy.original.name, "wb") as file:
            file.write(b"broken")
        assert scan().state == "done"
        assert frozenset(("SCENE-3", "COPY")) not in {
            pair for pair, (kind, _relation) in found().items() if kind == "same_photo"
        }

    def test_the_loop_compares_what_came_in_lately(self, catalogue, index):
        add("COPY", encode(scene(3), quality=60))
        assert scanning.look_at_new() == 5, "what is not indexed waits to be looked at itself"
        index()
        assert IndexLoop()._look_for_duplicates() == 1
        assert found() == {frozenset(("SCENE-3", "COPY")): ("same_photo", "same")}
        assert scanning.look_at_new() == 0
        assert DuplicateLook.objects.count() == 6

    def test_the_loop_goes_on_when_the_engine_is_down(self, engine_down):
        assert IndexLoop()._look_for_duplicates() == 0


class TestDecisions:
    def test_not_a_duplicate_is_remembered_after_a_scan_and_another_upload(self, pair, twins, staff, index):
        deciding.tell_apart(pair, staff)
        assert scan().result["found"] == 0 and not found()
        small = twins[1]
        data = small.original.open("rb").read()
        small.product.delete()
        add("AGAIN", data)
        index()
        assert scan().result["found"] == 0 and not found()

    def test_a_scan_that_was_under_way_does_not_ask_again_what_was_decided_meanwhile(self, pair, staff):
        again = DuplicatePair.objects.get()
        deciding.tell_apart(pair, staff)
        again.pk = None
        assert record([again]) == 0 and not found()

    def test_it_can_be_taken_back(self, pair, staff):
        deciding.tell_apart(pair, staff)
        pair.reopen()
        assert DuplicatePair.objects.open().get() == pair and pair.decided_by is None

    def test_another_file_is_another_question(self, pair, twins, staff, index):
        deciding.tell_apart(pair, staff)
        replace_file(twins[1], io.BytesIO(COPIES["mirrored"][1](scene(1))), "small.jpg")
        index()
        scan()
        assert found() == {frozenset(("LARGE", "SMALL")): ("same_photo", "mirrored")}

    def test_what_was_told_apart_stays_so_when_the_files_come_back(self, pair, twins, staff, index):
        deciding.tell_apart(pair, staff)
        small = twins[1]
        with small.original.open("rb") as file:
            before = file.read()
        replace_file(small, io.BytesIO(COPIES["mirrored"][1](scene(1))), "small.jpg")
        index()
        assert scan().result["found"] == 1
        replace_file(small, io.BytesIO(before), "small.jpg")
        index()
        assert scan().result["found"] == 0 and not found()

    def test_a_replaced_file_closes_what_was_open(self, pair, twins):
        replace_file(twins[1], io.BytesIO(encode(scene(7))), "small.jpg")
        assert not DuplicatePair.objects.open().exists()

    @pytest.mark.parametrize("keep", ["first", "second"])
    def test_merging_keeps_one_side_and_the_better_file(self, pair, twins, staff, keep):
        key = getattr(pair, keep)
        sku = Image.objects.get(pk=key).product.sku
        deciding.merge(pair, key, staff)
        image = Image.objects.exclude(product__sku="OTHER").get()
        assert (image.pk, image.product.sku, image.width) == (key, sku, 320)
        assert ProductRedirect.objects.get().product.sku == sku
        pair.refresh_from_db()
        assert (pair.state, pair.decided_by) == ("merged", staff)

    def test_who_comes_second_is_told(self, pair, staff):
        again = DuplicatePair.objects.get()
        deciding.merge(pair, pair.first, staff)
        for late in (lambda: deciding.merge(again, again.second, staff), lambda: deciding.tell_apart(again, staff)):
            with pytest.raises(MergeRefused, match="decided this pair already: Merged"):
                late()
        assert Product.objects.filter(sku__in=["LARGE", "SMALL"]).count() == 1

    def test_two_products_that_are_told_apart_are_not_suggested_by_other_photos(self, db, staff):
        left, right = add_product("LEFT", photos=2), add_product("RIGHT", "square", photos=2)
        sides = [list(product.images.order_by("position")) for product in (left, right)]
        pairs = [recorded(one, other, "same_product") for one, other in zip(*sides, strict=True)]
        before = recorded(sides[0][0], sides[1][1], "same_product")
        before.tell_apart(staff)
        deciding.tell_apart(pairs[0], staff)
        assert not DuplicatePair.objects.open().exists()
        DuplicatePair.objects.get(pk=pairs[0].pk).reopen()
        assert set(DuplicatePair.objects.open()) == set(pairs), "what was told apart before stays so"

    def test_other_rows_follow_a_merged_photo(self, pair, twins, staff, index):
        third = add("THIRD", COPIES["re-encoded"][1](scene(1)))
        index()
        scan()
        large, small = twins
        assert len(found()) == 3
        ProductView.objects.create(user=staff, image=small)
        merge_images(large.pk, small.pk, staff)
        assert found() == {frozenset(("LARGE", "THIRD")): ("same_photo", "same")}
        assert ProductView.objects.get().image == large
        merge_images(third.pk, large.pk, staff)
        assert not found()

    @pytest.mark.parametrize("better", ["kept", "dropped"])
    def test_what_was_told_apart_stays_so_through_merges_and_nothing_else_does(self, db, staff, better):
        product = Product.objects.create(sku="P", title="P")
        large, small = (add("P", encode(scene(1, size)), product) for size in ((640, 480), (320, 240)))
        kept, dropped = (large, small) if better == "kept" else (small, large)
        other, third = add("OTHER", encode(scene(2))), add("THIRD", encode(scene(3)))
        decided = [recorded(kept, other), recorded(dropped, third)]
        for pair in decided:
            pair.tell_apart(staff)
        asked = [recorded(dropped, other), recorded(kept, third)]
        merge_images(kept.pk, dropped.pk, staff)
        apart = DuplicatePair.objects.filter(state="not_duplicate")
        assert {frozenset((pair.first_sha256, pair.second_sha256)) for pair in apart} == {
            frozenset((kept.sha256, other.sha256)),
            frozenset((dropped.sha256, third.sha256)),
        }
        assert set(apart.values_list("decided_by", flat=True)) == {staff.pk}
        # What is asked is what nobody has decided of the file that stays.
        still = asked[1] if better == "kept" else asked[0]
        open_pair = DuplicatePair.objects.open().get()
        assert (open_pair.pk, kept.pk in (open_pair.first, open_pair.second)) == (still.pk, True)
        assert {open_pair.first_sha256, open_pair.second_sha256} == {
            large.sha256,
            (third if better == "kept" else other).sha256,
        }

    def test_a_question_about_a_file_that_has_gone_does_not_come_back_by_a_merge(self, db, staff):
        product = Product.objects.create(sku="P", title="P")
        kept, dropped = (add("P", encode(scene(1, size)), product) for size in ((640, 480), (320, 240)))
        other = add("OTHER", encode(scene(2)))
        recorded(kept, other)
        replace_file(kept, io.BytesIO(encode(scene(4, (640, 480)))), "kept.jpg")
        merge_images(kept.pk, dropped.pk, staff)
        assert not DuplicatePair.objects.filter(state="open").exists()

    def test_the_same_file_is_not_said_of_a_photo_that_kept_another_one(self, db, staff):
        product = Product.objects.create(sku="P", title="P")
        kept, dropped = (add("P", encode(scene(1, size)), product) for size in ((640, 480), (320, 240)))
        copy = add("COPY", encode(scene(1, (320, 240))))
        recorded(dropped, copy, "exact")
        merge_images(kept.pk, dropped.pk, staff)
        assert [(pair.kind, pair.relation) for pair in DuplicatePair.objects.open()] == [("same_photo", "same")]


class TestPage:
    @pytest.fixture
    def twins(self, db) -> tuple[Image, Image]:
        """The page reads what is recorded: nothing has to be indexed for it."""
        return add("LARGE", encode(scene(1), quality=90)), add("SMALL", COPIES["resized"][1](scene(1)))

    @pytest.fixture
    def pair(self, twins) -> DuplicatePair:
        return recorded(*twins)

    @pytest.fixture
    def shown(self, client, staff):
        client.force_login(staff)
        return lambda query="": client.get(f"{reverse('duplicates')}{query}").content.decode()

    def test_it_is_for_staff(self, client, db, django_user_model):
        assert client.get(reverse("duplicates")).status_code == 302
        client.force_login(django_user_model.objects.create_user("shopper"))
        assert client.get(reverse("duplicates")).status_code == 403
        assert client.post(reverse("duplicate-scan")).status_code == 403

    def test_it_spells_out_the_differences(self, shown, pair):
        text = shown()
        for words in ("LARGE", "SMALL", "320 × 240", "160 × 120", "The same photo, saved again", "JPEG", "Sharpness"):
            assert words in text, words
        assert "Whichever stays, it gets the better file" in text

    def test_it_says_that_an_approved_file_stays_before_a_larger_one(self, shown, pair, twins):
        Image.objects.filter(pk=twins[0].pk).set_status(Image.Status.PENDING)
        assert "gets the approved file: the one of 160 × 120 pixels" in shown()

    def test_a_hidden_photo_that_may_be_unsafe_is_veiled(self, shown, pair, twins):
        small = twins[1]
        assert "is-veiled" not in shown()
        small.reject(None, "No.")
        assert shown().count("is-veiled") == 1, "nobody has looked at it"
        score = SafetyScore.objects.create(sha256=small.sha256, model=nudity.MODEL, score=0.1)
        assert "is-veiled" not in shown()
        score.score = 0.95
        score.save()
        assert shown().count("is-veiled") == 1
        small.approve(None)
        assert "is-veiled" not in shown()

    @pytest.mark.parametrize("waits", ["pending", "changes_requested"])
    def test_that_a_photo_waits_for_nobody_any_more_is_said_before_and_after(self, client, shown, pair, waits):
        Image.objects.filter(pk=pair.first).set_status(waits)
        assert "no moderator decides" not in shown()
        Image.objects.filter(pk=pair.second).set_status(Image.Status.REJECTED)
        assert "Merged into the right photo, the left one is “Rejected”, too: no moderator decides on it." in shown()
        client.post(reverse("duplicate-decide", args=[pair.pk]), {"verb": str(pair.second)})
        assert "The photo that waited is “Rejected” with it; no moderator has decided on it." in shown()

    def test_without_pairs_it_says_so(self, shown, db):
        assert "not scanned yet" in shown()

    def test_kinds_narrow_it_and_what_cannot_be_read_does_not(self, shown, pair):
        assert "320 × 240" in shown("?kind=same_photo") and "320 × 240" not in shown("?kind=exact")
        assert all("320 × 240" in shown(query) for query in ("?kind=x", "?photo=x", "?page=99", f"?photo={pair.first}"))

    def test_a_scan_is_started_once_and_shown(self, client, shown):
        shown()
        for _time in range(2):
            assert client.post(reverse("duplicate-scan"))["Location"] == reverse("duplicates")
        assert Job.objects.get().kind == "duplicate-scan"
        assert "hx-get" in shown() and "Waiting for the worker" in shown()

    def test_merging_and_telling_apart(self, client, shown, pair):
        address = reverse("duplicate-decide", args=[pair.pk])
        shown()
        response = client.post(address, {"verb": "apart", "next": "/duplicates/?kind=same_photo"})
        assert response["Location"] == f"/duplicates/?kind=same_photo&apart={pair.pk}"
        assert "will not be asked about again" in client.get(response["Location"]).content.decode()
        client.post(reverse("duplicate-reopen", args=[pair.pk]))
        assert client.post(address, {"verb": "nonsense"}).status_code == 302
        assert "Choose which of the two stays." in shown()
        client.post(address, {"verb": str(pair.second)})
        assert "Nothing was lost" in shown()
        client.post(address, {"verb": str(pair.second)})
        assert "decided this pair already" in shown()

    def test_what_was_changed_while_it_was_looked_at_is_not_merged(self, client, shown, pair, twins):
        shown()
        seen = [f"{image.product.pk}:{image.product.revision}" for image in twins]
        product = Product.objects.get(sku="SMALL")
        product.title = "Changed"
        product.save()
        verb = {"verb": str(pair.first), "seen": [*seen, "nonsense"]}
        client.post(reverse("duplicate-decide", args=[pair.pk]), verb)
        assert "SMALL was changed meanwhile" in shown()
        assert DuplicatePair.objects.open().get() == pair

    def test_a_page_takes_few_statements(self, shown, pair, twins, django_assert_max_num_queries):
        images = [*twins, *(add(f"MORE-{number}", encode(scene(1), quality=50 + number)) for number in range(3))]
        for one, other in combinations(images, 2):
            if {one, other} != set(twins):
                recorded(one, other)
        with django_assert_max_num_queries(16):
            text = shown()
        assert text.count("<article") == 10, "five photos alike are ten pairs"
        assert "more pairs with these photos" in text


class TestMergedKeys:
    def test_a_search_with_a_merged_photo_goes_on(self, client, pair, twins, staff):
        large, small = twins
        deciding.merge(pair, large.pk, staff)
        assert ImageRedirect.objects.resolve([small.pk]) == {small.pk: large.pk}
        text = client.get(f"/search/?image={small.pk}").content.decode()
        assert "no longer in the catalogue" not in text and str(large.pk) in text
        answer = client.get(f"/api/v1/search?image_id={small.pk}")
        assert answer.status_code == 200 and answer.json()["query"] == f"image={large.pk}"
