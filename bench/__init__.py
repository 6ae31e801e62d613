"""``python -m bench``: what the application costs beside the bare libraries that it stands on."""
