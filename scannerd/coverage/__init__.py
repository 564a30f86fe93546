"""How much of the object its photos show, told while the object still stands on the table."""
