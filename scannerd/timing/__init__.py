"""Where the time of a scan went, from its journal: figures for a table, and a chart."""
