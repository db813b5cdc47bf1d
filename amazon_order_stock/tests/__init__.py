from . import repository

if repository.IS_HERE:
    from . import test_approval
    from . import test_cancel_warehouse
    from . import test_tours_cancel
else:
    from . import repository as test_repository
