from . import repository

if repository.IS_HERE:
    from .account import *
    from .action import *
    from .approval import *
    from .base import *
    from .control import *
    from .conversation import *
    from .document import *
    from .evidence import *
    from .journal import *
    from .kinds import *
    from .order import *
    from .sale import *
    from .sample import *
    from .sending import *
    from .tours import *
else:
    from . import repository as test_repository
