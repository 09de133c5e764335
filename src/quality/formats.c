/* Soda's named formats of text as regular expressions, anchored at both ends. */
#include "quality/quality_int.h"

#define NUMBER_POINT "(\\d{1,3}(,?\\d{3})*|\\d+)(\\.\\d+)?"
#define NUMBER_COMMA "(\\d{1,3}(\\.?\\d{3})*|\\d+)(,\\d+)?"

static const struct {
    const char *name, *regex;
} formats[] = {
    {"integer", "^ *[-+]? *\\d+ *$"},
    {"positive integer", "^ *\\+? *\\d+ *$"},
    {"negative integer", "^ *(- *\\d+|0+) *$"},
    {"decimal", "^ *[-+]? *(\\d+([.,]\\d+)?|[.,]\\d+) *$"},
    {"positive decimal", "^ *\\+? *(\\d+([.,]\\d+)?|[.,]\\d+) *$"},
    {"negative decimal", "^ *- *(\\d+([.,]\\d+)?|[.,]\\d+) *$"},
    {"decimal point", "^ *[-+]? *" NUMBER_POINT " *$"},
    {"decimal comma", "^ *[-+]? *" NUMBER_COMMA " *$"},
    {"percentage", "^ *[-+]? *(\\d+([.,]\\d+)?|[.,]\\d+) *% *$"},
    {"percentage point", "^ *[-+]? *" NUMBER_POINT " *% *$"},
    {"percentage comma", "^ *[-+]? *" NUMBER_COMMA " *% *$"},
    {"date us", "^ *(0?[1-9]|1[0-2])[-./](0?[1-9]|[12]\\d|3[01])[-./](\\d{4}|\\d{2}) *$"},
    {"date eu", "^ *(0?[1-9]|[12]\\d|3[01])[-./](0?[1-9]|1[0-2])[-./](\\d{4}|\\d{2}) *$"},
    {"date inverse", "^ *(\\d{4}|\\d{2})[-./](0?[1-9]|1[0-2])[-./](0?[1-9]|[12]\\d|3[01]) *$"},
    {"date iso 8601",
     "^ *\\d{4}-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\\d|3[01])([T ]([01]\\d|2[0-3]):?[0-5]\\d(:?[0-5]\\d([.,]\\d+)?)?"
     "(Z|[-+]([01]\\d|2[0-3]):?([0-5]\\d)?)?)? *$"},
    {"time 24h", "^ *([01]?\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)? *$"},
    {"time 24h nosec", "^ *([01]?\\d|2[0-3]):[0-5]\\d *$"},
    {"time 12h", "^ *(0?[1-9]|1[0-2]):[0-5]\\d(:[0-5]\\d)? *[AaPp][Mm] *$"},
    {"time 12h nosec", "^ *(0?[1-9]|1[0-2]):[0-5]\\d *[AaPp][Mm] *$"},
    {"timestamp 24h", "^ *\\d{1,4}[-./]\\d{1,2}[-./]\\d{1,4} +([01]?\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)? *$"},
    {"timestamp 12h", "^ *\\d{1,4}[-./]\\d{1,2}[-./]\\d{1,4} +(0?[1-9]|1[0-2]):[0-5]\\d(:[0-5]\\d)? *[AaPp][Mm] *$"},
    {"uuid", "^ *[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12} *$"},
    {"ip address", "^ *\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3} *$"},
    {"ipv4 address", "^ *\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3} *$"},
    {"email", "^ *[A-Za-z0-9.#&%+_-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,4} *$"},
};

const char *nx__quality_format_regex(nx_str name)
{
    for (size_t i = 0; i < NX_COUNT_OF(formats); i++)
        if (nx_str_is(name, formats[i].name))
            return formats[i].regex;
    return NULL;
}
