/* The HTTP client against our own server over loopback: routes, bodies, headers, limits, stop, a port in use. Promise 6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/http.h"
#include "io/httpd.h"

static nx_status echo(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    (void)ctx;
    const char *q = nx_httpd_query(req, "q"), *h = nx_httpd_header(req, "x-mark");
    nx_httpd_resp_header(resp, "X-RateLimit-Remaining", "7");
    resp->content_type = "text/plain";
    nx_status st = nx_buf_addf(&resp->body, "%s|" NX_STR_FMT "|%s|%s|" NX_STR_FMT, req->method, NX_STR_ARG(req->path),
                               q == NULL ? "-" : q, h == NULL ? "-" : h, NX_STR_ARG(req->body));
    return st == NX_OK ? st : nx_fail(err, st, "no room");
}

static nx_status broken(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    (void)ctx, (void)req, (void)resp;
    return nx_fail(err, NX_IO, "the \"disk\" is full");
}

static nx_status large(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    (void)ctx, (void)req, (void)err;
    for (int i = 0; i < 1000; i++)
        if (nx_buf_adds(&resp->body, "0123456789") != NX_OK)
            return NX_NOMEM;
    return NX_OK;
}

typedef struct fixture {
    nx_httpd *server;
    nx_http *client;
    char url[128];
} fixture;

static int setup(void **state)
{
    static fixture f;
    static const nx_httpd_route routes[] = {{"GET", "/echo/*", echo, NULL},
                                            {"POST", "/echo/*", echo, NULL},
                                            {NULL, "/broken", broken, NULL},
                                            {"GET", "/large", large, NULL}};
    nx_err err = {0};
    nx_httpd_opts opts = {
        .listen = "127.0.0.1:0", .routes = routes, .n_routes = NX_COUNT_OF(routes), .body_bytes_max = 1000};
    assert_int_equal(nx_httpd_start(&opts, &f.server, &err), NX_OK);
    nx_http_opts c = {.body_bytes_max = 5000};
    assert_int_equal(nx_http_new(&c, &f.client, &err), NX_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    nx_http_drop(f->client);
    nx_httpd_stop(f->server);
    return 0;
}

static nx_status ask(fixture *f, const char *method, const char *path, nx_str body, nx_http_resp *resp, nx_err *err)
{
    static const char *const headers[] = {"X-Mark: m1", NULL};
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d%s", nx_httpd_port(f->server), path);
    nx_http_req req = {method, f->url, headers, body};
    return nx_http_send(f->client, &req, NULL, resp, err);
}

static void get_and_post(void **state)
{
    fixture *f = *state;
    nx_http_resp r;
    nx_err err = {0};
    assert_int_equal(ask(f, "GET", "/echo/a%20b?q=x%26y&z=1", (nx_str){NULL, 0}, &r, &err), NX_OK);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body.p, "GET|/echo/a b|x&y|m1|");
    assert_string_equal(nx_http_resp_header(&r, "x-ratelimit-remaining"), "7");
    assert_string_equal(nx_http_resp_header(&r, "content-type"), "text/plain");
    assert_null(nx_http_resp_header(&r, "absent"));
    nx_http_resp_drop(&r);
    assert_int_equal(ask(f, "POST", "/echo/", NX_STR("body"), &r, &err), NX_OK);
    assert_string_equal(r.body.p, "POST|/echo/|-|m1|body");
    nx_http_resp_drop(&r);
    assert_int_equal(ask(f, "HEAD", "/echo/", (nx_str){NULL, 0}, &r, &err), NX_OK);
    assert_true(r.status == 200 && r.body.n == 0);
    nx_http_resp_drop(&r);
}

static void statuses(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *method, *path;
        int status;
        const char *body;
    } cases[] = {
        {"GET", "/nowhere", 404, "{\"message\":\"no such path\"}"},
        {"DELETE", "/echo/x", 405, "{\"message\":\"method not allowed\"}"},
        {"GET", "/broken", 500, "{\"message\":\"the \\\"disk\\\" is full\"}"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_http_resp r;
        nx_err err = {0};
        assert_int_equal(ask(f, cases[i].method, cases[i].path, (nx_str){NULL, 0}, &r, &err), NX_OK);
        assert_int_equal(r.status, cases[i].status);
        assert_string_equal(r.body.p, cases[i].body);
        nx_http_resp_drop(&r);
    }
}

static void limits(void **state)
{
    fixture *f = *state;
    nx_http_resp r;
    nx_err err = {0};
    static char body[4000];
    assert_int_equal(ask(f, "POST", "/echo/", (nx_str){body, sizeof body}, &r, &err), NX_OK);
    assert_int_equal(r.status, 413);
    nx_http_resp_drop(&r);
    assert_int_equal(ask(f, "GET", "/large?secret=1", (nx_str){NULL, 0}, &r, &err), NX_LIMIT);
    assert_non_null(strstr(err.text, "/large"));
    assert_null(strstr(err.text, "secret"));
    nx_http_resp_drop(&r);
    assert_int_equal(ask(f, "GET", "/echo/after", (nx_str){NULL, 0}, &r, &err), NX_OK); /* the client is still usable */
    nx_http_resp_drop(&r);
}

static void no_server_is_retriable(void **state)
{
    fixture *f = *state;
    nx_http_resp r;
    nx_err err = {0};
    nx_http_req req = {"GET", "http://user:pw@127.0.0.1:1/x?token=t", NULL, {NULL, 0}};
    assert_int_equal(nx_http_send(f->client, &req, NULL, &r, &err), NX_REMOTE);
    assert_true(err.retriable);
    assert_non_null(strstr(err.text, "http://127.0.0.1:1/x"));
    assert_null(strstr(err.text, "pw"));
    assert_null(strstr(err.text, "token"));
    nx_http_resp_drop(&r);
    volatile bool stop = true;
    assert_int_equal(nx_http_send(f->client, &req, &stop, &r, &err), NX_CANCELLED);
    nx_http_resp_drop(&r);
    req.url = "file:///etc/passwd";
    assert_int_equal(nx_http_send(f->client, &req, NULL, &r, &err), NX_INVALID);
    nx_http_resp_drop(&r);
}

static void port_in_use(void **state)
{
    fixture *f = *state;
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", nx_httpd_port(f->server));
    nx_httpd_opts opts = {.listen = listen};
    nx_httpd *second;
    nx_err err = {0};
    assert_int_equal(nx_httpd_start(&opts, &second, &err), NX_EXISTS);
    assert_non_null(strstr(err.text, listen));
    assert_true(err.hint[0] != '\0');
    opts.listen = "nonsense";
    assert_int_equal(nx_httpd_start(&opts, &second, &err), NX_INVALID);
}

static void url_codec(void **state)
{
    (void)state;
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_url_encode(&b, NX_STR("BTC/USD a+b=~é")), NX_OK);
    assert_string_equal(b.p, "BTC%2FUSD%20a%2Bb%3D~%C3%A9");
    nx_buf d;
    nx_buf_init(&d, 0);
    assert_int_equal(nx_url_decode(&d, nx_buf_str(&b)), NX_OK);
    assert_string_equal(d.p, "BTC/USD a+b=~é");
    static const char *const bad[] = {"%", "%1", "a%2", "%zz", "%2z"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++)
        assert_int_equal(nx_url_decode(&d, nx_str_of(bad[i])), NX_INVALID);
    nx_buf_drop(&b);
    nx_buf_drop(&d);
}

static void backoff(void **state)
{
    (void)state;
    for (int attempt = 0; attempt < 80; attempt++) {
        int64_t most = attempt < 10 ? (int64_t)300 << attempt : 30000;
        int64_t w = nx_backoff_ms(attempt, 300, 30000, 0);
        assert_true(w >= 0 && w <= (most < 30000 ? most : 30000));
        assert_true(nx_backoff_ms(attempt, 300, 30000, 45000) == 45000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_and_post), cmocka_unit_test(statuses),
        cmocka_unit_test(limits),       cmocka_unit_test(no_server_is_retriable),
        cmocka_unit_test(port_in_use),  cmocka_unit_test(url_codec),
        cmocka_unit_test(backoff),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
