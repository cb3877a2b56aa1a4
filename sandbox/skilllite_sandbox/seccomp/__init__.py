"""System call filters: an assembler, the numbers, and the profiles that use them."""
