"""The work on one project: compile and prove, or recordings to proof."""
