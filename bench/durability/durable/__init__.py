"""Durability none, one and all in paired windows. Uses the parts of ../compare; standard library only."""
