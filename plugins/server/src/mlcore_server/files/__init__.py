"""Files on their way through the server: which place is meant, how they come in and go out."""
