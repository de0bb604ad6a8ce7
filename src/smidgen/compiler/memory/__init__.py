"""Where every tensor lies: storage shared by views, lifetimes, and the arena planner."""
