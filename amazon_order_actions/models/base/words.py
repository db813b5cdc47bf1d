def translated(env, term):
    """Return a term of a table in the language of the environment.

    :param env: whose user reads it
    :param term: a lazy translation, written down as a literal where it is exported
    :rtype: str
    """
    # pylint: disable=unknown-option-value,gettext-variable
    return env._(term)
