"""How a sweep stands and how long it will take, in numbers, in a file and on a terminal."""
