"""Events over a web socket: what changes is sent to those of its owner's clients that listen."""
