from . import test_teams
