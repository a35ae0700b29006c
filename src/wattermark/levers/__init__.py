"""What turns a knob in the world: pause and resume a process, hold a job of a scheduler."""
