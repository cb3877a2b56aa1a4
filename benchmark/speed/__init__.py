"""How fast and how small the sandbox is, beside bare Python and other sandboxes."""
