"""A web process loads models and indices ahead of the searches that need them, also before a promotion."""

import logging

from django.conf import settings
from django.db import DatabaseError, connection
from django.urls import get_resolver
from PIL import Image

from search.encoders import EncoderError, encoder_for, get_encoder
from search.encoders.base import Encoder
from search.encoders.slot import EncoderBusy, encode_one
from search.engines import get_engine
from search.engines.base import EngineError
from search.models import Generation
from search.text_to_picture import reading as words

logger = logging.getLogger(__name__)

State = Generation.State


class Warming:
    """What this process has loaded. ``look`` loads what has become needed since it was last called."""

    def __init__(self) -> None:
        self._started = False
        self._encoders: set[str] = set()  # identities
        self._indices: set[int] = set()  # generations
        self._failed: set[str] = set()  # what was warned of

    def look(self) -> None:
        """Load for the live generation, and for those that may soon be live. Whatever fails is left to be told to
        whoever searches, and tried again."""
        try:
            if not self._started:
                _ = get_resolver().url_patterns  # imports all views
                self._started = True
            states = (State.LIVE, State.READY, State.BUILDING)
            soon = Generation.objects.filter(state__in=states).reachable()
            generations = sorted(soon.defer("projection_data", "scale_data"), key=lambda one: states.index(one.state))
            if not generations:
                self._load_encoder(get_encoder(settings.SEARCH_ENCODER))
            for generation in generations:
                self._load(generation)
        except (DatabaseError, EncoderError) as error:
            self._warn(str(error))
        finally:
            connection.close()

    def _load(self, generation: Generation) -> None:
        try:
            self._load_encoder(encoder_for(generation.encoder))
            if generation.state != State.BUILDING and generation.pk not in self._indices:
                _ = generation.projection, generation.scale  # kept by the process
                get_engine(generation.engine).warm(generation.spec)
                self._indices.add(generation.pk)
            if generation.state == State.LIVE:
                words.warm(generation)
        except EncoderBusy:
            pass  # somebody is using the text tower, which loads it as well
        except (EngineError, EncoderError, LookupError) as error:
            self._warn(f"{generation}: {error}")

    def _load_encoder(self, encoder: Encoder) -> None:
        if encoder.identity in self._encoders:
            return
        try:
            encoder.load()
            # Loading is half of it: the first pictures through a model are slow, too.
            encode_one(encoder, Image.linear_gradient("L").convert("RGB"))
        except EncoderBusy:
            return  # somebody is using it, which loads it as well
        self._encoders.add(encoder.identity)

    def _warn(self, message: str) -> None:
        if message not in self._failed:
            logger.warning("Not loaded ahead of the first search: %s", message)
            self._failed.add(message)
