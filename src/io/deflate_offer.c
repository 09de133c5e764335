/* Sec-WebSocket-Extensions: offers and answers of permessage-deflate (RFC 7692 section 7.1). */
#include <stdio.h>

#include "io/deflate.h"
#include "io/io_int.h"

/* "; name=value; name" of one extension, as far as RFC 7692 knows them. */
typedef struct wish {
    bool server_no_context, client_no_context, has_server_bits, has_client_bits;
    int server_bits, client_bits; /* 0: without a value */
} wish;

/* 8 to 15 without a leading zero, in quotes or not; 0 otherwise. */
static int window_bits(nx_str v)
{
    if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
        v = nx_str_sub(v, 1, v.n - 1);
    if (v.n == 1 && (v.p[0] == '8' || v.p[0] == '9'))
        return v.p[0] - '0';
    return v.n == 2 && v.p[0] == '1' && v.p[1] >= '0' && v.p[1] <= '5' ? 10 + (v.p[1] - '0') : 0;
}

/* A parameter that is there twice, is not known or has a value that it may not have makes the whole wish void. */
static bool take_param(wish *w, nx_str param)
{
    size_t eq = nx_str_find(param, NX_STR("="), 0);
    nx_str name = nx_str_trim(eq == SIZE_MAX ? param : nx_str_sub(param, 0, eq));
    nx_str value = eq == SIZE_MAX ? (nx_str){NULL, 0} : nx_str_trim(nx_str_sub(param, eq + 1, param.n));
    bool *flag = nx_str_eq_nocase(name, NX_STR("server_no_context_takeover"))   ? &w->server_no_context
                 : nx_str_eq_nocase(name, NX_STR("client_no_context_takeover")) ? &w->client_no_context
                 : nx_str_eq_nocase(name, NX_STR("server_max_window_bits"))     ? &w->has_server_bits
                 : nx_str_eq_nocase(name, NX_STR("client_max_window_bits"))     ? &w->has_client_bits
                                                                                : NULL;
    if (flag == NULL || *flag)
        return false;
    *flag = true;
    if (flag == &w->server_no_context || flag == &w->client_no_context)
        return value.p == NULL;
    int bits = value.p == NULL ? 0 : window_bits(value);
    if (flag == &w->has_server_bits)
        w->server_bits = bits;
    else
        w->client_bits = bits;
    return bits != 0 || value.p == NULL;
}

/* "permessage-deflate; a; b=10": false when it is another extension or void. */
static bool take_extension(nx_str text, wish *ret)
{
    nx_str part;
    *ret = (wish){0};
    if (!nx_str_split(&text, ';', &part) || !nx_str_eq_nocase(nx_str_trim(part), NX_STR("permessage-deflate")))
        return false;
    while (nx_str_split(&text, ';', &part))
        if (!take_param(ret, nx_str_trim(part)))
            return false;
    return true;
}

static bool take_offer(nx_str text, nx_deflate_params *ret, char answer[NX_DEFLATE_ANSWER_MAX])
{
    wish w;
    if (!take_extension(text, &w) || (w.has_server_bits && w.server_bits == 0))
        return false;
    *ret = (nx_deflate_params){.on = true,
                               .server_no_context = w.server_no_context,
                               .client_no_context = w.client_no_context,
                               .server_bits = w.has_server_bits ? w.server_bits : 15,
                               .client_bits = w.client_bits > 0 ? w.client_bits : 15};
    char server[40] = "", client[40] = "";
    if (w.has_server_bits)
        snprintf(server, sizeof server, "; server_max_window_bits=%d", w.server_bits);
    if (w.client_bits > 0)
        snprintf(client, sizeof client, "; client_max_window_bits=%d", w.client_bits);
    snprintf(answer, NX_DEFLATE_ANSWER_MAX, "permessage-deflate%s%s%s%s",
             w.server_no_context ? "; server_no_context_takeover" : "",
             w.client_no_context ? "; client_no_context_takeover" : "", server, client);
    return true;
}

bool nx_deflate_accept(nx_str value, nx_deflate_params *ret, char answer[NX_DEFLATE_ANSWER_MAX])
{
    nx_str offer;
    *ret = (nx_deflate_params){0};
    while (nx_str_split(&value, ',', &offer))
        if (take_offer(nx_str_trim(offer), ret, answer))
            return true;
    return false;
}

bool nx_deflate_accept_lines(nx_str lines, nx_deflate_params *ret, char answer[NX_DEFLATE_ANSWER_MAX])
{
    nx_str value;
    *ret = (nx_deflate_params){0};
    while ((value = nx__header_find(lines, "sec-websocket-extensions")).p != NULL) {
        if (nx_deflate_accept(value, ret, answer))
            return true;
        const char *behind = value.p + value.n;
        lines = (nx_str){behind, (size_t)(lines.p + lines.n - behind)};
    }
    return false;
}

const char *nx_deflate_check(nx_str answer, nx_deflate_params *ret)
{
    wish w;
    *ret = (nx_deflate_params){0};
    if (!take_extension(answer, &w))
        return "it uses an extension that was not offered, or permessage-deflate with a parameter that is none";
    if ((w.has_server_bits && w.server_bits == 0) || (w.has_client_bits && w.client_bits == 0))
        return "it names a window for permessage-deflate, but not which";
    *ret = (nx_deflate_params){.on = true,
                               .server_no_context = w.server_no_context,
                               .client_no_context = w.client_no_context,
                               .server_bits = w.has_server_bits ? w.server_bits : 15,
                               .client_bits = w.has_client_bits ? w.client_bits : 15};
    return NULL;
}
