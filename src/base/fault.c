#include "base/fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

static const char *const names[] = {
#define X(f) #f,
    NX_FAULTS_LIST(X)
#undef X
};

const char *nx_fault_name(nx_fault f)
{
    return (unsigned)f < NX_COUNT_OF(names) ? names[f] : "?";
}

#ifdef NX_FAULTS

enum { ACTION_KILL = NX_FAULT_SHORT + 1 };

static struct {
    pthread_once_t once;
    int point; /* NX_FAULT_COUNT when nothing is armed */
    int action;
    int64_t left; /* passages to let through; below 0 the point has fired */
    bool misspelt;
} armed = {.once = PTHREAD_ONCE_INIT, .point = NX_FAULT_COUNT};

static bool parse(nx_str spec)
{
    nx_str point, skip = NX_STR("0"), action = NX_STR("error");
    nx_str_split(&spec, ':', &point);
    nx_str_split(&spec, ':', &skip);
    nx_str_split(&spec, ':', &action);
    static const char *const actions[] = {
        [NX_FAULT_ERROR] = "error", [NX_FAULT_SHORT] = "short", [ACTION_KILL] = "kill"};
    int p = 0, act = NX_FAULT_ERROR;
    int64_t left;
    while (p < NX_FAULT_COUNT && !nx_str_is(point, names[p]))
        p++;
    while (act <= ACTION_KILL && !nx_str_is(action, actions[act]))
        act++;
    if (p == NX_FAULT_COUNT || act > ACTION_KILL || spec.p != NULL || !nx_str_to_i64(skip, &left) || left < 0)
        return false;
    armed.action = act;
    __atomic_store_n(&armed.left, left, __ATOMIC_SEQ_CST);
    __atomic_store_n(&armed.point, p, __ATOMIC_SEQ_CST);
    return true;
}

static void read_environment(void)
{
    const char *spec = getenv("NEXUS_FAULT");
    if (spec == NULL || spec[0] == '\0' || parse(nx_str_of(spec)))
        return;
    fprintf(stderr, "NEXUS_FAULT=%s is not point[:skip[:error|short|kill]] with a point of base/fault.h\n", spec);
    armed.misspelt = true;
}

static void arm_from_environment(void)
{
    pthread_once(&armed.once, read_environment);
    if (armed.misspelt) /* a test must not pass for want of its fault */
        _exit(2);
}

bool nx_fault_arm(const char *spec)
{
    arm_from_environment();
    __atomic_store_n(&armed.point, NX_FAULT_COUNT, __ATOMIC_SEQ_CST);
    return spec == NULL || parse(nx_str_of(spec));
}

nx_fault_action nx_fault_hit(nx_fault f)
{
    arm_from_environment();
    if (__atomic_load_n(&armed.point, __ATOMIC_SEQ_CST) != (int)f)
        return NX_FAULT_NONE;
    if (__atomic_fetch_sub(&armed.left, 1, __ATOMIC_SEQ_CST) != 0)
        return NX_FAULT_NONE;
    if (armed.action == ACTION_KILL)
        kill(getpid(), SIGKILL);
    return (nx_fault_action)armed.action;
}

#endif
