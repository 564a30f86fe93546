"""How the tables came to be, one step a file; `offload.depot.migration` runs what a database still lacks."""
