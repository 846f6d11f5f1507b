"""System metrics of mlcore: what the machine does while a run goes on."""
