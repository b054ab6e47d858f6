"""From a solution of the relaxation to the weights of a network (paper, section 4.2)."""
