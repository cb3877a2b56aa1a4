from .items import Item
from .prices import total

__all__ = ["Item", "total"]
