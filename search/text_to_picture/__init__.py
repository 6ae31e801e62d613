"""What typed words look like: a direction in the space of a generation's pictures, without a model that was trained on
pairs of texts and pictures.

The words are compared with a vocabulary of names whose looks are known: the classes of the encoder's last layer, and
the catalogue's own categories, tags and titles. See docs/words.md.
"""
