/* Runs a fuzz target without a fuzzer: over each file of its corpus, each beginning of it, and copies with a few bytes
 * changed by a seeded generator. Include after the target. Input lies at the end of a heap block of its own, so that
 * the address sanitizer sees a read past it. */
#ifndef NX_TESTS_FUZZ_REPLAY_H
#define NX_TESTS_FUZZ_REPLAY_H

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/rand.h"

typedef struct replay {
    const char *dir;
    size_t files;
} replay;

static void replay_bytes(const char *p, size_t n)
{
    uint8_t *copy = malloc(n == 0 ? 1 : n);
    if (copy == NULL)
        abort();
    if (n > 0)
        memcpy(copy, p, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static nx_status replay_file(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    enum { CHANGED_COPIES = 300, PREFIXES_MAX = 2000 };
    replay *r = ctx;
    char path[512];
    if (is_dir)
        return NX_OK;
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    NX_TRY(nx_file_read(path, &b, err));
    r->files++;
    for (size_t n = 0; n < b.n && n < PREFIXES_MAX; n++)
        replay_bytes(b.p, n);
    replay_bytes(b.p, b.n);
    nx_rand rand;
    nx_rand_seed(&rand, r->files);
    for (int i = 0; i < CHANGED_COPIES && b.n > 0; i++) {
        size_t at[3];
        char old[3];
        for (int k = 0; k < 3; k++) {
            at[k] = (size_t)nx_rand_below(&rand, b.n);
            old[k] = b.p[at[k]];
            /* a byte of the text itself keeps more of the grammar alive than a random one */
            b.p[at[k]] = nx_rand_below(&rand, 4) == 0 ? (char)nx_rand_u64(&rand) : b.p[nx_rand_below(&rand, b.n)];
        }
        replay_bytes(b.p, b.n);
        for (int k = 3; k-- > 0;)
            b.p[at[k]] = old[k];
    }
    return NX_OK;
}

/* Number of files replayed; the test decides how many there must be. */
static size_t replay_corpus(const char *dir)
{
    replay r = {dir, 0};
    nx_err err;
    if (nx_dir_list(dir, replay_file, &r, &err) != NX_OK)
        fprintf(stderr, "%s (run from the root of the tree)\n", err.text);
    return r.files;
}

#endif
