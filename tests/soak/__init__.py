"""The load of a day, in minutes: users at random, and faults now and then."""
