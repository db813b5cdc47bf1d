from . import repository

if repository.IS_HERE:
    from .account import *
    from .control import *
    from .conversation import *
    from .journal import *
    from .kinds import *
    from .sale import *
    from .sample import *
    from .sending import *
else:
    from . import repository as test_repository
