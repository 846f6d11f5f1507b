"""Local project backend of mlcore; the hooks are in `plugin`."""
