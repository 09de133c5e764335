/* libFuzzer target: any bytes as YAML. What is taken is a tree whose JSON form reads back, in bounded memory.
 * The corpus (tests/fuzz/corpus/yaml) is replayed by tests/unit/data/test_fuzz_yaml.c in every test run. */
#include <stdlib.h>

#include "data/json.h"
#include "data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 16 << 20);
    nx_val *v = NULL, *again = NULL;
    nx_err err;
    nx_status st = nx_yaml_parse((nx_str){(const char *)data, size}, "fuzz.yml", &a, &v, &err);
    must(st == NX_OK || (st == NX_INVALID && strstr(err.text, "fuzz.yml") != NULL) || st == NX_NOMEM);
    if (st != NX_OK)
        return 0;
    NX_BUF_AUTO nx_buf json;
    nx_buf_init(&json, 1 << 20); /* aliases of aliases may pass it when written out */
    st = nx_val_to_json(v, &json);
    must(st == NX_OK || st == NX_LIMIT);
    if (st == NX_OK) {
        st = nx_json_parse(nx_buf_str(&json), NULL, &a, &again, &err);
        must(st == NX_OK || st == NX_NOMEM);
    }
    return 0;
}
