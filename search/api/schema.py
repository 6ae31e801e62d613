"""The shapes of the API for its OpenAPI schema. Answers are built by hand; tests hold the two together."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from gallery.hashes import MOST_BITS
from gallery.models.images import Swatch
from search.api.parameters import MAX_LIMIT
from search.query import GROUPS, LEANINGS, MAX_TEXT, SORTS


class ImageUrls(serializers.Serializer):
    webp = serializers.URLField()
    jpeg = serializers.URLField()


class ImageLabel(serializers.Serializer):
    name = serializers.CharField()
    confidence = serializers.FloatField(help_text="from 0 to 1")


class HitImage(serializers.Serializer):
    id = serializers.UUIDField()
    width = serializers.IntegerField(help_text="pixels of the original, upright")
    height = serializers.IntegerField()
    urls = ImageUrls()
    labels = ImageLabel(many=True, help_text="what the photo is recognised as, the surest first")


class HitProduct(serializers.Serializer):
    sku = serializers.CharField()
    title = serializers.CharField()
    category = serializers.CharField(allow_null=True)
    brand = serializers.CharField(allow_null=True)
    price = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    url = serializers.URLField()


class Hit(serializers.Serializer):
    image = HitImage()
    product = HitProduct()
    similarity = serializers.FloatField(allow_null=True, help_text="weighted sum of the parts' cosines")
    parts = serializers.DictField(child=serializers.FloatField(), help_text="cosine of each part")
    band = serializers.CharField(allow_null=True)
    photos_matching = serializers.IntegerField()


class FacetValue(serializers.Serializer):
    value = serializers.CharField(help_text="as the filter takes it")
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not the serializer's own label
    count = serializers.IntegerField(help_text="products")


class PriceFacet(serializers.Serializer):
    lowest = serializers.FloatField()
    highest = serializers.FloatField()
    counts = serializers.ListField(child=serializers.IntegerField(), help_text="products in equal steps of price")


class FacetValues(serializers.Serializer):
    category = FacetValue(many=True)
    brand = FacetValue(many=True)
    availability = FacetValue(many=True)
    color = FacetValue(many=True)
    tags = FacetValue(many=True)
    attributes = serializers.DictField(child=FacetValue(many=True))
    price = PriceFacet(allow_null=True)


class SearchAnswer(serializers.Serializer):
    hits = Hit(many=True)
    facets = FacetValues()
    total = serializers.IntegerField(help_text="products of matches")
    total_is_lower_bound = serializers.BooleanField()
    took_ms = serializers.FloatField()
    query = serializers.CharField(help_text="canonical query string of the results page")
    generation = serializers.IntegerField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())


class Problem(serializers.Serializer):
    error = serializers.CharField(help_text="a sentence for a person")
    code = serializers.CharField()
    field = serializers.CharField(allow_null=True, help_text="the parameter that it is about")


_TEXTS = serializers.ListField(child=serializers.CharField(), required=False)

SearchBody = inline_serializer(
    "SearchBody",
    {
        "q": serializers.CharField(required=False, max_length=MAX_TEXT),
        "image_id": serializers.ListField(child=serializers.CharField(), required=False, help_text="key, or key@crop"),
        "less": serializers.ListField(child=serializers.CharField(), required=False, help_text="key, or key@crop"),
        "category": _TEXTS,
        "brand": _TEXTS,
        "availability": _TEXTS,
        "color": _TEXTS,
        "tags": _TEXTS,
        "attr": serializers.ListField(child=serializers.CharField(), required=False, help_text="name=value"),
        "price_min": serializers.FloatField(required=False, min_value=0),
        "price_max": serializers.FloatField(required=False, min_value=0),
        "sort": serializers.ChoiceField(SORTS, required=False),
        "group": serializers.ChoiceField(GROUPS, required=False),
        "by": serializers.ChoiceField([by for by in LEANINGS if by], required=False),
        "weaker": serializers.BooleanField(required=False),
        "page": serializers.IntegerField(required=False, min_value=1),
        "limit": serializers.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT),
        "sha256": serializers.CharField(required=False, min_length=64, max_length=64),
        "phash": serializers.CharField(required=False, min_length=16, max_length=16),
        "distance": serializers.IntegerField(required=False, min_value=0, max_value=MOST_BITS),
        "weights": serializers.DictField(child=serializers.FloatField(), required=False),
        "vector": serializers.JSONField(
            required=False,
            help_text="in place of a picture: the parts of the live generation's index side by side as one list, or "
            "part name → list; each part is brought to unit length",
        ),
    },
)
SearchForm = inline_serializer(
    "SearchForm",
    {
        "image": serializers.ImageField(help_text="searched with and not kept"),
        "crop": serializers.CharField(required=False, help_text="left,top,width,height in thousandths of the image"),
        "q": serializers.CharField(required=False, max_length=MAX_TEXT),
        "limit": serializers.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT),
    },
)


def _several(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, many=True, description=description)


PARAMETERS = [
    OpenApiParameter("q", OpenApiTypes.STR, description="Words that title, brand, category, tags or description hold."),
    _several("image_id", "Search by these photos of the catalogue; key@left,top,width,height is a part of one."),
    _several("less", "Photos of the catalogue that results should not look like, likewise."),
    _several("category", "Id, path of names (Clothing/Dresses), or a name that only one category has."),
    _several("brand", "Id, name or slug."),
    _several("availability", "in_stock, out_of_stock, preorder or backorder."),
    _several("color", f"Of what the photo shows: {', '.join(Swatch.values)}."),
    _several("tags", "Slug or name; any of them matches."),
    _several("attr", "name=value; values of one name are alternatives."),
    OpenApiParameter("price_min", OpenApiTypes.NUMBER, description="In the shop's currency."),
    OpenApiParameter("price_max", OpenApiTypes.NUMBER, description="In the shop's currency."),
    OpenApiParameter("sort", OpenApiTypes.STR, enum=list(SORTS)),
    OpenApiParameter("group", OpenApiTypes.STR, enum=list(GROUPS), description="What a hit is."),
    OpenApiParameter("by", OpenApiTypes.STR, enum=[by for by in LEANINGS if by], description="What likeness leans to."),
    OpenApiParameter("weaker", OpenApiTypes.BOOL, description="Also list results below the weak line, last."),
    OpenApiParameter("page", OpenApiTypes.INT, description="From 1."),
    OpenApiParameter("limit", OpenApiTypes.INT, description=f"Products on a page, 1 to {MAX_LIMIT}."),
    OpenApiParameter("sha256", OpenApiTypes.STR, description="In place of words: photos with this very file."),
    OpenApiParameter("phash", OpenApiTypes.STR, description="In place of words: photos by their 64-bit DCT hash."),
    OpenApiParameter("distance", OpenApiTypes.INT, description=f"Bits that phash may differ in, 0 to {MOST_BITS}."),
    OpenApiParameter("weights", OpenApiTypes.STR, description="Weights of the parts: deep:0.8,color:0.2."),
]
RESPONSES = {
    200: SearchAnswer,
    400: OpenApiResponse(Problem, description="A parameter or the picture cannot be read."),
    404: OpenApiResponse(Problem, description="The photo named by image_id is not there."),
    413: OpenApiResponse(Problem, description="The picture is over a limit."),
    415: OpenApiResponse(Problem, description="The body is of a type that is not read."),
    429: OpenApiResponse(Problem, description="Too many requests; see Retry-After."),
    503: OpenApiResponse(Problem, description="Search does not answer now; see Retry-After."),
}
