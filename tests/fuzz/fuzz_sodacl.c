/* libFuzzer target: any bytes as a check file. It compiles whole or is refused with the file's name and leaves nothing.
 * The corpus (tests/fuzz/corpus/sodacl) is replayed by tests/unit/quality/test_fuzz_sodacl.c in every test run. */
#include <stdlib.h>

#include "quality/quality.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nx_quality *q = nx_quality_new();
    nx_err err;
    must(q != NULL);
    nx_status st = nx_quality_add(q, "fuzz.yml", (nx_str){(const char *)data, size}, &err);
    must(st == NX_OK || ((st == NX_INVALID || st == NX_UNSUPPORTED) && strstr(err.text, "fuzz.yml") != NULL));
    size_t n;
    (void)nx_quality_tables(q, &n);
    must(st == NX_OK || (n == 0 && nx_quality_count(q) == 0));
    nx_quality_free(q);
    return 0;
}
