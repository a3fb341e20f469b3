"""Pages about one patient: what they want, what they allowed, who speaks for them."""
