"""What the host's Linux kernel says and does about processes: /proc and control groups."""
