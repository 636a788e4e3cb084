"""Forward passes and input gradients of one model on the fastest engine that gives its numbers."""
