"""What of ours an address or an interface is: the instance behind it, at a time."""

from guardray.inventory.facts import FACTS, own_addresses, together
from guardray.inventory.files import read_inventory
from guardray.inventory.lookup import Inventory
from guardray.inventory.trail import facts_of

__all__ = ["FACTS", "Inventory", "facts_of", "own_addresses", "read_inventory", "together"]
