#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds both images of cronjob/image with buildah, without a base image from elsewhere: $DEBIAN_ROOT
# (tests/package/root.sh) is Debian's, and the CLI's has the sandbox's stand-in and nothing that would
# install a package. Looks at what they are, and leaves $builddir/image/cas-backup.tar and ...-api.tar,
# with the lists of what they are made of beside them.
set -u
: "${srcdir:?}" "${builddir:?}" "${DEBIAN_ROOT:?}"
work=$(mktemp -d)
out=$builddir/image
trap 'rm -rf "$work"' EXIT
tests=0 failures=0
ok() { # STATUS NAME
    tests=$((tests + 1))
    [ "$1" = 0 ] || failures=$((failures + 1))
    echo "$([ "$1" = 0 ] || echo 'not ')ok $tests - $2"
    [ "$1" = 0 ] || tail -n 30 "$work/out" | sed 's/^/# /'
}
# a layer is not a copy where that can be had
driver=vfs
mkdir "$work/1" "$work/2" "$work/3"
# shellcheck disable=SC2016 # expanded by that sh
work=$work unshare --mount sh -c 'mount -t overlay -o lowerdir="$work/1,upperdir=$work/2,workdir=$work/3" overlay "$work/1"' \
    2>/dev/null && driver=overlay
b() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver "$driver" "$@"; }
# import NAME FOLDER: an image of the folder
import() {
    local container
    container=$(b from scratch) && b copy -q "$container" "$2" / >/dev/null && b commit -q "$container" "$1" >/dev/null &&
        b rm "$container" >/dev/null
}
epoch=$(git -C "$srcdir" log -1 --format=%ct 2>/dev/null || echo 1)
# build TARGET NAME [OPTION...]
build() {
    b build --isolation chroot --layers --timestamp "$epoch" --build-arg SOURCE_DATE_EPOCH="$epoch" \
        --build-arg DEBIAN_IMAGE=localhost/debian --build-arg CLI_IMAGE=localhost/cli \
        --build-arg REVISION="$(git -C "$srcdir" rev-parse HEAD 2>/dev/null || echo unknown)" --pull-never \
        -f "$srcdir/cronjob/image/Dockerfile" --target "$1" -t "$2" "${@:3}" "$srcdir"
}

mkdir -p "$work/cli/usr/bin" "$work/cli/tmp" "$out"
chmod 1777 "$work/cli/tmp"
install -m 755 "$builddir/tests/sandbox/scone" "$work/cli/usr/bin"
ldd "$builddir/tests/sandbox/scone" | grep -o '/[^ ]*' | while read -r lib; do
    install -D -m 755 "$(readlink -f "$lib")" "$work/cli$lib"
done
{ import localhost/debian "$DEBIAN_ROOT" && import localhost/cli "$work/cli"; } >"$work/out" 2>&1
ok $? 'base images are made of folders'
build cli docker.io/sandbox/cas-backup:1 >"$work/out" 2>&1
ok $? 'the image with a CLI that has no apt'
build api docker.io/sandbox/cas-backup-api:1 >"$work/out" 2>&1
ok $? 'the image without one'

# In each: what it is, and that it runs as it stands.
for name in cas-backup cas-backup-api; do
    image=docker.io/sandbox/$name:1
    b inspect --type image "$image" >"$work/out" 2>&1
    jq -e '.OCIv1 | .config.User == "65532:65532" and .config.Entrypoint == ["/usr/bin/cas-backup"] and
        (.config.Labels | has("org.opencontainers.image.title") and has("org.opencontainers.image.version") and
            has("org.opencontainers.image.revision") and has("org.opencontainers.image.source") and
            has("org.opencontainers.image.licenses"))' "$work/out" >/dev/null
    ok $? "$name: a user that is not root, and labels"
    container=$(b from --pull-never "$image") && root=$(b mount "$container")
    b run --isolation chroot "$container" -- /usr/bin/cas-backup plugins -o json >"$work/out" 2>&1
    jq -e 'length >= 6 and all(.problem == null)' "$work/out" >/dev/null
    ok $? "$name: runs, and each plugin can be loaded"
    cp "$root/usr/share/cas-backup/sbom.spdx.json" "$out/$name.spdx.json"
    jq -e '.spdxVersion == "SPDX-2.3" and ([.packages[].name] | index("libcurl4") and index("libssl3") and index("cas-backup"))
        and ([.packages[].SPDXID] as $ids | all(.relationships[].relatedSpdxElement; IN($ids[])))' \
        "$out/$name.spdx.json" >"$work/out" 2>&1
    ok $? "$name: the list of what it is made of"
    grep -q "$(dpkg-query --admindir="$DEBIAN_ROOT/var/lib/dpkg" -W -f '${Version}' libcurl4)" "$out/$name.spdx.json"
    ok $? "$name: with versions"
    [ -z "$(find "$root/usr/bin/cas-backup" "$root/usr/lib/cas-backup" "$root/usr/share/cas-backup" \
        -newermt "@$((epoch + 1))" | tee "$work/out")" ]
    ok $? "$name: nothing of it is younger than the source"
    echo "# $name: $(du -sm "$root" | cut -f 1) MB"
    rm -f "$out/$name.tar"
    b push -q "$image" "docker-archive:$out/$name.tar:$image" >"$work/out" 2>&1
    ok $? "$name: as a file of $(du -m "$out/$name.tar" | cut -f 1) MB"
    b rm "$container" >/dev/null
done
echo "1..$tests"
exit $((failures > 0))
