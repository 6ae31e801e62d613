"""The demonstration catalogue: a sticker shop whose pictures and names come from two packages of the front end."""
