/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do with a node: DESIGN's table "decide" as a pure function. Thread-safe.
 */
#ifndef CAS_BACKUP_DECIDE_H
#define CAS_BACKUP_DECIDE_H

#include <cas-backup/discovery.h>
#include <cas-backup/state.h>

enum decide_action {
    DECIDE_SKIP,
    DECIDE_KEEP,
    DECIDE_REGISTER,
    DECIDE_IDENTIFY, /* which machine it is matters, and must be looked at first */
};

/* What the decision depends on besides the node and its record. */
struct decide_policy {
    const char *primary;        /* the primary's id */
    const char *release;        /* what the node would be registered for */
    bool include_control_plane; /* control-plane nodes take part */
    bool left_out;              /* there is --only, without this node */
    bool forced;                /* this node was named by --force */
    bool plan;                  /* nothing will be registered, nor recorded */
    bool may_identify;          /* the source can look at the machine, and was not asked yet */
    int64_t max_age_s;       /* registrations older than that expire, or of the future; 0: none */
    int64_t retry_backoff_s; /* longest wait between tries of one that fails; 0: none */
    int64_t now_s;           /* seconds since 1970 */
};

struct decision {
    enum decide_action action;
    const char *reason; /* static, or borrowed from the node; "" for keep and identify */
    /*
     * The record holds a registration that, as far as is known, opens the primary's database on
     * this machine now: made with this primary, and the hardware has not been seen to change.
     */
    bool holds;
    bool selected; /* neither excluded nor a control-plane node, or these take part too */
    bool left_out; /* it takes no part now, for lack of --only */
    bool changed;  /* it is not the machine that was registered, as far as is known */
    struct casb_machine machine; /* what the node shows, or is known to be where it would be read */
    bool las_none;               /* nothing is where the node's las_source points */
    const char *release;         /* borrowed from the policy */
};

/*
 * Decides for one node. `record` is NULL where nothing is known. An identity that is not known, or
 * of another kind than the record's, proves nothing. A node is asked about once with what is known,
 * and where the answer is DECIDE_IDENTIFY once more, with what was found and without may_identify.
 */
struct decision decide(const struct casb_node *node, const struct casb_record *record,
                       const struct decide_policy *policy);

/*
 * What the registration was made for that holds by this decision; one of which that is not recorded
 * counts as made for the present release. NULL: none holds. Borrowed.
 */
const char *decide_release(const struct casb_record *record, const struct decision *decision);

/*
 * Notes in the record, which may be empty, what holds whatever becomes of the node: since when the
 * machine is another, where its LAS shows none (borrowed from the node), a release where none is
 * recorded, so that the next one is seen to be another (borrowed from the policy), since when it is
 * selected without a valid registration, and the reason (borrowed from the decision). True where
 * *record changed.
 */
bool decide_note(struct casb_record *record, const struct casb_node *node,
                 const struct decision *decision, int64_t now_s);

/*
 * Brings the record of a node that is not registered now up to date; true where *record changed.
 * Of any node that is name and source, borrowed from the node and `source`, what decide_note()
 * notes, and that it was seen, which is noted only once `seen` is a day old or in the future, or
 * where the node had been absent; of a kept one its machine as well.
 */
bool decide_refresh(struct casb_record *record, const struct casb_node *node, const char *source,
                    const struct decision *decision, int64_t now_s);

#endif
