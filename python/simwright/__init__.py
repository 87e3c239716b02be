"""Python side of Simwright: the workers that run ML models for its stores."""
