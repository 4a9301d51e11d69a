/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <cas-backup/error.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>

#define SKEW_S (5 * 60)

/* The years that RFC 3339 has, in seconds since 1970. */
#define YEAR_1_S     INT64_C(-62135596800)
#define YEAR_10000_S INT64_C(253402300800)

int64_t clock_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CLOCK_S + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / CLOCK_MS;
}

int64_t clock_whole_s(int64_t ns)
{
    return ns / CLOCK_S + (ns % CLOCK_S > 0);
}

char *clock_format(char out[static CLOCK_RFC3339_BYTES], int64_t wall_ms, bool millis)
{
    int64_t ms = wall_ms % 1000;
    time_t seconds = wall_ms / 1000 - (ms < 0);
    struct tm tm;
    size_t len;

    gmtime_r(&seconds, &tm);
    len = (size_t)snprintf(out, CLOCK_RFC3339_BYTES, "%04d-", tm.tm_year + 1900); /* %Y: 1 to 4 */
    len += strftime(out + len, CLOCK_RFC3339_BYTES - len, "%m-%dT%H:%M:%S", &tm);
    if (millis)
        snprintf(out + len, CLOCK_RFC3339_BYTES - len, ".%03dZ", (int)(ms < 0 ? ms + 1000 : ms));
    else
        snprintf(out + len, CLOCK_RFC3339_BYTES - len, "Z");
    return out;
}

/* Exactly `digits` decimal digits at *p, within [min, max]. */
static bool take_number(const char **p, int digits, int min, int max, int *ret)
{
    int value = 0;

    for (; digits > 0; digits--, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return false;
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return value >= min && value <= max;
}

static bool take_char(const char **p, const char *any_of)
{
    for (; *any_of; any_of++) {
        if (**p == *any_of) {
            (*p)++;
            return true;
        }
    }
    return false;
}

static bool take_date(const char **p, struct tm *tm)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year;

    if (!take_number(p, 4, 0, 9999, &year) || !take_char(p, "-") ||
        !take_number(p, 2, 1, 12, &tm->tm_mon) || !take_char(p, "-") ||
        !take_number(p, 2, 1, days[tm->tm_mon - 1], &tm->tm_mday))
        return false;
    if (tm->tm_mon == 2 && tm->tm_mday == 29 &&
        (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon--;
    return true;
}

static bool take_time(const char **p, struct tm *tm, int64_t *millis)
{
    int64_t unit = 100;

    if (!take_char(p, "Tt ") || !take_number(p, 2, 0, 23, &tm->tm_hour) || !take_char(p, ":") ||
        !take_number(p, 2, 0, 59, &tm->tm_min) || !take_char(p, ":") ||
        !take_number(p, 2, 0, 60, &tm->tm_sec))
        return false;
    if (!take_char(p, ".,"))
        return true;
    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p); (*p)++, unit /= 10)
        *millis += (**p - '0') * unit;
    return true;
}

static bool take_zone(const char **p, int64_t *offset_s)
{
    int sign = **p == '-' ? -1 : 1, hours, minutes;

    if (**p == '\0' || take_char(p, "Zz"))
        return true;
    if (!take_char(p, "+-") || !take_number(p, 2, 0, 23, &hours) || !take_char(p, ":") ||
        !take_number(p, 2, 0, 59, &minutes))
        return false;
    *offset_s = (int64_t)sign * (hours * 3600 + minutes * 60);
    return true;
}

int clock_parse(const char *text, int64_t *ret_wall_ms)
{
    struct tm tm = {0};
    int64_t millis = 0, offset_s = 0, seconds;

    if (!take_date(&text, &tm) || !take_time(&text, &tm, &millis) || !take_zone(&text, &offset_s) ||
        *text)
        return CASB_EINVALID;
    seconds = (int64_t)timegm(&tm) - offset_s;
    if (seconds < YEAR_1_S || seconds >= YEAR_10000_S) /* the zone led out of RFC 3339's years */
        return CASB_EINVALID;
    *ret_wall_ms = seconds * 1000 + millis;
    return 0;
}

bool clock_is_ahead(int64_t seconds, int64_t now_s)
{
    return seconds - now_s > SKEW_S;
}

int64_t clock_deadline(const struct casb_call *call, int64_t timeout_ns)
{
    int64_t now = clock_now_ns(), own = timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;

    return own < call->deadline_ns ? own : call->deadline_ns;
}

int clock_poll_ms(int64_t deadline_ns)
{
    int64_t left_ns = deadline_ns - clock_now_ns(), left_ms;

    if (left_ns <= 0)
        return 0;
    left_ms = (left_ns - 1) / CLOCK_MS + 1;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Where nobody can look, yes: a thread that waits to be cancelled would wait for ever. */
static bool cancelled(const struct casb_call *call, int wait_ms)
{
    struct pollfd fd = {.fd = call->cancel_fd, .events = POLLIN};
    int n = poll(&fd, 1, wait_ms);

    return n > 0 || (n < 0 && errno != EINTR);
}

int clock_check(const struct casb_call *call)
{
    if (cancelled(call, 0))
        return CASB_ECANCELLED;
    return clock_now_ns() >= call->deadline_ns ? CASB_ETIMEOUT : 0;
}

int clock_sleep(const struct casb_call *call, int64_t ns)
{
    int64_t until = clock_deadline(call, ns);
    int wait_ms;

    while ((wait_ms = clock_poll_ms(until)) > 0)
        if (cancelled(call, wait_ms))
            return CASB_ECANCELLED;
    return clock_check(call);
}

int64_t clock_backoff(unsigned attempt, int64_t base_ns, int64_t cap_ns)
{
    int64_t wait_ns = base_ns < cap_ns ? base_ns : cap_ns;
    uint64_t random;

    for (; attempt > 1 && wait_ns > 0 && wait_ns < cap_ns; attempt--)
        wait_ns = wait_ns > cap_ns / 2 ? cap_ns : 2 * wait_ns;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (uint64_t)clock_now_ns(); /* early in boot: spread a little is enough */
    return wait_ns - (int64_t)(random % ((uint64_t)wait_ns / 2 + 1));
}
