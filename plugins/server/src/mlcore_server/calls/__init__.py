"""What answers the endpoints: one module per group of the table."""
