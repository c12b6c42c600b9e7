"""What is kept from one picture to the next, so that a tick costs what has changed and not what there is.

The one place of the rules that remembers. An answer is kept by the identity of what it was made from: the store hands out the
very same map until something in it changes, and nothing in a map that was handed out ever does. So a kept answer is the one that
would be given afresh, whatever the order in which pictures are shown, and no rule has to know. For one thread: that of the ticks.
"""

from __future__ import annotations

from cockpit.rules.kept.chosen import Chosen
from cockpit.rules.kept.fleet import Fleet
from cockpit.rules.kept.forgetting import forget
from cockpit.rules.kept.nodes import Nodes
from cockpit.rules.kept.picture import fleet, nodes_in, of_deployments
from cockpit.rules.kept.recent import Recent
from cockpit.rules.kept.remembered import Remembered

__all__ = ["Chosen", "Fleet", "Nodes", "Recent", "Remembered", "fleet", "forget", "nodes_in", "of_deployments"]
