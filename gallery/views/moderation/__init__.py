"""Pages for moderators: the queue, decisions, reports, and the audit."""
