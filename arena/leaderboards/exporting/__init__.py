"""What leaves an arena: votes as files, the served log, and bundles from which a board can be rebuilt."""
