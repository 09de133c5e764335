/* Whether one pattern is stricter than another: a walk over both automata at once. */
#include <stdlib.h>

#include "contract/evolution_int.h"

/* Pairs of states, each visited once. False when from a pair on a accepts where b does not. */
static bool walk(const nx_pattern *a, const nx_pattern *b, bool *seen, uint32_t *todo)
{
    size_t n = 0;
    todo[n++] = 0;
    seen[0] = true;
    while (n > 0) {
        uint32_t at = todo[--n];
        size_t i = at / b->n_states, k = at % b->n_states;
        if (a->accept[i * a->n_classes] != 0 && b->accept[k * b->n_classes] == 0)
            return false;
        for (unsigned byte = 0; byte < 256; byte++) {
            size_t to_a = a->next[i * a->n_classes + a->classes[byte]] / a->n_classes;
            size_t to_b = b->next[k * b->n_classes + b->classes[byte]] / b->n_classes;
            size_t to = to_a * b->n_states + to_b;
            if (seen[to])
                continue;
            seen[to] = true;
            todo[n++] = (uint32_t)to;
        }
    }
    return true;
}

bool nx__pattern_within(const nx_pattern *a, const nx_pattern *b)
{
    size_t pairs = (size_t)a->n_states * b->n_states; /* at most 1,000 states each */
    bool *seen = calloc(pairs, sizeof *seen);
    uint32_t *todo = calloc(pairs, sizeof *todo);
    bool within = seen != NULL && todo != NULL && walk(a, b, seen, todo);
    free(seen);
    free(todo);
    return within;
}
