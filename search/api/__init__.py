"""The JSON API: the same path as the pages, with another renderer."""
