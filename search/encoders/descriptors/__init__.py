"""Parts that need no training: how a picture's subject is coloured, woven and shaped."""
