"""Tables in files, some rows at a time, within bounds whatever the file holds."""
