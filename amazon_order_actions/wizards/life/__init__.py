from . import life_decision
