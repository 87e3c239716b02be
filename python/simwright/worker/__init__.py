"""Worker process of a store: runs the models and scripts of one framework on one device."""
