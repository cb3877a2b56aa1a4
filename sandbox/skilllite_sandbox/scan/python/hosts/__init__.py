"""What Python's own names mean: modules, builtins, and the objects that their calls return."""

from __future__ import annotations

from skilllite_sandbox.scan.python.hosts.builtins import reduces as reduces
from skilllite_sandbox.scan.python.hosts.calls import call as call
from skilllite_sandbox.scan.python.hosts.calls import takes_callback as takes_callback
from skilllite_sandbox.scan.python.hosts.conditions import behind as behind
from skilllite_sandbox.scan.python.hosts.conditions import compare as compare
from skilllite_sandbox.scan.python.hosts.conditions import grows as grows
from skilllite_sandbox.scan.python.hosts.conditions import is_endless as is_endless
from skilllite_sandbox.scan.python.hosts.conditions import marks as marks
from skilllite_sandbox.scan.python.hosts.loading import made as made
from skilllite_sandbox.scan.python.hosts.names import attribute as attribute
from skilllite_sandbox.scan.python.hosts.names import element as element
from skilllite_sandbox.scan.python.hosts.names import imported as imported
from skilllite_sandbox.scan.python.hosts.names import is_dangerous as is_dangerous
from skilllite_sandbox.scan.python.hosts.names import item as item
from skilllite_sandbox.scan.python.hosts.names import one_entry as one_entry
from skilllite_sandbox.scan.python.hosts.names import operate as operate
from skilllite_sandbox.scan.python.hosts.names import set_attribute as set_attribute
from skilllite_sandbox.scan.python.hosts.names import set_item as set_item
from skilllite_sandbox.scan.python.hosts.names import special as special
from skilllite_sandbox.scan.python.hosts.names import star_import as star_import
from skilllite_sandbox.scan.python.hosts.names import whole as whole
