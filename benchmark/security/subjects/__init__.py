"""What is compared: SkillLite at its levels, bare interpreters as the control, other sandboxes."""
