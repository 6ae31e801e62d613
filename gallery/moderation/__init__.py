"""The moderation queue: its states, what is offered next, and what a moderator is shown of one photo."""

from gallery.moderation.offer import offered
from gallery.moderation.showing import Shown, shown
from gallery.moderation.states import State, counts

__all__ = ["Shown", "State", "counts", "offered", "shown"]
