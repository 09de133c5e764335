/* data/yaml.h - YAML (1.2 core schema, one document) into the same tree as JSON; the only file that touches libfyaml.
 * Anchors and merge keys are resolved, duplicate keys refused, aliases may not expand past the arena.
 * Plain scalars: null/~/empty, true/false, JSON-like numbers; everything else, and all quoted ones, are strings. */
#ifndef NX_DATA_YAML_H
#define NX_DATA_YAML_H

#include "data/value.h"

/* name: shown in errors ("nexus.yml"). NX_INVALID names line and column. */
NX_MUST_USE nx_status nx_yaml_parse(nx_str text, const char *name, nx_arena *a, nx_val **ret, nx_err *err);

#endif
