def expect(*arguments, **options):
    pass


fail = expect


def check(*arguments, **options):
    return lambda function: expect
