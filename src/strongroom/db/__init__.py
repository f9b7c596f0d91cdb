"""What is remembered: Django models, constraints and `visible_to(actor)` query sets."""
