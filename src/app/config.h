/* app/config.h
 *
 * nexus.yml: every key has a type, a default, a range and a line of help (config_keys.c); an unknown key is an error that suggests the near
 * one. Order of say: default, file, environment NEXUS_A__B, --set. Values may hold secret references (io/secret.h), resolved when read.
 * Memory   The set owns all texts.  Thread   Immutable after loading.
 */
#ifndef NX_APP_CONFIG_H
#define NX_APP_CONFIG_H

#include "app/cli.h"
#include "data/value.h"

typedef enum nx_conf_type {
    NX_CONF_STR,
    NX_CONF_INT,
    NX_CONF_BOOL,
    NX_CONF_DURATION, /* 10s, 15m, 48h, 250ms, 7d; kept in ms */
    NX_CONF_LIST,     /* of texts */
    NX_CONF_ADDRESS,  /* host:port */
    NX_CONF_TREE      /* any YAML (pipeline) */
} nx_conf_type;

typedef struct nx_conf_key {
    const char *name; /* "lake.flush.max_rows" */
    nx_conf_type type;
    bool nullable;
    const char *dflt; /* as YAML text; NULL: null */
    int64_t min, max; /* INT: the value; DURATION: ms */
    const char *help;
} nx_conf_key;

extern const nx_conf_key nx_conf_keys[]; /* ends with name == NULL */

typedef struct nx_config nx_config;
/* file may be NULL (defaults, environment and sets only). */
NX_MUST_USE nx_status nx_config_load(const char *file, const char *const *sets, size_t n_sets, nx_config **ret,
                                     nx_err *err);
void nx_config_drop(nx_config *c);
/* Asking for a key that is not in the table, or as another type, is a defect (assert). Null texts give NULL. */
const char *nx_config_str(const nx_config *c, const char *key);
int64_t nx_config_i64(const nx_config *c, const char *key); /* INT; DURATION in ms */
/* NULL-terminated. */
const char *const *nx_config_list(const nx_config *c, const char *key);
/* A text with its secret references resolved, malloc'ed; NULL in *ret when the key is null. The error names the key, never the value. */
NX_MUST_USE nx_status nx_config_secret(const nx_config *c, const char *key, char **ret, nx_err *err);
/* The text of a new nexus.yml: every key commented out, with its default and its help (cmd_init.c). */
NX_MUST_USE nx_status nx_config_template(nx_buf *b);
void nx_config_help(void); /* stdout: every key, its default and its help */
/* The same as one JSON object: {"keys":[{name, type, default, nullable, min, max, help}]}. */
NX_MUST_USE nx_status nx_config_help_json(nx_err *err);

#endif
