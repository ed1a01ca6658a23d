"""The throw-away lab behind samples/make: real servers, benign visitors and attackers, all on loopback."""
