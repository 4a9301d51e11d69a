/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/turn.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/text.h"

#define CLEANUP_NS (15 * CLOCK_S) /* DESIGN: done within 20 s of a signal */
#define DRAW_NS    (100 * CLOCK_MS)

void turn_draw(struct pass *pass)
{
    if (pass->view && pass->view->draw)
        pass->view->draw(pass, pass->view->arg);
}

/* ---- the end of the pass */

bool turn_is_over(struct pass *pass)
{
    int64_t never = 0;

    if (clock_check(&pass->call) == 0)
        return false;
    atomic_compare_exchange_strong(&pass->interrupted_ns, &never, clock_now_ns());
    return true;
}

int turn_end_error(const struct pass *pass, const char *what, struct casb_error *err)
{
    enum casb_code why = clock_check(&pass->call);

    return err_set(err, why, "%s %s",
                   why == CASB_ETIMEOUT ? "the pass's deadline passed" : "the pass was ended",
                   what);
}

struct casb_call turn_cleanup_call(struct pass *pass)
{
    int64_t from = turn_is_over(pass) ? atomic_load(&pass->interrupted_ns) : clock_now_ns();

    return (struct casb_call){.deadline_ns = from + CLEANUP_NS, .cancel_fd = -1};
}

struct casb_call turn_news_call(struct pass *pass)
{
    return turn_is_over(pass) ? turn_cleanup_call(pass) : pass->call;
}

struct plugin *turn_source_of(const struct pass *pass, const struct casb_record *record)
{
    return plugins_source(pass->plugins, record->source);
}

/* ---- turns */

void turn_begin(struct turn *turn, struct pass *pass, const char *node)
{
    *turn = (struct turn){.pass = pass, .node = node, .since_ns = clock_now_ns()};
    pthread_mutex_lock(&pass->lock);
    turn->next = pass->turns;
    turn->link = &pass->turns;
    if (turn->next)
        turn->next->link = &turn->next;
    pass->turns = turn;
    pass->n_turns++;
    pthread_mutex_unlock(&pass->lock);
}

void turn_wait_begin(struct pass *pass)
{
    pthread_mutex_lock(&pass->lock);
    pass->n_turns++;
    pass->n_waiting++;
    pthread_mutex_unlock(&pass->lock);
}

/* Called with the lock held. */
static void end_one(struct pass *pass)
{
    if (--pass->n_turns == 0)
        pthread_cond_signal(&pass->ended);
}

void turn_wait_end(struct pass *pass)
{
    pthread_mutex_lock(&pass->lock);
    pass->n_waiting--;
    end_one(pass);
    pthread_mutex_unlock(&pass->lock);
}

void turn_enter(struct turn *turn, enum turn_stage stage)
{
    pthread_mutex_lock(&turn->pass->lock);
    turn->stage = stage;
    turn->since_ns = clock_now_ns();
    pthread_mutex_unlock(&turn->pass->lock);
}

void turn_end(struct turn *turn)
{
    struct pass *pass = turn->pass;

    pthread_mutex_lock(&pass->lock);
    *turn->link = turn->next;
    if (turn->next)
        turn->next->link = turn->link;
    end_one(pass);
    pthread_mutex_unlock(&pass->lock);
}

void turn_wait(struct pass *pass)
{
    pthread_mutex_lock(&pass->lock);
    while (pass->n_turns > 0) {
        cond_wait(&pass->ended, &pass->lock, DRAW_NS);
        pthread_mutex_unlock(&pass->lock);
        (void)turn_is_over(pass);
        turn_draw(pass);
        pthread_mutex_lock(&pass->lock);
    }
    pthread_mutex_unlock(&pass->lock);
}

struct turn_overview turn_look(struct pass *pass)
{
    struct turn_overview o = {0};
    int64_t now_ns = clock_now_ns();

    pthread_mutex_lock(&pass->lock);
    o.open = pass->n_turns;
    o.stages[TURN_WAITING] = pass->n_waiting;
    for (const struct turn *turn = pass->turns; turn; turn = turn->next) {
        o.stages[turn->stage]++;
        if (turn->stage == TURN_WAITING || now_ns - turn->since_ns < o.oldest_ns)
            continue;
        o.oldest_ns = now_ns - turn->since_ns;
        o.oldest_stage = turn->stage;
        text_clean(o.oldest, sizeof o.oldest, turn->node);
    }
    pthread_mutex_unlock(&pass->lock);
    return o;
}

const char *turn_stage_name(enum turn_stage stage)
{
    static const char *const names[TURN_STAGES] = {"waiting",     "identifying", "spawning",
                                                   "registering", "writing",     "removing"};

    return names[stage];
}
