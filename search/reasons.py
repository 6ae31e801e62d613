"""Why searching and classification changed something, for the history, and why generations were built; see
``gallery.reasons``."""

from django.utils.translation import gettext_noop

from gallery.reasons import known

CATEGORY_ACCEPTED = known(gettext_noop("A suggested category was accepted."))
TAGS_ACCEPTED = known(gettext_noop("Suggested tags were accepted."))
UNSAFE = known(gettext_noop("It may not be safe to look at."))
ASKED_FOR = known(gettext_noop("Asked for by %(user)s."))
# The longest first: the last fits the others, too.
FOLLOWS_WHEN_PROMOTED = known(
    gettext_noop("Follows %(encoder)s. It is not tuned, and the live one is: promote it when you like, and tune anew.")
)
FOLLOWS_UNTUNED = known(gettext_noop("Follows %(encoder)s. It is not tuned, as the one before was: tune anew."))
FOLLOWS = known(gettext_noop("Follows %(encoder)s."))
