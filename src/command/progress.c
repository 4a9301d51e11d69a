/* SPDX-License-Identifier: Apache-2.0 */
#include "command/progress.h"

#include "base/buf.h"
#include "base/clock.h"
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_EVERY_NS (100 * CLOCK_MS)
#define LINE_BYTES    256
#define BAR_CELLS     24

struct progress {
    struct report *report;
    int64_t started_ns, drawn_ns;
};

struct progress *progress_new(struct report *report, bool quiet)
{
    struct progress *progress;

    if (quiet || !isatty(STDERR_FILENO))
        return NULL;
    progress = calloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    progress->report = report;
    progress->started_ns = clock_now_ns();
    return progress;
}

void progress_free(struct progress *progress)
{
    if (progress)
        log_show("");
    free(progress);
}

static void bar(char out[static BAR_CELLS + 1], size_t done, size_t all)
{
    size_t cells = all ? done * BAR_CELLS / all : 0;

    memset(out, '#', cells);
    memset(out + cells, '.', BAR_CELLS - cells);
    out[BAR_CELLS] = '\0';
}

static void write_line(const struct progress *progress, struct pass *pass,
                       char line[static LINE_BYTES])
{
    struct report_counts counts = report_counts(progress->report);
    struct turn_overview o = turn_look(pass);
    long long seconds = (clock_now_ns() - progress->started_ns) / CLOCK_S;
    char cells[BAR_CELLS + 1];
    struct buf text = BUF_INIT(LINE_BYTES - 1);
    int r;

    bar(cells, counts.nodes, counts.nodes + o.open);
    r = buf_printf(&text, "[%s] %zu/%zu  %zu new  %zu kept  %zu failed ", cells, counts.nodes,
                   counts.nodes + o.open, counts.new, counts.kept, counts.failed);
    for (size_t i = 0; r == 0 && i < TURN_STAGES; i++)
        if (o.stages[i] > 0)
            r = buf_printf(&text, " %zu %s", o.stages[i], turn_stage_name((enum turn_stage)i));
    if (r == 0 && o.oldest[0])
        r = buf_printf(&text, "  (%s: %s %lld s)", o.oldest, turn_stage_name(o.oldest_stage),
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

void progress_draw(struct pass *pass, void *arg)
{
    struct progress *progress = arg;
    char line[LINE_BYTES];

    if (clock_now_ns() - progress->drawn_ns < DRAW_EVERY_NS)
        return;
    progress->drawn_ns = clock_now_ns();
    write_line(progress, pass, line);
    fit_to_screen(line);
    log_show(line);
}
