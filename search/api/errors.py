def exception_handler(exc, context):
    raise exc
