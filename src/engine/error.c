/* engine/error.c - DuckDB's error classes as statuses. The number decides, not the text, which changes with versions. */
#include "engine/engine_int.h"

static nx_status status_of(duckdb_error_type type)
{
    switch (type) {
    case DUCKDB_ERROR_OUT_OF_RANGE:
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_DECIMAL:
    case DUCKDB_ERROR_MISMATCH_TYPE:
    case DUCKDB_ERROR_DIVIDE_BY_ZERO:
    case DUCKDB_ERROR_CONSTRAINT:
        return NX_CHECK_FAILED;
    case DUCKDB_ERROR_NOT_IMPLEMENTED:
    case DUCKDB_ERROR_MISSING_EXTENSION:
    case DUCKDB_ERROR_AUTOLOAD:
        return NX_UNSUPPORTED;
    case DUCKDB_ERROR_TRANSACTION:
        return NX_CONFLICT;
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_HTTP:
        return NX_IO;
    case DUCKDB_ERROR_INTERRUPT:
        return NX_CANCELLED;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
        return NX_NOMEM;
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
        return NX_INTERNAL;
    default:
        return NX_INVALID;
    }
}

duckdb_error_type nx__class_of(const char *message)
{
    static const struct {
        const char *prefix;
        duckdb_error_type type;
    } classes[] = {
        {"IO Error", DUCKDB_ERROR_IO},
        {"Not implemented Error", DUCKDB_ERROR_NOT_IMPLEMENTED},
        {"Out of Memory Error", DUCKDB_ERROR_OUT_OF_MEMORY},
        {"Missing Extension Error", DUCKDB_ERROR_MISSING_EXTENSION},
        {"FATAL Error", DUCKDB_ERROR_FATAL},
        {"INTERNAL Error", DUCKDB_ERROR_INTERNAL},
        {"Conversion Error", DUCKDB_ERROR_CONVERSION},
    };
    for (size_t i = 0; message != NULL && i < NX_COUNT_OF(classes); i++)
        if (nx_str_starts(nx_str_of(message), nx_str_of(classes[i].prefix)))
            return classes[i].type;
    return DUCKDB_ERROR_BINDER;
}

/* "Catalog Error: Table … does not exist!" → the part behind the class. */
static nx_str without_class(nx_str line)
{
    size_t at = nx_str_find(line, NX_STR(" Error: "), 0);
    if (at == SIZE_MAX || at > 40)
        return line;
    return nx_str_sub(line, at + sizeof " Error: " - 1, line.n);
}

static void add_hint(nx_err *err, duckdb_error_type type, nx_str second)
{
    if (type == DUCKDB_ERROR_FATAL || type == DUCKDB_ERROR_INTERNAL)
        nx_err_hint(err, NX_INTERNAL, "restart the program: the SQL engine's state cannot be trusted after this error");
    else if (type == DUCKDB_ERROR_OUT_OF_MEMORY)
        nx_err_hint(err, NX_NOMEM,
                    "raise the memory limit, give a folder for temporary files, or work on less at once");
    else if (type == DUCKDB_ERROR_AUTOLOAD || type == DUCKDB_ERROR_MISSING_EXTENSION)
        nx_err_hint(err, NX_UNSUPPORTED,
                    "extensions are switched off: read through the tables of the lake or local files");
    else if ((nx_str_starts(second, NX_STR("Did you mean")) &&
              nx_str_find(second, NX_STR("pg_catalog."), 0) == SIZE_MAX) ||
             (nx_str_starts(second, NX_STR("Candidate")) && second.p[second.n - 1] != ':'))
        nx_err_hint(err, NX_INVALID, NX_STR_FMT, NX_STR_ARG(second));
}

nx_status nx__error(nx_session *s, duckdb_error_type type, const char *message, nx_err *err)
{
    if (s != NULL && s->resolve_err.status != NX_OK) {
        nx_err e = s->resolve_err;
        nx_err_clear(&s->resolve_err);
        if (err != NULL)
            *err = e;
        return e.status;
    }
    nx_str rest = nx_str_of(message == NULL ? "the SQL engine gave no reason" : message);
    nx_str line = {"", 0}, second = {"", 0};
    nx_str_split(&rest, '\n', &line);
    while (second.n == 0 && nx_str_split(&rest, '\n', &second))
        second = nx_str_trim(second);
    line = nx_str_trim(without_class(line));
    nx_status st = status_of(type);
    if (nx_str_starts(line, NX_STR(NX__ROW_CHECK))) {
        line = nx_str_sub(line, sizeof NX__ROW_CHECK - 1, line.n);
        st = NX_CHECK_FAILED;
    }
    nx_fail(err, st, NX_STR_FMT, NX_STR_ARG(line));
    add_hint(err, type, second);
    return st;
}
