"""Why searching and classification changed something, for the history; see ``gallery.reasons``."""

from django.utils.translation import gettext_noop

from gallery.reasons import known

CATEGORY_ACCEPTED = known(gettext_noop("A suggested category was accepted."))
TAGS_ACCEPTED = known(gettext_noop("Suggested tags were accepted."))
UNSAFE = known(gettext_noop("It may not be safe to look at."))
ASKED_FOR = known(gettext_noop("Asked for by %(user)s."))
