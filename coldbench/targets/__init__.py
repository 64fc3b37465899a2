"""URL schemes beside http(s): what they mean, and what has to be started for them."""
