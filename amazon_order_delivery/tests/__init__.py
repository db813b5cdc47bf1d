from . import repository

if repository.IS_HERE:
    from . import test_evidence
    from . import test_ship
else:
    from . import repository as test_repository
