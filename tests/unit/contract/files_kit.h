/* Contract files in a folder of their own, made from one small contract by changing pieces of its text. */
#ifndef FILES_KIT_H
#define FILES_KIT_H

#include "contract_kit.h"

#include <unistd.h>

#include "base/file.h"

static const char minimal[] =
    "apiVersion: v3.1.0\n"                                          /* 1 */
    "kind: DataContract\n"                                          /* 2 */
    "id: x\n"                                                       /* 3 */
    "name: ticks\n"                                                 /* 4 */
    "version: 1.2.0\n"                                              /* 5 */
    "status: active\n"                                              /* 6 */
    "schema:\n"                                                     /* 7 */
    "  - name: ticks\n"                                             /* 8 */
    "    physicalName: bronze.ticks\n"                              /* 9 */
    "    description: Ticks.\n"                                     /* 10 */
    "    customProperties:\n"                                       /* 11 */
    "      - {property: folder, value: bronze/ticks}\n"             /* 12 */
    "      - {property: feeds, value: [{feed: f, when: {k: a}}]}\n" /* 13 */
    "      - {property: knownAt, value: {column: ts}}\n"            /* 14 */
    "    properties:\n"                                             /* 15 */
    "      - {name: sym, logicalType: string, physicalType: string, required: true, description: S., customProperties: [{property: wire, value: s}]}\n" /* 16 */
    "      - {name: ts, logicalType: timestamp, physicalType: timestamp, required: true, description: T., customProperties: [{property: wire, value: t}]}\n" /* 17 */
    "      - {name: day, logicalType: date, physicalType: date, required: true, description: D., partitioned: true, customProperties: [{property: derive, value: date(ts)}]}\n"; /* 18 */

typedef struct folder {
    char path[64];
} folder;

static inline int make_folder(void **state)
{
    folder *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    strncpy(f->path, "/tmp/nexus-contract-XXXXXX", sizeof f->path - 1);
    *state = f;
    return mkdtemp(f->path) == NULL ? -1 : 0;
}

static inline int remove_folder(void **state)
{
    folder *f = *state;
    nx_status st = nx_dir_remove(f->path, NULL);
    free(f);
    return st == NX_OK ? 0 : -1;
}

static inline void write_file(const folder *f, const char *name, nx_str text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    assert_int_equal(nx_file_replace(path, text, NULL), NX_OK);
}

/* minimal with one piece of text replaced. */
static inline void write_changed(const folder *f, const char *name, const char *from, const char *to)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    const char *at = from[0] == '\0' ? minimal + strlen(minimal) : strstr(minimal, from);
    assert_non_null(at);
    assert_int_equal(nx_buf_add(&b, (nx_str){minimal, (size_t)(at - minimal)}), NX_OK);
    assert_int_equal(nx_buf_adds(&b, to), NX_OK);
    assert_int_equal(nx_buf_adds(&b, at + strlen(from)), NX_OK);
    write_file(f, name, nx_buf_str(&b));
}

#endif
