"""`python -m offload.engines`: the same as `offload reconstruct`."""

from offload.engines.cli import reconstruct_app

if __name__ == "__main__":
    reconstruct_app()
