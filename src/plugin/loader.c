/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/loader.h"

#include "base/file.h"
#include "base/text.h"
#include "base/trust.h"
#include "settings/option_value.h"

#include <cas-backup/discovery.h>
#include <cas-backup/registration.h>
#include <cas-backup/state.h>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <errno.h>
#include <string.h>

const char *loader_kind_name(enum casb_kind kind)
{
    switch (kind) {
    case CASB_DISCOVERY:
        return "discovery";
    case CASB_REGISTRATION:
        return "registration";
    case CASB_STATE:
        return "state";
    }
    return "unknown";
}

/* A name that is a part of a file's name and nothing else. */
static bool is_plain(const char *name)
{
    return *name && *name != '-' && strlen(name) <= 64 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static size_t ops_size_needed(uint32_t kind)
{
    switch (kind) {
    case CASB_DISCOVERY:
        return sizeof(struct casb_discovery_ops);
    case CASB_REGISTRATION:
        return sizeof(struct casb_registration_ops);
    default:
        return sizeof(struct casb_state_ops);
    }
}

static const char *missing_discovery(const struct casb_discovery_ops *ops)
{
    return !ops->scan ? "scan" : !ops->spawn ? "spawn" : !ops->remove ? "remove" : NULL;
}

static const char *missing_registration(const struct casb_registration_ops *ops)
{
    return !ops->primary ? "primary" : !ops->register_backup ? "register_backup" : NULL;
}

static const char *missing_state(const struct casb_state_ops *ops)
{
    return !ops->lock                           ? "lock"
           : !ops->load                         ? "load"
           : !ops->store                        ? "store"
           : !ops->drop                         ? "drop"
           : !ops->unlock                       ? "unlock"
           : ops->load_pass && !ops->store_pass ? "store_pass"
           : ops->store_pass && !ops->load_pass ? "load_pass"
                                                : NULL;
}

/* The first required slot that is empty, or NULL. */
static const char *missing_slot(const struct casb_plugin *plugin)
{
    if (!plugin->open)
        return "open";
    if (!plugin->close)
        return "close";
    switch (plugin->kind) {
    case CASB_DISCOVERY:
        return missing_discovery(plugin->ops);
    case CASB_REGISTRATION:
        return missing_registration(plugin->ops);
    default:
        return missing_state(plugin->ops);
    }
}

static int verify_options(const struct casb_plugin *plugin, const char *path,
                          struct casb_error *err)
{
    const struct casb_option *option = plugin->options;

    for (; option && option->name; option++) {
        size_t size = option_type_size(option->type);

        if (size == 0)
            return err_set(err, CASB_EFAILED, "%s: option '%s' has an unknown type", path,
                           option->name);
        if (option->offset > plugin->settings_size || plugin->settings_size - option->offset < size)
            return err_set(err, CASB_EFAILED, "%s: option '%s' lies outside its settings", path,
                           option->name);
    }
    return 0;
}

/* In an order in which nothing is read before its presence is known. */
static int verify(const struct casb_plugin *plugin, const char *path, enum casb_kind kind,
                  const char *name, struct casb_error *err)
{
    const char *slot;

    if (plugin->abi != CASB_ABI)
        return err_set(err, CASB_EFAILED, "%s: made for ABI %u, this is ABI %u", path,
                       (unsigned)plugin->abi, CASB_ABI);
    if (plugin->size < sizeof *plugin)
        return err_set(err, CASB_EFAILED, "%s: its descriptor has %u bytes, %zu are needed", path,
                       (unsigned)plugin->size, sizeof *plugin);
    if (plugin->kind != kind)
        return err_set(err, CASB_EFAILED, "%s: is a %s plugin, not %s", path,
                       loader_kind_name(plugin->kind), loader_kind_name(kind));
    if (!text_equal(plugin->name, name))
        return err_set(err, CASB_EFAILED, "%s: calls itself '%s'", path,
                       plugin->name ? plugin->name : "");
    if (!plugin->version || !plugin->ops)
        return err_set(err, CASB_EFAILED, "%s: has no %s", path, plugin->ops ? "version" : "slots");
    if (*(const size_t *)plugin->ops < ops_size_needed(plugin->kind))
        return err_set(err, CASB_EFAILED, "%s: its table of slots has %zu bytes, %zu are needed",
                       path, *(const size_t *)plugin->ops, ops_size_needed(plugin->kind));
    slot = missing_slot(plugin);
    if (slot)
        return err_set(err, CASB_EFAILED, "%s: the slot '%s' is missing", path, slot);
    return verify_options(plugin, path, err);
}

/* Is it the name of a library, which plugins of its folder may have linked? */
static int is_library(const struct dirent *entry)
{
    return !strncmp(entry->d_name, "lib", 3) && strstr(entry->d_name, ".so");
}

/* Nothing is run that others could have written, and nothing waited for that is no file. */
static int check_file(const char *path, struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    int r = trust_check(path, TRUST_PLUGIN, err);

    return r ? r : file_open_regular(path, O_RDONLY, &fd, err);
}

static int check_library(const char *dir, const char *name, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;

    if (asprintf(&path, "%s/%s", dir, name) < 0) {
        path = NULL;
        return err_nomem(err);
    }
    return check_file(path, err);
}

/* What a plugin links from its own folder is loaded with it, and runs before anybody can look. */
static int check_libraries(const char *dir, struct casb_error *err)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, is_library, alphasort), r = 0;

    if (n < 0)
        return err_set_errno(err, errno, "folder of plugins '%s'", dir);
    for (int i = 0; i < n; i++) {
        if (!r)
            r = check_library(dir, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int loader_load(const char *dir, enum casb_kind kind, const char *name,
                const struct casb_plugin **ret, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    const struct casb_plugin *plugin;
    char clean[80];
    void *object;
    int r;

    if (!is_plain(name))
        return err_set(err, CASB_EINVALID, "'%s' is no name of a %s plugin",
                       text_clean(clean, sizeof clean, name), loader_kind_name(kind));
    if (asprintf(&path, "%s/%s-%s.so", dir, loader_kind_name(kind), name) < 0) {
        path = NULL;
        return err_nomem(err);
    }
    r = check_file(path, err);
    if (!r)
        r = check_libraries(dir, err);
    if (r)
        return err_wrap(err, r, "%s plugin '%s'", loader_kind_name(kind), name);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return err_set(err, CASB_EFAILED, "%s", dlerror());
    plugin = dlsym(object, "casb_plugin");
    if (!plugin)
        return err_set(err, CASB_EFAILED, "%s: exports no casb_plugin", path);
    r = verify(plugin, path, kind, name, err);
    if (r)
        return r;
    *ret = plugin;
    return 0;
}
