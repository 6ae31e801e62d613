"""Pages that suggest categories and tags, and doubt labels."""
