"""The life of generations: built beside the live one, promoted in one commit, kept to go back to, dropped."""

from search.generations.building import BuildPlan, build, create_generation, place_missing, plan, twin
from search.generations.errors import GenerationError
from search.generations.fitting import calibrate, prepare
from search.generations.life import cancel, drop, pause, promote, resume, rollback
from search.generations.upkeep import (
    drop_leftovers,
    drop_superseded,
    ensure_first,
    finish_building,
    fit_the_next,
    follow_the_encoder,
    follow_the_engine,
    replace_lost,
)

__all__ = [
    "BuildPlan",
    "GenerationError",
    "build",
    "calibrate",
    "cancel",
    "create_generation",
    "drop",
    "drop_leftovers",
    "drop_superseded",
    "ensure_first",
    "finish_building",
    "fit_the_next",
    "follow_the_encoder",
    "follow_the_engine",
    "pause",
    "place_missing",
    "plan",
    "prepare",
    "promote",
    "replace_lost",
    "resume",
    "rollback",
    "twin",
]
