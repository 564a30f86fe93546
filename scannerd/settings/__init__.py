"""The typed configuration as a file, as text, as a form, and what changes when it does."""
