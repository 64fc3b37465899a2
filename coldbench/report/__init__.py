"""The faces of a Run: what people and programs see of it."""
