/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-static/ready.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <string.h>

#define TRY_NS   (8 * CLOCK_S)    /* a packet that is dropped must not use up the whole wait */
#define PAUSE_NS (200 * CLOCK_MS) /* between tries */
#define LOOK_MS  100              /* libcurl sleeps past the moment to try the next address */

/* One connection, by a library that can stop waiting for a name server. */
struct attempt {
    CURLM *multi;
    CURL *easy;
    char reason[CURL_ERROR_SIZE];
};

/* libcurl gives the first of several addresses half of the time: of this try, not of the wait. */
static bool attempt_begin(struct attempt *a, const char *address, int64_t deadline_ns)
{
    long left_ms = clock_poll_ms(deadline_ns);
    char url[512];
    unsigned bad = 0;

    snprintf(url, sizeof url, "http://%s/", address);
    a->multi = curl_multi_init();
    a->easy = curl_easy_init();
    if (!a->multi || !a->easy)
        return false;
    bad |= curl_easy_setopt(a->easy, CURLOPT_URL, url);
    bad |= curl_easy_setopt(a->easy, CURLOPT_CONNECT_ONLY, 1L);
    bad |= curl_easy_setopt(a->easy, CURLOPT_CONNECTTIMEOUT_MS, left_ms ? left_ms : 1L);
    bad |= curl_easy_setopt(a->easy, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(a->easy, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(a->easy, CURLOPT_ERRORBUFFER, a->reason);
#if LIBCURL_VERSION_NUM >= 0x075700
    bad |= curl_easy_setopt(a->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return !bad && curl_multi_add_handle(a->multi, a->easy) == CURLM_OK;
}

static void attempt_end(struct attempt *a)
{
    if (a->multi && a->easy)
        curl_multi_remove_handle(a->multi, a->easy);
    curl_easy_cleanup(a->easy);
    curl_multi_cleanup(a->multi);
}

static int attempt_result(struct attempt *a, struct casb_error *err)
{
    int left;
    const CURLMsg *msg = curl_multi_info_read(a->multi, &left);
    CURLcode code = msg ? msg->data.result : CURLE_FAILED_INIT;

    if (code == CURLE_OK)
        return 0;
    return err_set(err, CASB_EUNREACHABLE, "%s", *a->reason ? a->reason : curl_easy_strerror(code));
}

static int attempt_run(struct attempt *a, const struct casb_call *call, struct casb_error *err)
{
    struct curl_waitfd cancel = {.fd = call->cancel_fd, .events = CURL_WAIT_POLLIN};
    int running = 1, ms;

    while (curl_multi_perform(a->multi, &running) == CURLM_OK && running) {
        if (clock_check(call))
            return err_set(err, CASB_EUNREACHABLE, "no answer");
        ms = clock_poll_ms(call->deadline_ns);
        curl_multi_poll(a->multi, &cancel, call->cancel_fd >= 0, ms < LOOK_MS ? ms : LOOK_MS, NULL);
    }
    return attempt_result(a, err);
}

static int connect_once(const struct casb_call *call, const char *address, struct casb_error *err)
{
    const struct casb_call once = {clock_deadline(call, TRY_NS), call->cancel_fd};
    struct attempt a = {0};
    int r =
        attempt_begin(&a, address, once.deadline_ns) ? attempt_run(&a, &once, err) : err_nomem(err);

    attempt_end(&a);
    return r;
}

int ready_wait(const struct casb_call *call, const char *address, struct casb_error *err)
{
    struct casb_error last, first = {0};
    int r, stop;

    for (;;) {
        last = (struct casb_error){0};
        r = connect_once(call, address, &last);
        if (r == 0)
            return 0;
        stop = r == CASB_EUNREACHABLE ? clock_sleep(call, PAUSE_NS) : r;
        if (!stop) {
            err_pass(&first, &last);
            continue;
        }
        last.code = stop;
        err_pass_after(err, &last, &first);
        return err_wrap(err, stop, "no connection to '%s'", address);
    }
}
