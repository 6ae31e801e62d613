"""Receivers: of the gallery's signals, of deleted query photos (their files go, too), and of people who sign in."""

from uuid import UUID

from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete

from gallery.exporting.documents import adds_to_documents
from gallery.models import User
from gallery.signals import images_changed, images_merged, products_merged, vector_offered
from gallery.storage import delete_after_commit
from search.carrying import fields_of_images, take_vector
from search.classification.accepting import confirmed_labels_follow
from search.duplicates.deciding import images_merged_received, products_merged_received
from search.indexing.changes import record_changes
from search.models import QueryPhoto
from search.people.history import forget_session
from search.photos import hand_over
from search.quality.judging import judgements_follow


def images_changed_received(sender, keys: list[UUID], **kwargs) -> None:
    record_changes(keys)


def query_photo_deleted(sender, instance: QueryPhoto, **kwargs) -> None:
    delete_after_commit(instance.file)


def signed_in(sender, request, user: User, **kwargs) -> None:
    forget_session(request)
    hand_over(request, user)


def connect() -> None:
    vector_offered.connect(take_vector, dispatch_uid="search.vector_offered")
    adds_to_documents(fields_of_images)
    images_changed.connect(images_changed_received, dispatch_uid="search.images_changed")
    images_merged.connect(images_merged_received, dispatch_uid="search.images_merged")
    images_merged.connect(judgements_follow, dispatch_uid="search.judgements_follow")
    products_merged.connect(products_merged_received, dispatch_uid="search.products_merged")
    products_merged.connect(confirmed_labels_follow, dispatch_uid="search.confirmed_labels_follow")
    post_delete.connect(query_photo_deleted, sender=QueryPhoto, dispatch_uid="search.query_photo_deleted")
    user_logged_in.connect(signed_in, dispatch_uid="search.signed_in")
