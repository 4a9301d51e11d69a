/* SPDX-License-Identifier: Apache-2.0 */
#include "report/machines.h"

#include "base/identity.h"

#include <cas-backup/error.h>

#include <search.h>
#include <string.h>

/* The first machine with each identity. */
struct known {
    void *las, *boot;
};

static int compare_las(const void *a, const void *b)
{
    const struct machine *x = a, *y = b;

    return x->las_kind != y->las_kind ? (int)x->las_kind - (int)y->las_kind
                                      : strcmp(x->las, y->las);
}

static int compare_boot(const void *a, const void *b)
{
    return strcmp(((const struct machine *)a)->boot, ((const struct machine *)b)->boot);
}

struct machine machine_of(const char *name, const struct casb_machine *known)
{
    return (struct machine){
        .name = name,
        .las_kind = known->las.kind,
        .las = identity_is_known(&known->las) ? known->las.text : NULL,
        .boot = identity_is_known(&known->boot) ? known->boot.text : NULL,
    };
}

struct machine machine_of_record(const struct record *record)
{
    struct machine machine = {.name = records_name(record), .boot = records_boot(record)};

    machine.las = records_las(record, &machine.las_kind);
    return machine;
}

/* The first one with the same identity, which may be the machine itself. NULL: no memory. */
static struct machine *first_of(void **tree, struct machine *machine,
                                int compare(const void *, const void *))
{
    struct machine **slot = tsearch(machine, tree, compare);

    return slot ? *slot : NULL;
}

static void join(struct machine *machine, struct machine *first, enum casb_identity_kind kind)
{
    if (first == machine || machine->same_as)
        return;
    machine->same_as = first->same_as ? first->same_as : first;
    machine->same_kind = kind;
}

/* What LAS shows of both of them, where it is of one kind, differs. */
static bool are_told_apart(const struct machine *a, const struct machine *b)
{
    return a->las && b->las && a->las_kind == b->las_kind && strcmp(a->las, b->las) != 0;
}

static int match(struct known *known, struct machine *machine)
{
    struct machine *first;

    if (machine->las) {
        first = first_of(&known->las, machine, compare_las);
        if (!first)
            return CASB_ENOMEM;
        join(machine, first, machine->las_kind);
    }
    if (machine->boot) {
        first = first_of(&known->boot, machine, compare_boot);
        if (!first)
            return CASB_ENOMEM;
        if (!are_told_apart(machine, first))
            join(machine, first, CASB_BOOT_ID);
    }
    return 0;
}

static void borrowed(void *machine)
{
    (void)machine;
}

int machines_match(struct machine *machines, size_t count)
{
    struct known known = {0};
    int r = 0;

    /* those of which LAS tells more go first, so that the others find them */
    for (size_t i = 0; i < 2 * count && !r; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): without machines it does not come here */
        struct machine *machine = &machines[i % count];

        if ((machine->las != NULL) == (i < count))
            r = match(&known, machine);
    }
    tdestroy(known.las, borrowed);
    tdestroy(known.boot, borrowed);
    return r;
}
