/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every part of a pass needs: what they share, whether the pass is over, how long cleaning up
 * may take, and the jobs that are open. The parts are above it, and pass.c above them.
 */
#ifndef CAS_BACKUP_TURN_H
#define CAS_BACKUP_TURN_H

#include "pass/pool.h"
#include "pass/selection.h"
#include "plugin/plugins.h"
#include "report/report.h"
#include "state/lastpass.h"
#include "state/records.h"

#include <stdatomic.h>

enum pass_mode {
    PASS_RUN,
    PASS_PLAN,    /* scan and decide only; changes nothing, takes no lock */
    PASS_CLEANUP, /* remove what earlier passes may have left, and nothing else */
};

struct pass;
struct decision;      /* pass/decide.h */
struct decide_policy; /* likewise */

/* What was decided about a node that is not left alone nor worked on, borrowed for the call. */
struct pass_sight {
    const struct plugin *source;
    const struct casb_node *node;
    const struct casb_record *known; /* NULL: nothing */
    const struct decide_policy *policy;
    const struct decision *decision;
};

/* What looks on while the pass goes on; each may be NULL. */
struct pass_view {
    void (*draw)(struct pass *pass, void *arg); /* called often, and only from the pass's thread */
    void (*decided)(const struct pass_sight *sight, void *arg); /* from any thread */
    void *arg;
};

enum turn_stage {
    TURN_WAITING,
    TURN_IDENTIFYING,
    TURN_SPAWNING,
    TURN_REGISTERING,
    TURN_WRITING,
    TURN_REMOVING,
    TURN_STAGES,
};

/* What its pass knows of an open job: a part of it. */
struct turn {
    struct turn *next, **link; /* in pass->turns */
    struct pass *pass;
    const char *node; /* its name */
    enum turn_stage stage;
    int64_t since_ns; /* when the stage began */
};

/* How the attempts to register went so far. */
struct attempts {
    size_t failed, succeeded;
    const struct plugin *source; /* of the first one that failed, as all below */
    char node[64];               /* its name, cleaned */
    bool registering;            /* not the spawn failed, but the registration */
    struct casb_error first;
};

/* What everything in a pass shares. */
struct pass {
    const struct settings *settings;
    struct plugins *plugins;
    struct report *report;
    struct records *records;
    struct pool *pool;
    struct limit registrations;   /* registration.parallel */
    const struct pass_view *view; /* or NULL */
    struct casb_call call;        /* of all work: ends with the deadline or a signal */
    enum pass_mode mode;
    const atomic_int *signal;       /* the number of the one that ended it, or 0; or NULL */
    struct lastpass last;           /* what is remembered: of the last one, then of this one */
    bool remembered;                /* that it began */
    struct selection selection;     /* only for the scanning thread */
    _Atomic int64_t interrupted_ns; /* when the work was first seen to be over; 0: it goes on */
    atomic_bool lock_lost;
    atomic_bool left_behind;    /* some backup CAS could not be removed when it was its turn */
    atomic_size_t orphans_left; /* backup CAS of earlier passes that could not be removed */
    atomic_size_t las_known, las_none; /* nodes whose LAS shows an identity; shows none */
    atomic_bool cut_short;             /* some node's turn was not over when the pass had to end */

    pthread_mutex_t lock; /* guards all below, and every turn */
    pthread_cond_t ended;
    struct turn *turns; /* that are not over */
    size_t n_turns;
    size_t n_waiting; /* of these, without a struct turn */
    struct attempts attempts;
};

/* Has the view, if there is one, draw. Only from the pass's thread. */
void turn_draw(struct pass *pass);

/* Is the pass to end now? Notes the time when it first is. */
bool turn_is_over(struct pass *pass);

/* Sets the error of a pass that is over: that its deadline passed, or that it was ended. */
int turn_end_error(const struct pass *pass, const char *what, struct casb_error *err);

/*
 * The context for what must be done whatever happens (removing, writing, unlocking): not
 * cancelled, 15 s long, or what is left of 15 s since the pass was over.
 */
struct casb_call turn_cleanup_call(struct pass *pass);

/* The context for telling sources what became of nodes: as long as the pass may go on, or else. */
struct casb_call turn_news_call(struct pass *pass);

/* The source that the record's node came from; NULL: none of this pass's. */
struct plugin *turn_source_of(const struct pass *pass, const struct casb_record *record);

/*
 * Begins the turn of a node, whose name is borrowed until turn_end(). The pass waits for all that
 * have begun.
 */
void turn_begin(struct turn *turn, struct pass *pass, const char *node);

/* The same for a node that only waits, which then is all that is known of it. */
void turn_wait_begin(struct pass *pass);
void turn_wait_end(struct pass *pass);

/* Notes what is being done now. */
void turn_enter(struct turn *turn, enum turn_stage stage);

/* Ends the turn. */
void turn_end(struct turn *turn);

/* Waits until every turn is over, and draws meanwhile. Only from the pass's thread. */
void turn_wait(struct pass *pass);

/* How the open turns stand, and which one has been at one thing for the longest time. */
struct turn_overview {
    size_t open, stages[TURN_STAGES];
    char oldest[64]; /* its node, cleaned; "": all that there are only wait */
    enum turn_stage oldest_stage;
    int64_t oldest_ns; /* for how long */
};

/* Looks at them. From any thread. */
struct turn_overview turn_look(struct pass *pass);

/* "spawning", ... Static. */
const char *turn_stage_name(enum turn_stage stage);

#endif
