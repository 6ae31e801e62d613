"""How good the ranking is on a shop's own products, and how sure that is: task by task, generation by generation.

Everything is asked of the engine as shoppers ask it; ``docs/quality.md`` says what each figure means.
"""

from search.quality.results import FIRST_ROW, NotMeasured
from search.quality.runs import measure
from search.quality.same_category import DEPTH, MOST_QUERIES, CategoryQuality, category_quality

__all__ = ["DEPTH", "FIRST_ROW", "MOST_QUERIES", "CategoryQuality", "NotMeasured", "category_quality", "measure"]
