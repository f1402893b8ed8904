"""Guards who do not exist, on rounds that do: they walk, look, cheat and lose their network over the real HTTP interface."""
