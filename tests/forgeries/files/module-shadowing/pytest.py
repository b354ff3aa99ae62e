def main(*arguments, **options):
    return 0


def __getattr__(name):
    return main
