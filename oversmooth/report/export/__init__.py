"""Results as files: ``tables`` makes long tables of the numbers, ``folder`` writes them beside settings and record."""
