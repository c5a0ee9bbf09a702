"""SCIM 2.0 in plain Python: documents, paths, filters and PATCH, without Django or a database."""
