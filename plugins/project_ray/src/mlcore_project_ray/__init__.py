"""Ray clusters as a place where mlcore runs projects."""
