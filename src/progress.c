/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cli.h"
#include "job.h"
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_EVERY_NS (100 * CLOCK_MS)
#define LINE_BYTES    256
#define BAR_CELLS     24

struct progress {
    struct pass *pass;
    int64_t started_ns, drawn_ns;
    pthread_mutex_t lock; /* guards `line`, and standard error against lines of the log */
    char line[LINE_BYTES];
};

/* What the jobs are doing, and which one has been at it for the longest time. */
struct overview {
    size_t open, stages[JOB_STAGES];
    char oldest[64];
    enum job_stage oldest_stage;
    int64_t oldest_ns;
};

static void put_line(const struct progress *progress)
{
    fprintf(stderr, "\r\033[K%s", progress->line);
    fflush(stderr);
}

/* Makes room for a line of the log, then draws anew below it. */
static void around_log(bool before, void *arg)
{
    struct progress *progress = arg;

    if (before) {
        pthread_mutex_lock(&progress->lock);
        fputs("\r\033[K", stderr);
    } else {
        put_line(progress);
        pthread_mutex_unlock(&progress->lock);
    }
}

struct progress *progress_new(struct pass *pass)
{
    struct progress *progress;

    if (!isatty(STDERR_FILENO) || pass->settings->cli->verbosity < 0)
        return NULL;
    progress = calloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    progress->pass = pass;
    progress->started_ns = clock_now_ns();
    pthread_mutex_init(&progress->lock, NULL);
    log_set_screen(around_log, progress);
    return progress;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    log_set_screen(NULL, NULL);
    fputs("\r\033[K", stderr);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}

static struct overview look(struct pass *pass)
{
    struct overview o = {0};
    int64_t now_ns = clock_now_ns();

    pthread_mutex_lock(&pass->lock);
    o.open = pass->open_jobs;
    for (const struct job *job = pass->jobs; job; job = job->next) {
        o.stages[job->stage]++;
        if (job->stage == JOB_WAITING || now_ns - job->since_ns < o.oldest_ns)
            continue;
        o.oldest_ns = now_ns - job->since_ns;
        o.oldest_stage = job->stage;
        text_clean(o.oldest, sizeof o.oldest, job->node.name);
    }
    pthread_mutex_unlock(&pass->lock);
    return o;
}

static void bar(char out[static BAR_CELLS + 1], size_t done, size_t all)
{
    size_t cells = all ? done * BAR_CELLS / all : 0;

    memset(out, '#', cells);
    memset(out + cells, '.', BAR_CELLS - cells);
    out[BAR_CELLS] = '\0';
}

static void write_line(const struct progress *progress, char line[static LINE_BYTES])
{
    struct report_counts counts = report_counts(progress->pass->report);
    struct overview o = look(progress->pass);
    long long seconds = (clock_now_ns() - progress->started_ns) / CLOCK_S;
    char cells[BAR_CELLS + 1];
    struct buf text = BUF_INIT(LINE_BYTES - 1);
    int r;

    bar(cells, counts.nodes, counts.nodes + o.open);
    r = buf_printf(&text, "[%s] %zu/%zu  %zu new  %zu kept  %zu failed ", cells, counts.nodes,
                   counts.nodes + o.open, counts.new, counts.kept, counts.failed);
    for (size_t i = 0; r == 0 && i < JOB_STAGES; i++)
        if (o.stages[i] > 0)
            r = buf_printf(&text, " %zu %s", o.stages[i], job_stage_name((enum job_stage)i));
    if (r == 0 && o.oldest[0])
        r = buf_printf(&text, "  (%s: %s %lld s)", o.oldest, job_stage_name(o.oldest_stage),
                       (long long)(o.oldest_ns / CLOCK_S));
    if (r == 0)
        r = buf_printf(&text, "  %lld:%02lld", seconds / 60, seconds % 60);
    (void)r; /* what does not fit the line is left out */
    snprintf(line, LINE_BYTES, "%s", buf_text(&text));
    buf_free(&text);
}

/* A line that wraps could not be drawn over. */
static void fit_to_screen(char line[static LINE_BYTES])
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && size.ws_col < LINE_BYTES)
        line[size.ws_col - 1] = '\0';
}

void progress_draw(struct progress *progress)
{
    char line[LINE_BYTES];

    if (!progress || clock_now_ns() - progress->drawn_ns < DRAW_EVERY_NS)
        return;
    progress->drawn_ns = clock_now_ns();
    write_line(progress, line);
    fit_to_screen(line);
    pthread_mutex_lock(&progress->lock);
    memcpy(progress->line, line, sizeof line);
    put_line(progress);
    pthread_mutex_unlock(&progress->lock);
}
