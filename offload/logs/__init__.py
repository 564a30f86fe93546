"""Log lines that say in fields what they are about; every process of the project writes them the same way."""
