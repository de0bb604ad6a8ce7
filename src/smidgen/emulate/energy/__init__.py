"""Energy for one inference, and how long a battery lasts."""
