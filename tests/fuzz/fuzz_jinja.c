/* libFuzzer target: any bytes as a template, compiled, its macros called and rendered in both modes, in bounded memory and
 * steps. Every error must name the file. The corpus (tests/fuzz/corpus/jinja) is replayed by
 * tests/unit/transform/test_fuzz_jinja.c in every test run. */
#include <stdlib.h>

#include "transform/jinja.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void render(const nx_jinja *j, const nx_jtmpl *t, bool permissive)
{
    const nx_jrun_opts opts = {.permissive = permissive, .bytes_max = 1 << 20, .steps_max = 5000};
    nx_jrun *run = nx_jrun_new(j, &opts);
    nx_err err;
    nx_buf out;
    nx_buf_init(&out, 1 << 20);
    must(run != NULL);
    nx_status st = nx_jrun_render(run, t, &out, &err);
    must(st == NX_OK || st == NX_INVALID || st == NX_LIMIT || st == NX_UNSUPPORTED);
    must(st == NX_OK ? nx_utf8_valid(nx_buf_str(&out)) : strstr(err.text, "fuzz.sql:") != NULL);
    size_t n;
    const nx_jblock *blocks = nx_jtmpl_blocks(t, &n);
    for (size_t i = 0; i < n; i++) {
        nx_jval v, args[2] = {nx_jval_int(1), nx_jval_cstr("x")};
        if (nx_jinja_macro(j, NX_STR("shop"), blocks[i].call_name, &v)) {
            nx_jval callee = v;
            (void)!nx_jrun_call(run, &callee, &(nx_jargs){args, 2, NULL, 0}, &v, &err);
        }
    }
    nx_buf_drop(&out);
    nx_jrun_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nx_jinja *j = nx_jinja_new("shop");
    nx_jtmpl *t;
    nx_err err;
    must(j != NULL);
    nx_status st = nx_jinja_compile(j, "fuzz.sql", (nx_str){(const char *)data, size}, &t, &err);
    must(st == NX_OK || ((st == NX_INVALID || st == NX_UNSUPPORTED) && strstr(err.text, "fuzz.sql") != NULL));
    if (st == NX_OK) {
        (void)!nx_jinja_add_macros(j, "shop", t, &err);
        render(j, t, false);
        render(j, t, true);
    }
    nx_jinja_free(j);
    return 0;
}
