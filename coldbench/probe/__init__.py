"""The httpx world: one traced invocation, and the experiments made of them."""
