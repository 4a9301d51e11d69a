/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/selection.h"

#include "base/text.h"

static size_t list_length(const char **list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

int selection_init(struct selection *selection, const struct request *request,
                   struct casb_error *err)
{
    selection->request = request;
    selection->only_seen = calloc(list_length(request->only) + 1, sizeof(bool));
    selection->force_seen = calloc(list_length(request->force) + 1, sizeof(bool));
    return selection->only_seen && selection->force_seen ? 0 : err_nomem(err);
}

void selection_done(struct selection *selection)
{
    free(selection->only_seen);
    free(selection->force_seen);
}

static bool named(const char **list, bool *seen, const struct casb_node *node)
{
    bool found = false;

    for (size_t i = 0; list && list[i]; i++) {
        if (text_equal(list[i], node->name) || text_equal(list[i], node->uid))
            found = seen[i] = true;
        else if (text_equal(list[i], "all"))
            found = true;
    }
    return found;
}

bool selection_leaves_out(struct selection *selection, const struct casb_node *node)
{
    const char **only = selection->request->only;

    return only && only[0] && !named(only, selection->only_seen, node);
}

bool selection_forces(struct selection *selection, const struct casb_node *node)
{
    return named(selection->request->force, selection->force_seen, node);
}

void selection_see(struct selection *selection, const struct casb_node *node)
{
    (void)selection_leaves_out(selection, node);
    (void)selection_forces(selection, node);
}

static int check_names(const char *option, const char **names, const bool *seen,
                       struct casb_error *err)
{
    for (size_t i = 0; names && names[i]; i++)
        if (!seen[i] && !text_equal(names[i], "all"))
            return err_set(err, CASB_EINVALID, "%s: no source has a node '%s'", option, names[i]);
    return 0;
}

int selection_check(const struct selection *selection, struct casb_error *err)
{
    const struct request *request = selection->request;
    int r = check_names("--only", request->only, selection->only_seen, err);

    return r ? r : check_names("--force", request->force, selection->force_seen, err);
}
