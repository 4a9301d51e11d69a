/* SPDX-License-Identifier: Apache-2.0 */
#include "logsink.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/cond.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define WAITING_BYTES (256 * 1024)
#define HASTE_BYTES   (64 * 1024) /* with so much nothing is waited for */
#define PIECE_BYTES   4096
#define SHOWN_BYTES   512
#define GATHER_NS     (100 * CLOCK_MS) /* what can wait so long is written together */
#define STALLED_NS    CLOCK_S
#define SLOW_NS       (10 * CLOCK_S)
#define CLEAR         "\r\033[K" /* the terminal's line that the cursor is in */

static struct sink {
    pthread_mutex_t lock; /* guards all but moved_ns; held for no longer than memory is copied */
    pthread_cond_t work;  /* the first text waits, or an urgent one, or the end has come */
    pthread_cond_t done;  /* all that waited is written */
    pthread_t thread;
    bool running, ending;
    bool urgent;  /* what waits is to be written at once */
    bool writing; /* what the thread took is not written yet */
    struct buf waiting;
    size_t lost;
    char shown[SHOWN_BYTES];
    atomic_int_least64_t moved_ns; /* when the reader took something for the last time */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .waiting = {.limit = WAITING_BYTES}};

/* An error is nobody's to hear: the reader is gone. */
static void write_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, data, len < PIECE_BYTES ? len : PIECE_BYTES);

        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
        atomic_store(&sink.moved_ns, clock_now_ns());
    }
}

/* To wake up for each line costs a pass more than the line does. */
static void gather(void)
{
    int64_t until_ns = clock_now_ns() + GATHER_NS, left_ns = GATHER_NS;

    while (!sink.urgent && !sink.ending && left_ns > 0) {
        cond_wait(&sink.work, &sink.lock, left_ns);
        left_ns = until_ns - clock_now_ns();
    }
    sink.urgent = false;
}

static void *write_lines(void *arg)
{
    struct buf taken = BUF_INIT(WAITING_BYTES);

    (void)arg;
    pthread_mutex_lock(&sink.lock);
    while (!sink.ending || sink.waiting.len > 0) {
        struct buf empty = taken;

        if (sink.waiting.len == 0) {
            pthread_cond_wait(&sink.work, &sink.lock);
            continue;
        }
        gather();
        taken = sink.waiting;
        sink.waiting = empty;
        sink.writing = true;
        pthread_mutex_unlock(&sink.lock);
        write_all(taken.data, taken.len);
        buf_reset(&taken);
        pthread_mutex_lock(&sink.lock);
        sink.writing = false;
        pthread_cond_broadcast(&sink.done);
    }
    pthread_mutex_unlock(&sink.lock);
    buf_free(&taken);
    return NULL;
}

/* Signals are for others. */
void logsink_start(void)
{
    sigset_t all, before;

    if (cond_init(&sink.work) || cond_init(&sink.done))
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    sink.ending = false;
    sink.running = pthread_create(&sink.thread, NULL, write_lines, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Has what was added to `waiting`, of `before` bytes, written; with the lock held. */
static void pass_on(size_t before, bool urgent)
{
    if (sink.running) {
        sink.urgent = sink.urgent || urgent || sink.waiting.len > HASTE_BYTES;
        if (before == 0 || sink.urgent)
            pthread_cond_signal(&sink.work);
    } else if (sink.waiting.len > 0) {
        write_all(sink.waiting.data, sink.waiting.len);
        buf_reset(&sink.waiting);
    }
}

bool logsink_put(const char *text, size_t lines, bool urgent)
{
    size_t before;
    bool fits;

    pthread_mutex_lock(&sink.lock);
    before = sink.waiting.len;
    fits = buf_printf(&sink.waiting, "%s%s%s", *sink.shown ? CLEAR : "", text, sink.shown) == 0;
    if (!fits)
        sink.lost += lines;
    pass_on(before, urgent);
    pthread_mutex_unlock(&sink.lock);
    return fits;
}

size_t logsink_take_lost(void)
{
    size_t lost;

    pthread_mutex_lock(&sink.lock);
    lost = sink.lost;
    sink.lost = 0;
    pthread_mutex_unlock(&sink.lock);
    return lost;
}

/* A terminal that does not keep up is spared what will soon be drawn over. */
void logsink_show(const char *text)
{
    pthread_mutex_lock(&sink.lock);
    snprintf(sink.shown, sizeof sink.shown, "%s", text);
    if (!*text || (!sink.writing && sink.waiting.len == 0))
        (void)!buf_printf(&sink.waiting, CLEAR "%s", sink.shown);
    pass_on(0, true);
    pthread_mutex_unlock(&sink.lock);
}

static bool is_idle(void)
{
    return !sink.running || (!sink.writing && sink.waiting.len == 0);
}

bool logsink_flush(void)
{
    int64_t began_ns = clock_now_ns(), now_ns = began_ns, moved_ns = began_ns;
    bool idle;

    pthread_mutex_lock(&sink.lock);
    pass_on(0, true);
    while (!is_idle() && now_ns - moved_ns < STALLED_NS && now_ns - began_ns < SLOW_NS) {
        cond_wait(&sink.done, &sink.lock, moved_ns + STALLED_NS - now_ns);
        now_ns = clock_now_ns();
        if (atomic_load(&sink.moved_ns) > moved_ns)
            moved_ns = atomic_load(&sink.moved_ns);
    }
    idle = is_idle();
    pthread_mutex_unlock(&sink.lock);
    return idle;
}

void logsink_stop(void)
{
    pthread_mutex_lock(&sink.lock);
    if (!sink.running || !is_idle()) {
        pthread_mutex_unlock(&sink.lock);
        return;
    }
    sink.ending = true;
    pthread_cond_signal(&sink.work);
    pthread_mutex_unlock(&sink.lock);
    pthread_join(sink.thread, NULL);
    sink.running = false;
    pthread_cond_destroy(&sink.work);
    pthread_cond_destroy(&sink.done);
    buf_free(&sink.waiting);
}
