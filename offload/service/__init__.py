"""The HTTP side: takes blobs and bundles in, tells how jobs fare, hands results out."""
