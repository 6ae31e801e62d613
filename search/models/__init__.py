from search.models.changes import Change, Placement
from search.models.classification import Classifier, LabelConfirmed, LabelDoubt, SuggestionSetting
from search.models.crowds import OutsideCrowd
from search.models.documents import EmbeddedDocument
from search.models.duplicates import DuplicateLook, DuplicatePair
from search.models.embeddings import Embedding, EncodedPicture, RegionEmbedding, SuggestedRegions
from search.models.generations import Generation
from search.models.history import ProductView, SavedSearch, SearchRecord
from search.models.looks import FoundFaces, SafetyScore
from search.models.quality import Judgement, QualityRun
from search.models.query_photos import QueryEmbedding, QueryPhoto
from search.models.tuning import Tuning
from search.models.vocabularies import PictureVocabulary

__all__ = [
    "Change",
    "Classifier",
    "DuplicateLook",
    "DuplicatePair",
    "EmbeddedDocument",
    "Embedding",
    "EncodedPicture",
    "FoundFaces",
    "Generation",
    "Judgement",
    "LabelConfirmed",
    "LabelDoubt",
    "OutsideCrowd",
    "PictureVocabulary",
    "Placement",
    "ProductView",
    "QualityRun",
    "QueryEmbedding",
    "QueryPhoto",
    "RegionEmbedding",
    "SafetyScore",
    "SavedSearch",
    "SearchRecord",
    "SuggestedRegions",
    "SuggestionSetting",
    "Tuning",
]
