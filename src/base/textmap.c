/* SPDX-License-Identifier: Apache-2.0 */
#include "base/textmap.h"

#include "base/text.h"

#include <cas-backup/error.h>

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN    16
#define BLOCK_BYTES ((size_t)16 * 1024)

struct textmap_entry {
    int64_t value;
    char text[];
};

/* Where entries lie one behind the other. */
struct textmap_block {
    struct textmap_block *next;
    size_t used, size;
    max_align_t memory[];
};

/* The slot of a text, or the free one that it would get. There is always one. */
static size_t place(const struct textmap *map, const char *text)
{
    size_t i = text_hash(text) & (map->room - 1);

    while (map->slots[i] && strcmp(map->slots[i]->text, text) != 0)
        i = (i + 1) & (map->room - 1);
    return i;
}

static int grow(struct textmap *map)
{
    struct textmap larger = *map;

    if (map->n < map->room / 4 * 3)
        return 0;
    larger.room = map->room ? 2 * map->room : ROOM_MIN;
    larger.slots = calloc(larger.room, sizeof(struct textmap_entry *));
    if (!larger.slots)
        return CASB_ENOMEM;
    for (size_t i = 0; i < map->room; i++)
        if (map->slots[i])
            larger.slots[place(&larger, map->slots[i]->text)] = map->slots[i];
    free(map->slots);
    *map = larger;
    return 0;
}

static struct textmap_entry *entry_new(struct textmap *map, const char *text)
{
    size_t len = strlen(text) + 1, size = sizeof(struct textmap_entry) + len;
    struct textmap_block *block = map->blocks;
    struct textmap_entry *entry;

    size = (size + _Alignof(struct textmap_entry) - 1) & ~(_Alignof(struct textmap_entry) - 1);
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

        block = malloc(sizeof *block + room);
        if (!block)
            return NULL;
        *block = (struct textmap_block){.next = map->blocks, .size = room};
        map->blocks = block;
    }
    entry = (struct textmap_entry *)((char *)block->memory + block->used);
    block->used += size;
    memcpy(entry->text, text, len);
    return entry;
}

int textmap_set(struct textmap *map, const char *text, int64_t value)
{
    size_t i;

    if (grow(map))
        return CASB_ENOMEM;
    i = place(map, text);
    if (!map->slots[i]) {
        map->slots[i] = entry_new(map, text);
        if (!map->slots[i])
            return CASB_ENOMEM;
        map->n++;
    }
    map->slots[i]->value = value;
    return 0;
}

bool textmap_get(const struct textmap *map, const char *text, int64_t *ret)
{
    const struct textmap_entry *entry = map->n > 0 ? map->slots[place(map, text)] : NULL;

    if (ret)
        *ret = entry ? entry->value : 0;
    return entry != NULL;
}

/* Is the slot `to` on the way from `home` to `from`, which may go round the end? */
static bool is_between(size_t home, size_t to, size_t from)
{
    return home <= from ? home <= to && to < from : home <= to || to < from;
}

void textmap_delete(struct textmap *map, const char *text)
{
    size_t hole, i;

    if (!textmap_get(map, text, NULL))
        return;
    hole = i = place(map, text);
    map->slots[hole] = NULL;
    map->n--;
    /* what stands behind it would not be found behind a free slot */
    while (map->slots[i = (i + 1) & (map->room - 1)]) {
        if (!is_between(text_hash(map->slots[i]->text) & (map->room - 1), hole, i))
            continue;
        map->slots[hole] = map->slots[i];
        map->slots[i] = NULL;
        hole = i;
    }
}

const char *textmap_any(const struct textmap *map)
{
    for (size_t i = 0; i < map->room; i++)
        if (map->slots[i])
            return map->slots[i]->text;
    return NULL;
}

void textmap_free(struct textmap *map)
{
    while (map->blocks) {
        struct textmap_block *block = map->blocks;

        map->blocks = block->next;
        free(block);
    }
    free(map->slots);
    *map = (struct textmap){.slots = NULL};
}
